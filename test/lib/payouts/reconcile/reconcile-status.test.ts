import { describe, expect, it } from "vitest";
import type { PayoutSeed } from "../../../support/payout-world.ts";
import { runReconcile } from "../../../support/reconcile-run.ts";
import { snapshot } from "../snapshot.ts";
import { useWorld } from "../world.ts";
import type { PayoutProvider } from "../../../../lib/provider/index.ts";

const world = useWorld();

const reconcile = (
  options: Partial<Parameters<typeof runReconcile>[0]> = {},
): ReturnType<typeof runReconcile> =>
  runReconcile({ database: world.database, sandbox: world.sandbox, ...options });

async function states(): Promise<unknown[]> {
  return world.database.query(
    `SELECT payouts.status::text AS payout, attempt.state::text AS attempt
     FROM payouts JOIN payout_attempts AS attempt ON attempt.payout_id = payouts.id
     ORDER BY payouts.amount_paise, attempt.attempt_no`,
  );
}

async function findings(): Promise<{ kind: string; severity: string }[]> {
  return world.database.query(
    "SELECT kind, severity::text AS severity FROM findings WHERE resolved_at IS NULL ORDER BY kind",
  );
}

/** Payouts of one payee, which are paid one after the other. */
const inTurn = (...gross: bigint[]): PayoutSeed[] =>
  gross.map((grossPaise) => ({ earnings: [{ grossPaise }] }));

const providerIds = (): string[] => world.sandbox.payouts().map(({ id }) => id);

/** A payout that somebody makes at the provider behind our back. */
async function makeAtProvider(changes: Record<string, unknown>): Promise<void> {
  const { env } = world.sandbox;
  const [first] = world.sandbox.payouts();
  const response = await fetch(`${env.RAZORPAY_BASE_URL}/payouts`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "x-payout-idempotency": crypto.randomUUID(),
      authorization: `Basic ${btoa(`${env.RAZORPAYX_KEY_ID}:${env.RAZORPAYX_KEY_SECRET}`)}`,
    },
    body: JSON.stringify({
      account_number: env.RAZORPAYX_ACCOUNT_NUMBER,
      fund_account_id: first?.fund_account_id,
      amount: first?.amount,
      currency: "INR",
      mode: "IMPS",
      purpose: "payout",
      ...changes,
    }),
  });
  if (!response.ok) throw new Error(await response.text());
}

describe("what the provider knows better", () => {
  it("is recorded: paid, failed, and found after an answer that never arrived", async () => {
    world.sandbox.addFaults([
      { on: "POST /payouts", endState: "processing" },
      { on: "POST /payouts", endState: "processing" },
      { on: "POST /payouts", dropAfter: true },
    ]);
    await world.payout({ payouts: inTurn(100_000n, 200_000n, 300_000n) });
    await world.run();
    const [paid = "", lost = ""] = providerIds();
    world.sandbox.movePayout(paid, { status: "processed" });
    world.sandbox.movePayout(lost, { status: "failed", reason: "bank_account_invalid" });

    const { verdict, report } = await reconcile();

    expect(verdict.kind).toBe("completed");
    expect(report).toMatchObject({ read: 3, settled: 3, critical: 0, warnings: 0 });
    expect(await states()).toEqual([
      { payout: "COMPLETED", attempt: "PROCESSED" },
      { payout: "FAILED", attempt: "FAILED" },
      { payout: "COMPLETED", attempt: "PROCESSED" },
    ]);
  });

  it("is followed when the bank returns the money days later", async () => {
    await world.payout();
    await world.run();
    world.sandbox.movePayout(providerIds()[0] ?? "", { status: "reversed" });
    const { report } = await reconcile();
    expect(report).toMatchObject({ reversed: 1 });
    expect(await states()).toEqual([{ payout: "REVERSED", attempt: "REVERSED" }]);
    expect((await reconcile()).report).toMatchObject({ reversed: 0, same: 1 });
  });

  it("moves nothing back: a late `queued` leaves a completed payout completed", async () => {
    await world.payout();
    await world.run();
    const before = await snapshot(world.database);
    const late = (gateway: PayoutProvider): PayoutProvider => ({
      ...gateway,
      listPayouts: async (...call) => {
        const answer = await gateway.listPayouts(...call);
        if (answer.kind !== "accepted") return answer;
        const value = answer.value.map((payout) => ({
          ...payout,
          status: "queued" as const,
          statusText: "queued",
        }));
        return { ...answer, value };
      },
    });
    const { verdict, report } = await reconcile({ wrapGateway: late });
    expect(report).toMatchObject({ behind: 1, settled: 0 });
    expect(verdict.kind).toBe("completed");
    expect(await snapshot(world.database, { except: ["ledger", "provider"] })).toEqual(
      Object.fromEntries(
        Object.entries(before).filter(([table]) => !/^(ledger|provider)/.test(table)),
      ),
    );
  });
});

describe("what no job may mend", () => {
  it("is another installation's payout, and one made by hand", async () => {
    await world.payout();
    await world.run();
    await makeAtProvider({ reference_id: `${crypto.randomUUID()}-1`, amount: 5_000 });
    await makeAtProvider({ reference_id: "office chairs", amount: 7_000 });
    const before = await states();
    const { verdict } = await reconcile();
    expect(verdict).toMatchObject({ kind: "failed", code: "records-differ" });
    expect(await findings()).toEqual([
      { kind: "foreign-provider-payout", severity: "warning" },
      { kind: "provider-payout-without-row", severity: "critical" },
    ]);
    expect(await states()).toEqual(before);
    world.sandbox.reset();
    await world.database.query("ALTER TABLE payout_attempts DISABLE TRIGGER USER");
    await dropEverything();
  });

  it("is a second payout that is alive for one of ours", async () => {
    await world.payout();
    await world.run();
    const [first] = world.sandbox.payouts();
    await makeAtProvider({ reference_id: first?.reference_id });
    const before = await states();
    const { verdict } = await reconcile();
    expect(verdict).toMatchObject({ kind: "failed", code: "records-differ" });
    expect(await findings()).toEqual([{ kind: "several-live-payouts", severity: "critical" }]);
    expect(await states()).toEqual(before);
    world.sandbox.reset();
    await dropEverything();
  });

  it("is said once, and not again when a person has resolved it as it is", async () => {
    await world.payout();
    await world.run();
    await makeAtProvider({ reference_id: "office chairs", amount: 7_000 });
    await reconcile();
    await reconcile();
    expect(await findings()).toHaveLength(1);
    await world.database.query(
      "UPDATE findings SET resolved_at = now(), resolved_by = 'Asha', resolution = 'chairs'",
    );
    const { report, verdict } = await reconcile();
    expect(report).toMatchObject({ warnings: 0, resolvedBefore: 1 });
    expect(verdict).toEqual({ kind: "completed" });
    world.sandbox.reset();
    await dropEverything();
  });
});

describe("ours that the provider does not show", () => {
  const emptyList = (gateway: PayoutProvider): PayoutProvider => ({
    ...gateway,
    listPayouts: async (...call) => {
      const answer = await gateway.listPayouts(...call);
      return answer.kind === "accepted" ? { ...answer, value: [] } : answer;
    },
  });

  it("are asked for one by one before anything is said", async () => {
    await world.payout();
    await world.run();
    const { verdict, report } = await reconcile({ wrapGateway: emptyList });
    expect(report).toMatchObject({ askedFor: 1, same: 1 });
    expect(verdict.kind).toBe("completed");
  });

  it("are a finding when the provider says that there is no such payout", async () => {
    await world.payout();
    await world.run();
    const before = await states();
    world.sandbox.reset();
    const { verdict } = await reconcile();
    expect(verdict).toMatchObject({ kind: "failed", code: "records-differ" });
    expect(await findings()).toEqual([{ kind: "provider-payout-missing", severity: "critical" }]);
    expect(await states()).toEqual(before);
    await dropEverything();
  });
});

describe("a run that can not read", () => {
  it("concludes nothing from a list that broke off, and is red", async () => {
    await world.payout();
    await world.run();
    world.sandbox.addFaults({ on: "GET /payouts", status: 503, times: -1 });
    const { verdict } = await reconcile();
    expect(verdict).toMatchObject({ kind: "failed", code: "gateway-down" });
    expect(await findings()).toEqual([]);
    world.sandbox.clearFaults();
    expect((await reconcile()).verdict.kind).toBe("completed");
  });

  it("says so when the provider does not know our account", async () => {
    const { verdict } = await reconcile({ razorpayX: { accountNumber: "1112220000000000" } });
    expect(verdict).toMatchObject({ kind: "failed", code: "account-refused" });
  });
});

describe("several runs", () => {
  it("at once end as one", async () => {
    world.sandbox.addFaults({ on: "POST /payouts", dropAfter: true, times: -1 });
    await world.payout({ payouts: inTurn(100_000n, 200_000n, 300_000n) });
    await world.run();
    const runs = await Promise.all([reconcile(), reconcile()]);
    expect(runs.reduce((sum, { report }) => sum + report.settled, 0)).toBe(3);
    expect(await states()).toEqual(Array(3).fill({ payout: "COMPLETED", attempt: "PROCESSED" }));
  });

  it("leave nothing to change for the next", async () => {
    await world.payout();
    await world.run();
    await reconcile();
    const before = await snapshot(world.database);
    await reconcile();
    expect(await snapshot(world.database)).toEqual(before);
  });
});

it("decides the same in a dry run and changes nothing", async () => {
  world.sandbox.addFaults({ on: "POST /payouts", dropAfter: true });
  await world.payout({ payouts: inTurn(100_000n, 200_000n) });
  await world.run();
  world.sandbox.movePayout(providerIds()[1] ?? "", { status: "reversed" });
  const before = await snapshot(world.database);
  const dry = await reconcile({ dryRun: true });
  expect(dry.report).toMatchObject({ settled: 1, reversed: 1 });
  expect(await snapshot(world.database)).toEqual(before);
  const real = await reconcile();
  expect(real.report).toMatchObject({ settled: 1, reversed: 1 });
});

it("reads a list of many pages, also while payouts are being made", async () => {
  await world.payout();
  await world.run();
  for (let index = 0; index < 250; index++) {
    await makeAtProvider({ reference_id: `chair ${index}`, amount: 100 });
  }
  let calls = 0;
  const moving = (gateway: PayoutProvider): PayoutProvider => ({
    ...gateway,
    listPayouts: async (...call) => {
      if (calls++ === 1) await makeAtProvider({ reference_id: "chair in between", amount: 100 });
      return gateway.listPayouts(...call);
    },
  });
  const { report } = await reconcile({ dryRun: true, wrapGateway: moving });
  expect(report).toMatchObject({ read: 251, same: 1, warnings: 250 });
  world.sandbox.reset();
  await dropEverything();
});

/** The provider was made to disagree for good; without our rows there is nothing left to disagree. */
async function dropEverything(): Promise<void> {
  await world.database.query(
    `SET session_replication_role = replica;
     DELETE FROM payout_attempts; DELETE FROM payout_items; DELETE FROM tax_deductions;
     DELETE FROM ledger_entries; DELETE FROM ledger_transactions; DELETE FROM earnings; DELETE FROM payouts;
     SET session_replication_role = DEFAULT`,
  );
}
