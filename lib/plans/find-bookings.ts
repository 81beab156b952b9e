import { sql, type DbSession, type SqlPart } from "../db/client.ts";
import type { Paise } from "../support/money.ts";

export interface BookingToEnd {
  id: string;
  reference: string;
}

/**
 * Of a row `booking`: it holds a seat, or has a checkout or a payment that the cancellation of its plan has to end.
 * A booking that its buyer had cancelled before, with the money kept, is none of it.
 */
const IS_OPEN: SqlPart = sql`
  (booking.status <> 'CANCELLED'
   OR EXISTS (SELECT 1 FROM payments AS open WHERE open.booking_id = booking.id AND open.status = 'PENDING')
   OR (booking.ended_because = 'plan-cancelled' AND EXISTS (
     SELECT 1 FROM payments AS paid WHERE paid.booking_id = booking.id AND paid.status = 'PAID')))`;

export async function countBookingsToEnd(db: DbSession, planId: string): Promise<number> {
  const [row] = await db.query<{ count: number }[]>`
    SELECT count(*)::int AS count FROM bookings AS booking
    WHERE booking.plan_id = ${planId}::uuid AND ${IS_OPEN}`;
  return row?.count ?? 0;
}

/** A page of them, by their ids. */
export async function bookingsToEndAfter(
  db: DbSession,
  { planId, after, count }: { planId: string; after: string | undefined; count: number },
): Promise<BookingToEnd[]> {
  return db.query<BookingToEnd[]>`
    SELECT booking.id, booking.reference FROM bookings AS booking
    WHERE booking.plan_id = ${planId}::uuid AND ${IS_OPEN}
      AND (${after ?? null}::uuid IS NULL OR booking.id > ${after ?? null}::uuid)
    ORDER BY booking.id
    LIMIT ${count}`;
}

/** Bookings that a cancellation leaves as they are. */
export interface LeftAlone {
  refundedBefore: number;
  lateCaptures: number;
  keptBefore: number;
  keptBeforePaise: Paise;
}

export async function countLeftAlone(db: DbSession, planId: string): Promise<LeftAlone> {
  const [row] = await db.query<LeftAlone[]>`
    SELECT (count(*) FILTER (WHERE payment.status IN ('REFUNDING', 'REFUNDED')))::int AS "refundedBefore",
           (count(*) FILTER (WHERE payment.status = 'ORPHANED'))::int AS "lateCaptures",
           (count(*) FILTER (WHERE kept.is_kept))::int AS "keptBefore",
           COALESCE(sum(kept.left_paise) FILTER (WHERE kept.is_kept), 0)::bigint AS "keptBeforePaise"
    FROM bookings AS booking
    JOIN payments AS payment ON payment.booking_id = booking.id
    CROSS JOIN LATERAL (
      SELECT payment.status = 'PAID' AND booking.status = 'CANCELLED'
               AND booking.ended_because IS DISTINCT FROM 'plan-cancelled' AS is_kept,
             (SELECT COALESCE(sum(leg.amount_paise - COALESCE((
                SELECT sum(back.amount_paise) FROM refund_legs AS back
                WHERE back.payment_leg_id = leg.id AND back.state <> 'FAILED'), 0)), 0)
              FROM payment_legs AS leg
              WHERE leg.payment_id = payment.id AND leg.released_at IS NULL) AS left_paise
    ) AS kept
    WHERE booking.plan_id = ${planId}::uuid`;
  return row ?? { refundedBefore: 0, lateCaptures: 0, keptBefore: 0, keptBeforePaise: 0n };
}
