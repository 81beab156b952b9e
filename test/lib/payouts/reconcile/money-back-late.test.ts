import { beforeEach, describe, expect, it } from "vitest";
import { reconcileLedger } from "../../../../lib/ledger/reconcile/reconcile-ledger.ts";
import { openDatabase } from "../../../../lib/db/client.ts";
import { systemClock } from "../../../../lib/support/clock.ts";
import { silentLog } from "../../../../lib/support/log.ts";
import { noProgress } from "../../../../lib/support/progress.ts";
import { defaultTaxPolicy } from "../../../../lib/tds/index.ts";
import { passingTime } from "../../../support/passing-time.ts";
import { runReconcile } from "../../../support/reconcile-run.ts";
import { snapshot } from "../snapshot.ts";
import { useWorld } from "../world.ts";

const time = passingTime();
const world = useWorld({ clock: time.clock });
beforeEach(() => {
  time.restart();
});

const { wrapGateway } = time;
const days = (count: number): Promise<void> => time.pass(world.database, count);

const reconcile = (
  options: Partial<Parameters<typeof runReconcile>[0]> = {},
): ReturnType<typeof runReconcile> =>
  runReconcile({ database: world.database, sandbox: world.sandbox, wrapGateway, ...options });

async function ledger(): ReturnType<typeof reconcileLedger> {
  const db = openDatabase({
    url: world.database.url,
    applicationName: "ledger under test",
    readOnly: false,
    connections: 1,
  });
  try {
    return await reconcileLedger({
      dryRun: false,
      settings: { tax: defaultTaxPolicy },
      db,
      clock: systemClock,
      log: silentLog(),
      progress: noProgress,
      signal: new AbortController().signal,
    });
  } finally {
    await db.close();
  }
}

/** Paid, compared once, and proven: what every payout looks like a day later. */
async function paid(seed: Parameters<typeof world.payout>[0] = {}): Promise<string> {
  await world.payout({ account: bank, ...seed });
  await world.run({ wrapGateway });
  const { verdict } = await reconcile();
  expect(verdict).toEqual({ kind: "completed" });
  await days(1);
  await reconcile();
  expect((await ledger()).verdict.kind).toBe("completed");
  const [payout] = world.sandbox.payouts();
  return payout?.id ?? "";
}

const bank = { kind: "bank_account", ifsc: "HDFC0001220", accountNumber: "912345678901" } as const;

async function state(): Promise<unknown> {
  const [row] = await world.database.query(
    `SELECT payout.status::text AS payout, attempt.state::text AS attempt,
            (SELECT string_agg(DISTINCT status::text, ' ') FROM earnings) AS earnings,
            (SELECT sum(tax_paise)::bigint FROM tax_deductions WHERE status = 'FINAL') AS tax,
            (SELECT COALESCE(sum(entry.amount_paise), 0)::bigint FROM ledger_entries AS entry
             JOIN ledger_accounts AS account ON account.id = entry.account_id
             WHERE account.code = 'TAX_PAYABLE') AS "taxBooked"
     FROM payouts AS payout JOIN payout_attempts AS attempt ON attempt.payout_id = payout.id`,
  );
  return row;
}

const openFindings = async (): Promise<{ kind: string }[]> =>
  world.database.query("SELECT kind FROM findings WHERE resolved_at IS NULL ORDER BY kind");

const BACK = { payout: "REVERSED", attempt: "REVERSED", earnings: "READY", tax: 0n, taxBooked: 0n };

describe.each([15, 40, 200])("money that the bank returns after %i days", (age) => {
  it("is booked back by the next run of the comparison, with its tax", async () => {
    const id = await paid({
      panStatus: "missing",
      payouts: [{ earnings: [{ grossPaise: 500_000n }] }],
    });
    await days(age - 1);
    await reconcile();
    world.sandbox.movePayout(id, { status: "reversed", reason: "beneficiary_bank_rejected" });
    const { verdict, report } = await reconcile();
    expect(verdict).toMatchObject({
      kind: "completed",
      warning: expect.stringMatching(
        /^The money of 1 payout came back\. 1 of them is of a payee on hold, .*--update-accounts/,
      ) as string,
    });
    expect(report.items).toMatchObject([
      { outcome: "reversed", message: expect.stringContaining("refused_account") as string },
    ]);
    expect(report).toMatchObject({ reversed: 1, critical: 0, warnings: 0 });
    expect(await state()).toEqual(BACK);
    const proven = await ledger();
    expect(proven.verdict).toEqual({ kind: "completed" });
    expect(proven.report.cash).toMatchObject({ unbookedPaise: 0n, driftPaise: 0n });
    expect(await openFindings()).toEqual([]);
  });
});

it("is booked back when the comparison did not run for three weeks", async () => {
  const id = await paid();
  world.sandbox.movePayout(id, { status: "reversed" });
  await days(21);
  const { verdict, report } = await reconcile();
  expect(report).toMatchObject({ reversed: 1, reversedHeld: 0, critical: 0 });
  expect(verdict).toMatchObject({
    warning: "The money of 1 payout came back; the earnings wait for the next batch.",
  });
  expect(await state()).toMatchObject({ payout: "REVERSED", earnings: "READY" });
  expect((await ledger()).verdict.kind).toBe("completed");
});

it("is booked back of an organization's payout", async () => {
  const id = await paid({ organization: true });
  await days(40);
  world.sandbox.movePayout(id, { status: "reversed" });
  const { verdict, report } = await reconcile();
  expect(report).toMatchObject({ reversed: 1, reversedHeld: 0, critical: 0 });
  expect(verdict).toMatchObject({
    warning: "The money of 1 payout came back; the earnings wait for the next batch.",
  });
  expect(await state()).toMatchObject({ payout: "REVERSED", earnings: "READY" });
});

/** What the list of payouts says is as good as the statement, which may be later. */
it("is booked back by the payout's state alone, before the statement shows the money", async () => {
  const id = await paid();
  await days(40);
  world.sandbox.movePayout(id, { status: "reversed" });
  const noLine = (gateway: Parameters<typeof wrapGateway>[0]): typeof gateway => ({
    ...wrapGateway(gateway),
    listTransactions: () =>
      Promise.resolve({ kind: "accepted", httpStatus: 200, body: {}, value: [] }),
  });
  expect((await reconcile({ wrapGateway: noLine })).report).toMatchObject({ reversed: 1 });
  await reconcile();
  expect((await ledger()).verdict).toEqual({ kind: "completed" });
});

/** Older than the widest comparison, only the statement tells of it. */
it("is booked back by the statement alone, whatever the age of the payout", async () => {
  const id = await paid();
  await days(40);
  world.sandbox.movePayout(id, { status: "reversed" });
  const dry = await reconcile({ fullDays: 1, days: 1, dryRun: true });
  expect(dry.report).toMatchObject({ reversed: 1 });
  const before = await snapshot(world.database);
  await reconcile({ fullDays: 1, days: 1, dryRun: true });
  expect(await snapshot(world.database)).toEqual(before);
  expect((await reconcile({ fullDays: 1, days: 1 })).report).toMatchObject({ reversed: 1 });
  expect(await state()).toMatchObject({ payout: "REVERSED", earnings: "READY" });
});

describe("money on the statement that no payout explains", () => {
  /** The statement shows the money; the payout's state stays what it was. */
  const saysPaid = (gateway: Parameters<typeof wrapGateway>[0]): typeof gateway => {
    const wrapped = wrapGateway(gateway);
    const paidStill = { status: "processed", statusText: "processed", statusReason: null } as const;
    return {
      ...wrapped,
      listPayouts: async (...call) => {
        const answer = await wrapped.listPayouts(...call);
        if (answer.kind !== "accepted") return answer;
        return { ...answer, value: answer.value.map((each) => ({ ...each, ...paidStill })) };
      },
      fetchPayout: async (...call) => {
        const answer = await wrapped.fetchPayout(...call);
        if (answer.kind !== "accepted") return answer;
        return { ...answer, value: { ...answer.value, ...paidStill } };
      },
    };
  };

  it("is in flight for a day, and then a finding of both jobs", async () => {
    const id = await paid();
    await days(30);
    world.sandbox.movePayout(id, { status: "reversed" });
    expect((await reconcile({ wrapGateway: saysPaid })).verdict).toEqual({ kind: "completed" });
    expect((await ledger()).verdict).toEqual({ kind: "completed" });

    await days(2);
    const late = await reconcile({ wrapGateway: saysPaid });
    expect(late.verdict).toMatchObject({ kind: "failed", code: "records-differ" });
    expect(late.report.critical).toBe(1);
    const proven = await ledger();
    expect(proven.verdict).toMatchObject({ kind: "failed", code: "books-drift" });
    expect(await openFindings()).toEqual([
      { kind: "payout-transaction-unmatched" },
      { kind: "provider-cash-drift" },
      { kind: "provider-cash-drift" },
    ]);
    expect(await state()).toMatchObject({ payout: "COMPLETED" });

    expect((await reconcile()).report).toMatchObject({ reversed: 1 });
    expect((await ledger()).verdict.kind).toBe("completed");
  });

  it("is drift also where two of them come to nothing together", async () => {
    await world.payout({ account: bank, payouts: [{}, {}] });
    await world.run({ wrapGateway });
    await reconcile();
    await days(30);
    const [first, second] = world.sandbox.payouts();
    await world.database.query(
      `INSERT INTO provider_transactions (id, credit_paise, debit_paise, source_entity, provider_payout_id, at, read_at)
       VALUES ('txn_credit', 700, 0, 'reversal', $1, now() - interval '2 days', now() - interval '2 days'),
              ('txn_debit', 0, 700, 'payout', $2, now() - interval '2 days', now() - interval '2 days')`,
      [first?.id, second?.id],
    );
    const { verdict, report } = await ledger();
    expect(verdict).toMatchObject({ kind: "failed", code: "books-drift" });
    const cash = report.checks.find(({ code }) => code === "PROVIDER_CASH_DRIFT");
    expect(cash?.rows.map(({ subjectId }) => subjectId)).toContain("txn_credit");
  });
});
