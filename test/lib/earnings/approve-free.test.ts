import pg from "pg";
import { expect, it, onTestFinished } from "vitest";
import { connectionConfig } from "../../../lib/db/connection.ts";
import {
  describeReport,
  importEarnings,
  refundEarning,
  type ImportOptions,
  type ImportReport,
} from "../../../lib/earnings/index.ts";
import { rejectPayout } from "../../../lib/payouts/operate/index.ts";
import { createPayoutCycle, type PayoutCycle } from "../../support/payout-cycle.ts";
import { csv, defaultColumns, read, row, rowsOf, type Cells } from "./builders.ts";

/** Imports earnings of each of two consultants, two unless told, and approves what is free. */
async function approve(
  cycle: PayoutCycle,
  { dryRun, each = 2 }: { dryRun: boolean; each?: number },
): Promise<unknown> {
  const rows = [
    ...rowsOf("C-1", each),
    ...rowsOf("C-2", each, { account_number: "912345678902", pan: "ZZZPE1234B" }),
  ];
  return (await importRows(cycle, rows, { approve: true, dryRun })).payouts;
}

async function importRows(
  cycle: PayoutCycle,
  rows: readonly Cells[],
  { dryRun = false, ...options }: ImportOptions,
): Promise<ImportReport> {
  const session = new pg.Client(
    connectionConfig({ url: cycle.url, applicationName: "test approve", readOnly: dryRun }),
  );
  await session.connect();
  onTestFinished(() => session.end());
  const file = await read(csv(rows, [...defaultColumns, "paid_directly"]));
  return importEarnings(session, file, { ...options, dryRun });
}

/** The same earnings, READY: their first payouts were rejected. */
async function imported(): Promise<PayoutCycle> {
  const cycle = await createPayoutCycle();
  await approve(cycle, { dryRun: false });
  for (const { id } of await cycle.query<{ id: string }>("SELECT id FROM payouts")) {
    await rejectPayout(cycle.client(), { payoutId: id, operator: { by: "Asha", reason: "again" } });
  }
  return cycle;
}

it("an import approves nothing that is refunded, waits for its date, or is on hold, and plans so", async () => {
  const cycle = await imported();
  const earnings = await cycle.query<{ id: string }>(
    "SELECT id FROM earnings ORDER BY booking_reference",
  );
  await refundEarning(cycle.client(), {
    earningId: earnings[0]?.id ?? "",
    key: "rfnd_1",
    grossPaise: 100n,
    amountPaise: 85n,
  });
  await cycle.query(
    `INSERT INTO consultant_holds (consultant_id, kind, reason, placed_by)
     SELECT id, 'manual', 'r', 'p' FROM consultants WHERE external_ref = 'C-2'`,
  );

  const planned = await approve(cycle, { dryRun: true });
  const made = await approve(cycle, { dryRun: false });

  expect(made).toEqual(planned);
  expect(made).toMatchObject({ count: 1, amountPaise: 85_000n });
  expect(await cycle.breaches()).toEqual([]);
});

it("an import leaves the payee of an organization to the batch, old bookings and new, and plans so", async () => {
  const cycle = await imported();
  await cycle.query(
    `INSERT INTO organizations (external_ref, name, payee_id)
     SELECT 'O-1', 'Example College', id FROM consultants WHERE external_ref = 'C-1'`,
  );

  const planned = await approve(cycle, { dryRun: true, each: 3 });
  const made = await approve(cycle, { dryRun: false, each: 3 });

  expect(made).toEqual(planned);
  expect(made).toMatchObject({ count: 1 });
  expect((await cycle.batch()).report).toMatchObject({ created: 1, organizations: 1, earnings: 3 });
  expect(await cycle.breaches()).toEqual([]);
});

it("an import leaves what has a hold date to the batch", async () => {
  const cycle = await imported();
  await cycle.query("UPDATE earnings SET hold_until = india_today() + 1");

  expect(await approve(cycle, { dryRun: false })).toMatchObject({ count: 0 });
});

/** The provider has refused the account of C-1. */
async function refusedAccount(): Promise<PayoutCycle> {
  const cycle = await imported();
  await cycle.query(
    `INSERT INTO payout_account_holds (payout_account_id, payout_id, reason, placed_by)
     SELECT account.id, payout.id, 'bank_account_closed', 'p'
     FROM payouts AS payout
     JOIN consultants AS consultant ON consultant.id = payout.consultant_id
     JOIN payout_accounts AS account ON account.consultant_id = consultant.id
     WHERE consultant.external_ref = 'C-1'`,
  );
  return cycle;
}

it("an import makes no payout to a refused account, says so, and plans so", async () => {
  const cycle = await refusedAccount();
  const rows = rowsOf("C-1", 3);
  for (const dryRun of [true, false]) {
    const report = await importRows(cycle, rows, { approve: true, updateAccounts: true, dryRun });
    expect(report).toMatchObject({
      payouts: { count: 0 },
      onHold: [{ ref: "C-1", holds: ["refused_account"] }],
    });
    expect(describeReport(report).join("\n")).toMatch(
      /On hold +C-1 \(refused_account\): the earnings stay READY, .*--update-accounts/,
    );
  }
  expect(
    await cycle.query(
      "SELECT DISTINCT status::text FROM earnings WHERE consultant_id IN (SELECT id FROM consultants WHERE external_ref = 'C-1')",
    ),
  ).toEqual([{ status: "READY" }]);
});

it("an import that brings another account pays the payee of a refused one, and plans so", async () => {
  const cycle = await refusedAccount();
  const rows = rowsOf("C-1", 3, { account_number: "912345678909" });
  const options = { approve: true, updateAccounts: true };
  const planned = await importRows(cycle, rows, { ...options, dryRun: true });
  const made = await importRows(cycle, rows, options);
  expect(made.payouts).toEqual(planned.payouts);
  expect(made).toMatchObject({ payouts: { count: 1, amountPaise: 255_000n }, onHold: [] });
});

it("a payout takes in an earlier sale that was wholly paid directly, for its tax, and the plan says so", async () => {
  const cycle = await createPayoutCycle();
  const direct = row({
    booking_reference: "BK-D",
    platform_fee: "100.00",
    paid_directly: "900.00",
  });
  expect((await importRows(cycle, [direct], { approve: true })).payouts).toMatchObject({
    count: 0,
  });
  const later = [row({ booking_reference: "BK-2" })];
  const planned = await importRows(cycle, later, { approve: true, dryRun: true });
  const made = await importRows(cycle, later, { approve: true });
  expect(made.payouts).toEqual(planned.payouts);
  expect(made.payouts).toEqual({ count: 1, grossPaise: 200_000n, amountPaise: 85_000n });
  expect(await cycle.query("SELECT DISTINCT status::text FROM earnings")).toEqual([
    { status: "LINKED" },
  ]);
  expect(await cycle.breaches()).toEqual([]);
});
