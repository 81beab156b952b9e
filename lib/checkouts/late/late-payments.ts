import type { DbSession } from "../../db/client.ts";

/** A hold that has ended, whose order may still be paid. */
export interface EndedHold {
  paymentId: string;
  bookingId: string;
  planId: string;
  orderId: string;
}

/** Ended holds that are due to be asked about, newest first. Rides on `payments_expired_orders`. */
export async function findToAsk(
  db: DbSession,
  {
    lookBackMs,
    askAgainMs,
    limit,
  }: { lookBackMs: number; askAgainMs: number; limit: number | undefined },
): Promise<EndedHold[]> {
  return db.query<EndedHold[]>`
    SELECT payment.id AS "paymentId", payment.booking_id AS "bookingId", booking.plan_id AS "planId",
           payment.provider_order_id AS "orderId"
    FROM payments AS payment JOIN bookings AS booking ON booking.id = payment.booking_id
    WHERE payment.status = 'EXPIRED' AND payment.provider_order_id IS NOT NULL
      AND payment.expired_at > now() - ${lookBackMs}::bigint * interval '1 millisecond'
      AND (payment.asked_at IS NULL
           OR payment.asked_at < now() - ${askAgainMs}::bigint * interval '1 millisecond')
    ORDER BY payment.expired_at DESC, payment.id
    LIMIT ${limit ?? null}::bigint`;
}

/** Notes that the provider was asked, and had nothing. */
export async function markAsked(db: DbSession, paymentId: string): Promise<void> {
  await db.execute`
    UPDATE payments SET asked_at = now() WHERE id = ${paymentId}::uuid AND status = 'EXPIRED'`;
}

/** Captured money for which nothing is booked. */
export interface Orphan {
  paymentId: string;
  bookingId: string;
  planId: string;
}

/** Orphans, those captured first before the others. Rides on `payments_orphaned`. */
export async function findOrphans(
  db: DbSession,
  { limit }: { limit: number | undefined },
): Promise<Orphan[]> {
  return db.query<Orphan[]>`
    SELECT payment.id AS "paymentId", payment.booking_id AS "bookingId", booking.plan_id AS "planId"
    FROM payments AS payment JOIN bookings AS booking ON booking.id = payment.booking_id
    WHERE payment.status = 'ORPHANED'
    ORDER BY payment.captured_at, payment.id
    LIMIT ${limit ?? null}::bigint`;
}

/** Refunds of late captures of which something was not sent, or may not have been. */
export async function findRefundsToSend(db: DbSession): Promise<string[]> {
  const rows = await db.query<{ id: string }[]>`
    SELECT id FROM refunds
    WHERE status = 'PENDING' AND key LIKE 'late-capture:%' AND EXISTS (
      SELECT 1 FROM refund_legs
      WHERE refund_id = refunds.id AND state IN ('DUE', 'PREPARED', 'UNKNOWN'))
    ORDER BY created_at, id`;
  return rows.map(({ id }) => id);
}
