import { sql, type DbSession, type SqlPart } from "../db/client.ts";
import type { Paise } from "../support/money.ts";

/** The amount captured for a booking that is neither refunded nor on its way back. */
export async function paidThatStays(db: DbSession, bookingId: string): Promise<Paise> {
  return leftWhere(
    db,
    sql`payment.booking_id = ${bookingId}::uuid AND payment.captured_at IS NOT NULL`,
  );
}

/** The same of one payment. */
export async function leftOfPayment(db: DbSession, paymentId: string): Promise<Paise> {
  return leftWhere(db, sql`payment.id = ${paymentId}::uuid`);
}

async function leftWhere(db: DbSession, which: SqlPart): Promise<Paise> {
  const [row] = await db.query<{ left: Paise }[]>`
    SELECT COALESCE(sum(leg.amount_paise - COALESCE((
             SELECT sum(back.amount_paise) FROM refund_legs AS back
             WHERE back.payment_leg_id = leg.id AND back.state <> 'FAILED'), 0)), 0)::bigint AS left
    FROM payments AS payment JOIN payment_legs AS leg ON leg.payment_id = payment.id
    WHERE ${which} AND leg.released_at IS NULL`;
  return row?.left ?? 0n;
}
