import pg from "pg";
import { expect, it, onTestFinished } from "vitest";
import { connectionConfig } from "../../../lib/db/connection.ts";
import { approvePayouts } from "../../../lib/earnings/approve.ts";
import { createPayoutCycle, type PayoutCycle } from "../../support/payout-cycle.ts";

/** A consultant with one earning, and a session of an import. */
async function given(): Promise<{
  cycle: PayoutCycle;
  client: pg.Client;
  consultant: string;
  earning: string;
}> {
  const cycle = await createPayoutCycle();
  const client = new pg.Client(
    connectionConfig({ url: cycle.url, applicationName: "test approve", readOnly: false }),
  );
  await client.connect();
  onTestFinished(() => client.end());
  const consultant = await cycle.consultant("C-1");
  const earning = await cycle.earning(consultant);
  return { cycle, client, consultant, earning };
}

async function approveAll(cycle: PayoutCycle, client: pg.Client): Promise<number> {
  const bookings = await cycle.query<{ ref: string }>(
    "SELECT booking_reference AS ref FROM earnings",
  );
  await client.query("BEGIN");
  const approved = approvePayouts(
    client,
    bookings.map(({ ref }) => ref),
  );
  const { count } = await approved.catch(async (error: unknown) => {
    await client.query("ROLLBACK");
    throw error;
  });
  await client.query("COMMIT");
  return count;
}

const ITEM = `INSERT INTO payout_items (payout_id, earning_id, gross_paise, amount_paise, released_at)
  SELECT payout.id, earning.id, earning.gross_paise, earning.amount_paise, `;
const PAYOUT = `WITH payout AS (
    INSERT INTO payouts (consultant_id, gross_paise, amount_paise, status)
    SELECT consultant_id, gross_paise, amount_paise, 'REJECTED' FROM earnings RETURNING id)`;
const FROM = " FROM payout, earnings AS earning";
const HOLD = `INSERT INTO consultant_holds (consultant_id, kind, reason, placed_by)
  SELECT id, 'manual', 'r', 'p' FROM consultants`;
const REFUSED = `${PAYOUT}, item AS (${ITEM} now() ${FROM})
  INSERT INTO payout_account_holds (payout_account_id, payout_id, reason, placed_by)
  SELECT account.id, payout.id, 'bank_account_closed', 'p' FROM payout, payout_accounts AS account`;
const DEBT = `INSERT INTO earning_recoveries
  (consultant_id, earning_id, key, gross_paise, amount_paise, recovered_gross_paise, recovered_amount_paise)
  SELECT consultant_id, id, 'refund-1', 100, 85, `;
const notFree: [string, string][] = [
  ["is paid", "UPDATE earnings SET status = 'PAID'"],
  ["waits for its date", "UPDATE earnings SET hold_until = india_today() + 1"],
  ["is held by a payout", `${PAYOUT} ${ITEM} NULL ${FROM}`],
  [
    "is refunded in part",
    `INSERT INTO earning_refunds (earning_id, key, gross_paise, amount_paise)
     SELECT id, 'rfnd_1', 100, 85 FROM earnings`,
  ],
  ["belongs to a consultant on hold", HOLD],
  ["belongs to a consultant whose account was refused", REFUSED],
  ["belongs to a consultant who owes something of a refunded sale", `${DEBT} 0, 0 FROM earnings`],
  [
    "belongs to an organization's payee",
    `INSERT INTO organizations (external_ref, name, payee_id)
     SELECT 'O-1', 'Example College', id FROM consultants`,
  ],
];

it.each(notFree)("an earning that %s is in no approved payout", async (_, change) => {
  const { cycle, client } = await given();
  await cycle.query(change);
  expect(await approveAll(cycle, client)).toBe(0);
});

it.each([
  ["has no date to wait for", "SELECT 1"],
  ["waited for a date that has come", "UPDATE earnings SET hold_until = india_today()"],
  ["was let go by a payout", `${PAYOUT} ${ITEM} now() ${FROM}`],
  [
    "belongs to a consultant whose hold was released",
    `${HOLD}; UPDATE consultant_holds SET released_at = now(), released_by = 'p'`,
  ],
  [
    "belongs to a consultant whose refused account was released",
    `${REFUSED}; UPDATE payout_account_holds SET released_at = now(), released_by = 'p'`,
  ],
  ["belongs to a consultant who owes nothing any more", `${DEBT} 100, 85 FROM earnings`],
])("an earning that %s is in one", async (_, change) => {
  const { cycle, client } = await given();
  await cycle.query(change);
  expect(await approveAll(cycle, client)).toBe(1);
});

it.each(notFree.filter(([what]) => what !== "is held by a payout"))(
  "an earning that %s only after it was read stops the import",
  async (_, change) => {
    const { cycle, client } = await given();
    let done = false;
    const racing = {
      query: async (text: string, values: unknown[]) => {
        if (!done && text.startsWith("UPDATE earnings e")) {
          done = true;
          await client.query(change);
        }
        return client.query(text, values);
      },
    } as unknown as pg.Client;
    await expect(approveAll(cycle, racing)).rejects.toMatchObject({ code: "IMPORT_CONFLICT" });
  },
);
