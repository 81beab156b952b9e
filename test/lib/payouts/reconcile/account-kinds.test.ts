import { expect, it, onTestFinished } from "vitest";
import { openDatabase } from "../../../../lib/db/client.ts";
import { CHECKS, runCheck } from "../../../../lib/ledger/reconcile/checks.ts";
import { readProviderCash } from "../../../../lib/ledger/provider-cash.ts";
import { startSandbox, type Sandbox } from "../../../../scripts/sandbox/razorpay/index.ts";
import { createTestDatabase, type TestDatabase } from "../../../support/database.ts";
import { runPayouts, seedApprovedPayouts } from "../../../support/payout-world.ts";
import { runReconcile } from "../../../support/reconcile-run.ts";
import { runScript } from "../../../support/run-script.ts";
import type { AccountKind } from "../../../../lib/provider/index.ts";

interface Account {
  database: TestDatabase;
  sandbox: Sandbox;
  /** A pay run and a reconciliation, told that the account is of this kind. */
  pay(): Promise<void>;
  reconcile(): ReturnType<typeof runReconcile>;
}

async function open(is: AccountKind, told: AccountKind = is): Promise<Account> {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  const sandbox = await startSandbox({ accountKind: is });
  onTestFinished(() => sandbox.close());
  const razorpayX = { accountKind: told };
  return {
    database,
    sandbox,
    pay: async () => {
      await runPayouts({ database, sandbox, razorpayX });
    },
    reconcile: () => runReconcile({ database, sandbox, razorpayX }),
  };
}

/** What the books and the account differ by, once every other check of the books holds. */
async function drift({ database }: Account): Promise<bigint | undefined> {
  const db = openDatabase({
    url: database.url,
    applicationName: "drift",
    readOnly: true,
    connections: 1,
  });
  try {
    for (const check of CHECKS)
      expect([check.code, (await runCheck(db, check)).rows]).toEqual([check.code, []]);
    return (await readProviderCash(db))?.driftPaise;
  } finally {
    await db.close();
  }
}

const balanceOf = async ({ database }: Account, code: string): Promise<number> => {
  const [row] = await database.query<{ paise: number }>(
    `SELECT COALESCE(sum(entry.amount_paise), 0)::float8 AS paise FROM ledger_entries entry
     JOIN ledger_accounts account ON account.id = entry.account_id WHERE account.code::text = $1`,
    [code],
  );
  return row?.paise ?? 0;
};

const findings = ({ database }: Account): Promise<{ kind: string }[]> =>
  database.query<{ kind: string }>("SELECT kind FROM findings ORDER BY kind");

const FEES = 590;

it.each(["lite", "current"] as const)("shows no false drift on a %s account", async (kind) => {
  const account = await open(kind);
  await seedApprovedPayouts(account.database, { count: 3 });
  await account.pay();
  expect(await account.reconcile()).toMatchObject({ verdict: { kind: "completed" } });
  expect(await drift(account)).toBe(0n);
  expect(await balanceOf(account, "PROVIDER_FEES_DUE")).toBe(kind === "current" ? -3 * FEES : 0);

  if (kind === "current") account.sandbox.collectFees();
  else expect(() => account.sandbox.collectFees()).toThrow(/Lite/);
  const { report } = await account.reconcile();
  expect(report.feeCollections).toBe(kind === "current" ? 1 : 0);
  expect(await drift(account)).toBe(0n);
  expect(await balanceOf(account, "PROVIDER_FEES_DUE")).toBe(0);
  expect(await balanceOf(account, "PROVIDER_FEES")).toBe(3 * 500);
  expect(await balanceOf(account, "BANK")).toBe(account.sandbox.account().balancePaise);
  expect(await findings(account)).toEqual([]);

  // Read again, nothing is booked twice.
  await account.reconcile();
  expect(await drift(account)).toBe(0n);
});

it("says so where it is told the wrong kind", async () => {
  const account = await open("current", "lite");
  await seedApprovedPayouts(account.database, { count: 1 });
  await account.pay();
  account.sandbox.collectFees();
  await account.reconcile();
  expect(await findings(account)).toEqual([{ kind: "foreign-provider-payout" }]);

  const { env } = account.sandbox;
  const check = await runScript("scripts/cli/jobs.ts", {
    args: ["check"],
    env: { ...env, DATABASE_URL: account.database.url },
  });
  expect(check.stdout).toMatch(/WRONG +provider: account +is a current account/);
  const right = await runScript("scripts/cli/jobs.ts", {
    args: ["check"],
    env: { ...env, DATABASE_URL: account.database.url, RAZORPAYX_ACCOUNT_KIND: "current" },
  });
  expect(right.stdout).toMatch(/ok +provider: account +is a current account/);
});

it("books money back that came back by way of reversed to failed, and the fee with it", async () => {
  const account = await open("current");
  await seedApprovedPayouts(account.database, { count: 2 });
  await account.pay();
  await account.reconcile();
  account.sandbox.collectFees();
  const id = account.sandbox.payouts()[0]?.id ?? "";
  account.sandbox.movePayout(id, { status: "reversed", reason: "gateway_down" });
  account.sandbox.movePayout(id, { status: "failed", reason: "gateway_down" });
  expect((await account.reconcile()).report).toMatchObject({ reversed: 1, critical: 0 });
  expect(await drift(account)).toBe(0n);
  expect(await balanceOf(account, "PROVIDER_FEES_DUE")).toBe(FEES);
  expect(await findings(account)).toEqual([]);
});

it.each(["gateway_degraded", "beneficiary_bank_down"])(
  "waits while a payout is queued that nobody asked to queue, and pays again when it failed: %s",
  async (reason) => {
    const account = await open("current");
    const [payout] = await seedApprovedPayouts(account.database, { count: 1 });
    account.sandbox.addFaults({ on: "POST /payouts", initialState: "queued", endReason: reason });
    await account.pay();
    await account.pay();
    expect(account.sandbox.payouts()).toMatchObject([{ status: "queued" }]);
    expect(await statusOf(account, payout?.id)).toBe("PROCESSING");

    account.sandbox.movePayout(account.sandbox.payouts()[0]?.id ?? "", {
      status: "failed",
      reason,
    });
    await account.reconcile();
    expect(await statusOf(account, payout?.id)).toBe("FAILED");
    expect(await drift(account)).toBe(0n);
    expect(await account.database.query("SELECT 1 FROM payout_account_holds")).toEqual([]);
  },
);

it("takes off our account only what left it, where the provider paid from another bank", async () => {
  const account = await open("current");
  await seedApprovedPayouts(account.database, { count: 1 });
  await runPayouts({
    database: account.database,
    sandbox: account.sandbox,
    razorpayX: { accountKind: "current" },
    wrapGateway: (gateway) => ({
      ...gateway,
      listPayouts: async (filter, options) => {
        const answer = await gateway.listPayouts(filter, options);
        if (answer.kind !== "accepted") return answer;
        return {
          ...answer,
          value: answer.value.map((payout) => ({ ...payout, debitedElsewhere: true })),
        };
      },
    }),
  });
  const [sent] = account.sandbox.payouts();
  expect(await balanceOf(account, "BANK")).toBe(0);
  expect(await balanceOf(account, "BANK_OTHER")).toBe(-(sent?.amount ?? 0));
});

async function statusOf({ database }: Account, id: string | undefined): Promise<string> {
  const [row] = await database.query<{ status: string }>(
    "SELECT status::text FROM payouts WHERE id = $1",
    [id],
  );
  return row?.status ?? "";
}
