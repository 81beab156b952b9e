import type { ClientBase } from "pg";
import { AfterhoursError } from "../support/errors.ts";
import { newUuid } from "../support/random.ts";
import type { Paise } from "../support/money.ts";
import { batches } from "./batches.ts";
import { EARNING_IS_FREE } from "./free.ts";

export interface PayoutTotals {
  count: number;
  grossPaise: Paise;
  amountPaise: Paise;
}

export const noPayouts: PayoutTotals = { count: 0, grossPaise: 0n, amountPaise: 0n };

/**
 * Makes one approved payout for each consultant out of those of these bookings that are free: see
 * `EARNING_IS_FREE`. Earlier sales of theirs that were paid directly are in it for their tax, as in a batch. Called again with the same bookings it makes none.
 */
export async function approvePayouts(
  client: ClientBase,
  bookingReferences: readonly string[],
): Promise<PayoutTotals & { payouts: readonly NewPayout[] }> {
  const direct = await paidDirectly(client, bookingReferences);
  const references = [...new Set([...bookingReferences, ...direct])];
  const earnings = payable(await lockFreeEarnings(client, references));
  const payouts = groupPayouts(earnings);
  for (const batch of batches([...payouts.values()])) await insertPayouts(client, batch);
  for (const batch of batches(earnings)) {
    await linkEarnings(client, batch);
    await insertItems(client, batch, payouts);
  }
  for (const batch of batches([...payouts.values()])) await bindApprovals(client, batch);
  return { ...totalPayouts(payouts.values()), payouts: [...payouts.values()] };
}

/** The totals of one payout for each consultant. */
export function totalPayouts(payouts: Iterable<Sums>): PayoutTotals {
  const totals = { ...noPayouts };
  for (const { grossPaise, amountPaise } of payouts) {
    totals.count++;
    totals.grossPaise += grossPaise;
    totals.amountPaise += amountPaise;
  }
  return totals;
}

interface Sums {
  grossPaise: Paise;
  amountPaise: Paise;
}

interface FreeEarning extends Sums {
  id: string;
  consultantId: string;
}

export interface NewPayout extends Sums {
  id: string;
  consultantId: string;
  /** How many. */
  earnings: number;
}

/** The free bookings of the same consultants that were wholly paid directly. They bring no money, and owe tax. */
async function paidDirectly(
  client: ClientBase,
  bookingReferences: readonly string[],
): Promise<string[]> {
  const found: string[] = [];
  for (const batch of batches(bookingReferences)) {
    const { rows } = await client.query<{ reference: string }>(
      `SELECT e.booking_reference AS reference
       FROM earnings e
       WHERE e.consultant_id IN (
           SELECT consultant_id FROM earnings WHERE booking_reference = ANY ($1::text[]))
         AND e.amount_paise = 0 AND e.currency = 'INR'
         AND ${EARNING_IS_FREE}`,
      [batch],
    );
    found.push(...rows.map(({ reference }) => reference));
  }
  return found;
}

/** The lock makes a payout run or another approval wait, so that no earning gets into two payouts. */
async function lockFreeEarnings(
  client: ClientBase,
  bookingReferences: readonly string[],
): Promise<FreeEarning[]> {
  const found: FreeEarning[] = [];
  for (const batch of batches(bookingReferences.toSorted())) {
    const { rows } = await client.query<{
      id: string;
      consultant_id: string;
      gross_paise: string;
      amount_paise: string;
    }>(
      `SELECT e.id, e.consultant_id, e.gross_paise, e.amount_paise
       FROM earnings e
       WHERE e.booking_reference = ANY ($1::text[])
         AND ${EARNING_IS_FREE}
       ORDER BY e.booking_reference
       FOR UPDATE OF e`,
      [batch],
    );
    for (const row of rows) {
      found.push({
        id: row.id,
        consultantId: row.consultant_id,
        grossPaise: BigInt(row.gross_paise),
        amountPaise: BigInt(row.amount_paise),
      });
    }
  }
  return found;
}

/** Sales that were paid directly make no payout alone: their tax is taken from one that pays something. */
function payable(earnings: readonly FreeEarning[]): FreeEarning[] {
  const paid = new Set(
    earnings.filter(({ amountPaise }) => amountPaise > 0n).map(({ consultantId }) => consultantId),
  );
  return earnings.filter(({ consultantId }) => paid.has(consultantId));
}

function groupPayouts(earnings: readonly FreeEarning[]): Map<string, NewPayout> {
  const payouts = new Map<string, NewPayout>();
  for (const { consultantId, grossPaise, amountPaise } of earnings) {
    const payout = payouts.get(consultantId) ?? {
      id: newUuid(),
      consultantId,
      grossPaise: 0n,
      amountPaise: 0n,
      earnings: 0,
    };
    payout.earnings++;
    payout.grossPaise += grossPaise;
    payout.amountPaise += amountPaise;
    payouts.set(consultantId, payout);
  }
  return payouts;
}

async function insertPayouts(client: ClientBase, payouts: readonly NewPayout[]): Promise<void> {
  await client.query(
    `INSERT INTO payouts (id, consultant_id, gross_paise, amount_paise, status, approved_at)
     SELECT t.*, 'APPROVED', now()
     FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[]) AS t`,
    [
      payouts.map(({ id }) => id),
      payouts.map(({ consultantId }) => consultantId),
      payouts.map(({ grossPaise }) => grossPaise.toString()),
      payouts.map(({ amountPaise }) => amountPaise.toString()),
    ],
  );
}

/** A person has approved the file: the database writes down account, amount and sales, as of any approval. */
async function bindApprovals(client: ClientBase, payouts: readonly NewPayout[]): Promise<void> {
  await client.query("UPDATE payouts SET approved_at = now() WHERE id = ANY ($1::uuid[])", [
    payouts.map(({ id }) => id),
  ]);
}

async function insertItems(
  client: ClientBase,
  earnings: readonly FreeEarning[],
  payouts: ReadonlyMap<string, NewPayout>,
): Promise<void> {
  await client.query(
    `INSERT INTO payout_items (payout_id, earning_id, gross_paise, amount_paise)
     SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[])`,
    [
      earnings.map(({ consultantId }) => payouts.get(consultantId)?.id),
      earnings.map(({ id }) => id),
      earnings.map(({ grossPaise }) => grossPaise.toString()),
      earnings.map(({ amountPaise }) => amountPaise.toString()),
    ],
  );
}

async function linkEarnings(client: ClientBase, earnings: readonly FreeEarning[]): Promise<void> {
  const { rowCount } = await client.query(
    `UPDATE earnings e SET status = 'LINKED', updated_at = now()
     WHERE e.id = ANY ($1::uuid[]) AND ${EARNING_IS_FREE}`,
    [earnings.map(({ id }) => id)],
  );
  if (rowCount === earnings.length) return;
  throw new AfterhoursError(
    "IMPORT_CONFLICT",
    "earnings of this file were put into a payout, refunded or held back while it was being imported; nothing was imported",
    { remedy: "Run the import again." },
  );
}
