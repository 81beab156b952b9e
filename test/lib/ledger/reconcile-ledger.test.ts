import { defaultTaxPolicy } from "../../../lib/tds/index.ts";
import { describe, expect, it } from "vitest";
import { openDatabase } from "../../../lib/db/client.ts";
import { reconcileLedger } from "../../../lib/ledger/reconcile/reconcile-ledger.ts";
import type { LedgerReport } from "../../../lib/ledger/index.ts";
import { systemClock, type Clock } from "../../../lib/support/clock.ts";
import { silentLog } from "../../../lib/support/log.ts";
import { noProgress } from "../../../lib/support/progress.ts";
import type { Verdict } from "../../../lib/support/verdict.ts";
import { runReconcile } from "../../support/reconcile-run.ts";
import { snapshot } from "../payouts/snapshot.ts";
import { useWorld } from "../payouts/world.ts";

const world = useWorld();

async function prove({
  dryRun = false,
  clock = systemClock,
  signal = new AbortController().signal,
}: { dryRun?: boolean; clock?: Clock; signal?: AbortSignal } = {}): Promise<{
  verdict: Verdict;
  report: LedgerReport;
}> {
  const db = openDatabase({
    url: world.database.url,
    applicationName: "books under test",
    readOnly: dryRun,
    connections: 1,
  });
  try {
    const log = silentLog();
    return await reconcileLedger({
      dryRun,
      db,
      clock,
      log,
      progress: noProgress,
      signal,
      settings: { tax: defaultTaxPolicy },
    });
  } finally {
    await db.close();
  }
}

/** Paid, refused, in flight, failed after acceptance, reversed, unknown, refunded, without tax, with tax. */
async function everything(): Promise<void> {
  const amounts = [100_000n, 200_000n, 300_000n, 400_000n, 500_000n, 600_000n, 700_000n];
  const { accountNumber = "" } = await world.payout({
    panStatus: "missing",
    payouts: amounts.map((grossPaise) => ({ earnings: [{ grossPaise }] })),
  });
  await world.payout({ category: "company" });
  // One after the other, since they are of one payee.
  const fates = [
    { endState: "processing" },
    { status: 400, error: { reason: "input_validation_failed" } },
    { dropAfter: true },
    { endState: "failed" },
  ] as const;
  const match = { account_number: accountNumber };
  world.sandbox.addFaults(fates.map((fate) => ({ on: "POST /payouts", match, ...fate })));
  await world.run();
  const paid = world.sandbox.payouts().filter(({ status }) => status === "processed");
  world.sandbox.movePayout(paid.at(-1)?.id ?? "", { status: "reversed" });
  await runReconcile(world);
}

const drifts = ({ checks }: LedgerReport): Record<string, unknown> =>
  Object.fromEntries(
    checks
      .filter(({ count }) => count > 0)
      .map(({ code, rows }) => [code, rows.map((row) => row.actualPaise - row.expectedPaise)]),
  );

/** Changes what the database would refuse to change. */
async function tamper(statements: string): Promise<void> {
  await world.database.query(
    `SET session_replication_role = replica; ${statements}; SET session_replication_role = DEFAULT`,
  );
}

describe("books in which everything has happened", () => {
  it("agree, and the cash is the provider's less what is in flight", async () => {
    await everything();
    const statuses = await world.database.query(
      "SELECT DISTINCT status::text AS status FROM payouts ORDER BY 1",
    );
    expect(statuses.map(({ status }) => status as string)).toEqual([
      "COMPLETED",
      "FAILED",
      "PROCESSING",
      "REVERSED",
    ]);
    const { verdict, report } = await prove();
    expect(drifts(report)).toEqual({});
    expect(verdict).toEqual({ kind: "completed" });
    expect(report.cash).toMatchObject({
      driftPaise: 0n,
      providerPaise: BigInt(world.sandbox.account().balancePaise),
    });
    expect(report.cash?.unbookedPaise).toBe(85_590n);
  });

  it("agree at any moment while payouts are being settled", async () => {
    await everything();
    for (let index = 0; index < 6; index++) await world.payout();
    const running = world.run();
    const during: Verdict["kind"][] = [];
    for (let index = 0; index < 8; index++) during.push((await prove()).verdict.kind);
    await running;
    expect(new Set(during)).toEqual(new Set(["completed"]));
  });

  it("agree when a payout left, its answer was lost and nobody could look it up yet", async () => {
    await world.payout();
    world.sandbox.addFaults({ on: "POST /payouts", dropAfter: true });
    await world.run();
    const unanswered = { kind: "unknown", cause: "timeout", detail: "no answer" } as const;
    await runReconcile({
      database: world.database,
      sandbox: world.sandbox,
      wrapGateway: (gateway) => ({
        ...gateway,
        findPayoutsByReference: () => Promise.resolve(unanswered),
      }),
    });
    const attempts = await world.database.query("SELECT state::text AS state FROM payout_attempts");
    expect(attempts).toEqual([{ state: "UNKNOWN" }]);
    const { report, verdict } = await prove();
    expect(drifts(report)).toEqual({});
    expect(verdict).toEqual({ kind: "completed" });
    expect(report.cash).toMatchObject({ driftPaise: 0n });
    expect(report.cash?.unbookedPaise).toBeGreaterThan(0n);
  });

  it("agree when the account was read only after payouts were completed", async () => {
    await world.payout();
    await world.run();
    const { report, verdict } = await prove();
    expect(report.cash).toBeUndefined();
    expect(verdict).toMatchObject({
      kind: "completed",
      warning: expect.stringContaining("never read") as string,
    });
    await runReconcile(world);
    await world.payout();
    await world.run();
    const later = await prove();
    expect(later.report.cash).toMatchObject({ driftPaise: 0n });
    expect(later.report.cash?.notReadPaise).toBeGreaterThan(0n);
  });

  it("say how old the reading is", async () => {
    await everything();
    const inAWeek: Clock = {
      ...systemClock,
      now: () => new Date(Date.now() + 7 * 24 * 3_600_000),
    };
    expect((await prove({ clock: inAWeek })).verdict).toMatchObject({
      kind: "completed",
      warning: expect.stringContaining("as of") as string,
    });
  });
});

describe("a drift", () => {
  it.each([
    [
      "an entry that was changed",
      `UPDATE ledger_entries SET amount_paise = amount_paise - 7 WHERE id = (
         SELECT entry.id FROM ledger_entries AS entry JOIN ledger_accounts AS account
         ON account.id = entry.account_id WHERE account.code = 'PLATFORM_CLEARING' ORDER BY entry.id LIMIT 1)`,
      `UPDATE ledger_entries SET amount_paise = amount_paise + 7 WHERE id = (
         SELECT entry.id FROM ledger_entries AS entry JOIN ledger_accounts AS account
         ON account.id = entry.account_id WHERE account.code = 'PLATFORM_CLEARING' ORDER BY entry.id LIMIT 1)`,
      { TRANSACTION_UNBALANCED: [-7n], POSTING_WITHOUT_SOURCE: [-7n] },
    ],
    [
      "an earning whose status was changed",
      `UPDATE earnings SET status = 'PAID' WHERE id = (SELECT min(id::text)::uuid FROM earnings WHERE status = 'READY')`,
      `UPDATE earnings SET status = 'READY' WHERE id NOT IN (SELECT earning_id FROM payout_items WHERE released_at IS NULL)`,
      { PAYABLE_DRIFT: [expect.any(BigInt)] },
    ],
    [
      "an earning whose amount was changed",
      `UPDATE earnings SET platform_fee_paise = platform_fee_paise - 9, amount_paise = amount_paise + 9
       WHERE id = (SELECT min(id::text)::uuid FROM earnings WHERE status = 'PAID')`,
      `UPDATE earnings SET platform_fee_paise = platform_fee_paise + 9, amount_paise = amount_paise - 9
       WHERE id = (SELECT min(id::text)::uuid FROM earnings WHERE status = 'PAID')`,
      {
        EARNING_NOT_BOOKED: [-9n],
        PAYOUT_NOT_OF_EARNINGS: [-9n],
        POSTING_WITHOUT_SOURCE: [9n, -9n],
      },
    ],
    [
      "fees that were changed after the booking",
      `UPDATE payout_attempts SET fees_paise = fees_paise + 3 WHERE id = (
         SELECT min(id::text)::uuid FROM payout_attempts WHERE state = 'PROCESSED')`,
      `UPDATE payout_attempts SET fees_paise = fees_paise - 3 WHERE id = (
         SELECT min(id::text)::uuid FROM payout_attempts WHERE state = 'PROCESSED')`,
      { POSTING_WITHOUT_SOURCE: [3n, -3n] },
    ],
    [
      "a wallet that was filled without a posting",
      `INSERT INTO organizations (external_ref, name) VALUES ('org-1', 'Example');
       INSERT INTO wallet_accounts (organization_id, balance_paise) SELECT id, 12345 FROM organizations`,
      `DELETE FROM wallet_accounts; DELETE FROM organizations`,
      { WALLET_BALANCE_DRIFT: [12_345n] },
    ],
    [
      "tax that was deposited and not booked",
      `INSERT INTO tax_deposits (month, section, code, amount_paise, challan_reference, deposited_on, recorded_by)
       SELECT DISTINCT date_trunc('month', credited_on)::date, section, code, 100, 'C-1', credited_on + 30, 'Asha'
       FROM tax_deductions WHERE status = 'FINAL' AND tax_paise > 0 LIMIT 1`,
      `DELETE FROM tax_deposits`,
      { TAX_PAYABLE_DRIFT: [100n] },
    ],
    [
      "a sale that is taxed in another financial year",
      `UPDATE tax_deductions SET fiscal_year = 1990
       WHERE id = (SELECT id FROM tax_deductions WHERE gross_paise = 100000 ORDER BY sequence LIMIT 1)`,
      `UPDATE tax_deductions SET fiscal_year = extract(year FROM credited_on - interval '3 months')`,
      { TAX_YEAR_DIFFERS: [100_000n] },
    ],
    [
      "a transaction of the account that nobody can explain",
      `INSERT INTO provider_transactions (id, credit_paise, debit_paise, source_entity, source_id, at)
       VALUES ('txn_x', 0, 4200, 'adjustment', 'adj_1', now())`,
      `DELETE FROM provider_transactions WHERE id = 'txn_x'`,
      { PROVIDER_CASH_DRIFT: [4_200n, 4_200n] },
    ],
  ])("is named with its row and amount: %s", async (_what, change, back, expected) => {
    await everything();
    await tamper(change);
    try {
      const { verdict, report } = await prove();
      expect(drifts(report)).toEqual(expected);
      expect(verdict).toMatchObject({ kind: "failed", code: "books-drift" });
      const codes = Object.keys(expected);
      expect(verdict).toMatchObject({
        message: expect.stringContaining(codes[0] ?? "") as string,
      });
      const findings = await world.database.query<{ kind: string }>(
        "SELECT DISTINCT kind FROM findings WHERE resolved_at IS NULL ORDER BY kind",
      );
      expect(findings.map(({ kind }) => kind)).toEqual(
        codes.map((code) => code.toLowerCase().replaceAll("_", "-")).sort(),
      );
      await world.database.query(
        "UPDATE findings SET resolved_at = now(), resolved_by = 'asha', resolution = 'looked at'",
      );
      const again = await prove();
      expect(again.report.resolvedDrifts).toBe(again.report.drifts);
      expect(again.verdict).toMatchObject({
        kind: "failed",
        remedy: expect.stringMatching(/of which \d+ (is|are) resolved and still differ/) as string,
      });
    } finally {
      await tamper(back);
    }
    expect((await prove()).report.drifts).toBe(0);
  });

  describe("of a posting of a payout is named once, by the check that says most of it", () => {
    const CHECKED = ["POSTING_WITHOUT_SOURCE", "COMPLETED_NOT_BOOKED", "BOOKED_NOT_COMPLETED"];

    it.each([
      [
        "its payout was not paid",
        "UPDATE payouts SET status = 'FAILED' WHERE id = PAID",
        "UPDATE payouts SET status = 'COMPLETED' WHERE id = PAID",
        { BOOKED_NOT_COMPLETED: ["PAID"] },
      ],
      [
        "its payout came back, and only the way there is booked as such",
        "UPDATE payouts SET status = 'COMPLETED' WHERE id = REVERSED",
        "UPDATE payouts SET status = 'REVERSED' WHERE id = REVERSED",
        { BOOKED_NOT_COMPLETED: ["REVERSED"] },
      ],
      [
        "it is of another kind: one payout is not booked, and what is booked is of no payment",
        "UPDATE ledger_transactions SET key = 'wallet-lost:1', kind = 'wallet-lost' WHERE key = 'payout-completed:' || PAID",
        "UPDATE ledger_transactions SET key = 'payout-completed:' || PAID, kind = 'payout-completed' WHERE kind = 'wallet-lost'",
        { COMPLETED_NOT_BOOKED: ["PAID"], BOOKED_NOT_COMPLETED: ["PAID"] },
      ],
      [
        "it names no payout",
        "UPDATE ledger_transactions SET payout_id = NULL WHERE key = 'payout-completed:' || PAID",
        "UPDATE ledger_transactions SET payout_id = PAID WHERE key = 'payout-completed:' || PAID",
        { POSTING_WITHOUT_SOURCE: ["PAID"] },
      ],
      [
        "it names another payout, which is paid",
        "UPDATE ledger_transactions SET payout_id = OTHER WHERE key = 'payout-completed:' || PAID",
        "UPDATE ledger_transactions SET payout_id = PAID WHERE key = 'payout-completed:' || PAID",
        { POSTING_WITHOUT_SOURCE: ["PAID"] },
      ],
      [
        "it is the way back of a payout that stayed paid",
        "UPDATE ledger_transactions SET payout_id = PAID WHERE key = 'payout-reversed:' || REVERSED",
        "UPDATE ledger_transactions SET payout_id = REVERSED WHERE key = 'payout-reversed:' || REVERSED",
        { BOOKED_NOT_COMPLETED: ["PAID"] },
      ],
    ])("%s", async (_what, change, back, expected) => {
      await everything();
      const [ids] = await world.database.query<Record<"PAID" | "OTHER" | "REVERSED", string>>(
        `SELECT min(id::text) FILTER (WHERE status = 'COMPLETED') AS "PAID",
                max(id::text) FILTER (WHERE status = 'COMPLETED') AS "OTHER",
                min(id::text) FILTER (WHERE status = 'REVERSED') AS "REVERSED"
         FROM payouts`,
      );
      const withIds = (statement: string): string =>
        Object.entries(ids ?? {}).reduce(
          (text, [word, id]) =>
            text.replace(new RegExp(`(?<!')\\b${word}\\b`, "g"), `'${id}'::uuid`),
          statement,
        );
      await tamper(withIds(change));
      try {
        const { report } = await prove();
        const named = report.checks.filter(
          ({ code, count }) => CHECKED.includes(code) && count > 0,
        );
        // A posting is named once for each of its accounts.
        const subjects = (rows: (typeof named)[number]["rows"]): Set<string> =>
          new Set(rows.map(({ subjectId }) => /[0-9a-f-]{36}/.exec(subjectId)?.[0] ?? subjectId));
        expect(Object.fromEntries(named.map(({ code, rows }) => [code, subjects(rows)]))).toEqual(
          Object.fromEntries(
            Object.entries(expected).map(([code, words]) => [
              code,
              new Set(words.map((word) => ids?.[word as "PAID"])),
            ]),
          ),
        );
      } finally {
        await tamper(withIds(back));
      }
      expect((await prove()).report.drifts).toBe(0);
    });
  });

  it("is more tax deposited for a month than was withheld", async () => {
    await everything();
    await tamper(
      `INSERT INTO tax_deposits (month, section, code, amount_paise, challan_reference, deposited_on, recorded_by)
       VALUES ('2026-06-01', 'none', '0', 5, 'C-2', '2026-07-01', 'Asha')`,
    );
    try {
      const { report } = await prove();
      expect(drifts(report)).toMatchObject({ TAX_DEPOSIT_EXCEEDS: [5n] });
    } finally {
      await tamper("DELETE FROM tax_deposits");
    }
  });

  it("is counted in full and listed in part", async () => {
    await tamper(
      `INSERT INTO organizations (external_ref, name) SELECT 'org-' || n, 'Example' FROM generate_series(1, 130) AS n;
       INSERT INTO wallet_accounts (organization_id, balance_paise) SELECT id, 1 FROM organizations`,
    );
    const { report } = await prove();
    const wallets = report.checks.find(({ code }) => code === "WALLET_BALANCE_DRIFT");
    expect([wallets?.count, wallets?.rows.length, report.drifts]).toEqual([130, 100, 130]);
  });
});

it("changes nothing in a dry run, and nothing but findings in a real one", async () => {
  await everything();
  await tamper(
    `INSERT INTO provider_transactions (id, credit_paise, debit_paise, at) VALUES ('txn_x', 0, 4200, now())`,
  );
  const before = await snapshot(world.database);
  const dry = await prove({ dryRun: true });
  expect(dry.report.drifts).toBe(2);
  expect(await snapshot(world.database)).toEqual(before);
  await prove();
  const after = await snapshot(world.database);
  expect(after["findings"]?.length).toBe(2);
  expect({ ...after, findings: [] }).toEqual({ ...before, findings: [] });
  await prove();
  expect((await snapshot(world.database))["findings"]?.length).toBe(2);
});

it("stops between two checks when it is told to", async () => {
  expect((await prove({ signal: AbortSignal.abort() })).verdict).toEqual({ kind: "interrupted" });
});
