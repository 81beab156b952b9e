import type { DbSession } from "../../db/client.ts";

/** An open checkout, or a hold that has ended: its order may have been paid without a report. */
export interface AskedHold {
  paymentId: string;
  bookingId: string;
  planId: string;
  orderId: string;
  isOpen: boolean;
}

/**
 * The most open checkouts that one run asks about. 10,000 that are open at all times ask for 1,150 in a quarter of an
 * hour, since each is asked about eleven times in its first day.
 */
const MOST_OPEN = 2_000;

/**
 * Open checkouts that are due to be asked about: first those that never were, then those that wait longest. The first
 * question comes after `openMs`. Each later one comes when half of the time from the checkout to the question before
 * it has passed again, and never sooner than `openMs`. Rides on `payments_open_orders`.
 */
export async function findOpenToAsk(
  db: DbSession,
  { openMs, limit }: { openMs: number; limit: number | undefined },
): Promise<AskedHold[]> {
  return db.query<AskedHold[]>`
    SELECT payment.id AS "paymentId", payment.booking_id AS "bookingId", booking.plan_id AS "planId",
           payment.provider_order_id AS "orderId", true AS "isOpen"
    FROM payments AS payment JOIN bookings AS booking ON booking.id = payment.booking_id
    WHERE payment.status = 'PENDING' AND payment.provider_order_id IS NOT NULL
      AND payment.created_at <= now() - ${openMs}::bigint * interval '1 millisecond'
      AND (payment.asked_at IS NULL
           OR payment.asked_at <= now() - GREATEST(${openMs}::bigint * interval '1 millisecond',
                                                   (payment.asked_at - payment.created_at) / 2))
    ORDER BY payment.asked_at NULLS FIRST, payment.created_at, payment.id
    LIMIT ${Math.min(limit ?? MOST_OPEN, MOST_OPEN)}::bigint`;
}

/** Ended holds that are due to be asked about, newest first. Rides on `payments_expired_orders`. */
export async function findToAsk(
  db: DbSession,
  {
    lookBackMs,
    askAgainMs,
    limit,
  }: { lookBackMs: number; askAgainMs: number; limit: number | undefined },
): Promise<AskedHold[]> {
  return db.query<AskedHold[]>`
    SELECT payment.id AS "paymentId", payment.booking_id AS "bookingId", booking.plan_id AS "planId",
           payment.provider_order_id AS "orderId", false AS "isOpen"
    FROM payments AS payment JOIN bookings AS booking ON booking.id = payment.booking_id
    WHERE payment.status = 'EXPIRED' AND payment.provider_order_id IS NOT NULL
      AND payment.expired_at > now() - ${lookBackMs}::bigint * interval '1 millisecond'
      AND (payment.asked_at IS NULL
           OR payment.asked_at < now() - ${askAgainMs}::bigint * interval '1 millisecond')
    ORDER BY payment.expired_at DESC, payment.id
    LIMIT ${limit ?? null}::bigint`;
}

/** Notes that the provider was asked, and that nothing came of the answer. */
export async function markAsked(db: DbSession, paymentId: string): Promise<void> {
  await db.execute`
    UPDATE payments SET asked_at = now() WHERE id = ${paymentId}::uuid AND status IN ('PENDING', 'EXPIRED')`;
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

/** A late capture whose refund failed, and of which a part has gone back outside since. */
export interface FailedLate {
  paymentId: string;
  bookingId: string;
  /** How many refunds of it were asked for. */
  asked: number;
}

/**
 * Late captures whose refund failed for certain, and may have failed because somebody had refunded a part of them
 * outside: that part is booked since. Rides on `refunds_failed_late`.
 */
export async function findFailedLate(db: DbSession): Promise<FailedLate[]> {
  return db.query<FailedLate[]>`
    SELECT payment.id AS "paymentId", payment.booking_id AS "bookingId",
           (SELECT count(*)::int FROM refunds
            WHERE payment_id = payment.id AND key LIKE 'late-capture:%') AS asked
    FROM refunds AS failed JOIN payments AS payment ON payment.id = failed.payment_id
    WHERE failed.status = 'FAILED' AND failed.key LIKE 'late-capture:%'
      AND EXISTS (SELECT 1 FROM refunds AS outside
                  WHERE outside.payment_id = payment.id AND outside.requested_by = 'provider'
                    AND outside.status = 'PROCESSED' AND outside.settled_at > failed.settled_at)
      AND NOT EXISTS (SELECT 1 FROM refunds AS later
                      WHERE later.payment_id = payment.id AND later.requested_by <> 'provider'
                        AND later.created_at > failed.created_at)
    ORDER BY failed.settled_at, payment.id`;
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
