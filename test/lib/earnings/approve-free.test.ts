import pg from "pg";
import { expect, it, onTestFinished } from "vitest";
import { connectionConfig } from "../../../lib/db/connection.ts";
import { importEarnings, refundEarning } from "../../../lib/earnings/index.ts";
import { rejectPayout } from "../../../lib/payouts/operate/index.ts";
import { createPayoutCycle, type PayoutCycle } from "../../support/payout-cycle.ts";
import { csv, read, rowsOf } from "./builders.ts";

/** Imports earnings of each of two consultants, two unless told, and approves what is free. */
async function approve(
  cycle: PayoutCycle,
  { dryRun, each = 2 }: { dryRun: boolean; each?: number },
): Promise<unknown> {
  const session = new pg.Client(
    connectionConfig({ url: cycle.url, applicationName: "test approve", readOnly: dryRun }),
  );
  await session.connect();
  onTestFinished(() => session.end());
  const rows = [
    ...rowsOf("C-1", each),
    ...rowsOf("C-2", each, { account_number: "912345678902", pan: "ZZZPE1234B" }),
  ];
  const file = await read(csv(rows));
  return (await importEarnings(session, file, { approve: true, dryRun })).payouts;
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
