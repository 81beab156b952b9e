import { sql, type DbSession } from "../../db/client.ts";
import { holdOf, LEAST_HOLD, type HoldRule } from "../hold-end.ts";

/** A booking whose unpaid hold has ended. */
export interface Candidate {
  bookingId: string;
  /** The newest of its payments; null when there is none. */
  paymentId: string | null;
  /** Orders of its unpaid payments, the open one's first: each may have been paid without our knowing. */
  orders: readonly string[];
  /** Since the last change of any of its slots, on the database's clock. */
  ageMs: number;
}

/**
 * Bookings with tentative slots whose hold has ended, and open checkouts whose slots are gone.
 * Paid bookings are left out. So are those whose payment came late: `reconcile-late-captures` settles these.
 * Oldest first. Uses the indexes `slots_tentative_by_age` and `payments_pending_by_age`, which hold open rows. The
 * rows of each are looked up, in 12 µs of the processor for each of 10,000; one GROUP BY over all slots takes half of
 * it in a table of 30,000, and more with each slot ever booked.
 *
 * The result may be outdated a moment later: each candidate is checked again under its locks.
 */
export async function findCandidates(
  db: DbSession,
  { rule, limit }: { rule: HoldRule; limit: number | undefined },
): Promise<Candidate[]> {
  return db.query<Candidate[]>`
    WITH held AS (
      SELECT DISTINCT slot.booking_id
      FROM slots AS slot
      WHERE slot.tentative AND slot.updated_at <= now() - ${LEAST_HOLD}
      UNION
      SELECT payment.booking_id
      FROM payments AS payment
      WHERE payment.status = 'PENDING' AND payment.updated_at <= now() - ${LEAST_HOLD}
        AND NOT EXISTS (SELECT 1 FROM slots WHERE slots.booking_id = payment.booking_id)
    )
    SELECT held.booking_id AS "bookingId", latest.id AS "paymentId", orders.ids AS orders,
           (extract(epoch FROM now() - hold.changed_at) * 1000)::float8 AS "ageMs"
    FROM held
    CROSS JOIN LATERAL (${holdOf(sql`held.booking_id`, rule)}) AS hold
    CROSS JOIN LATERAL (
      SELECT COALESCE(array_agg(provider_order_id ORDER BY status, created_at DESC), '{}') AS ids
      FROM payments
      WHERE booking_id = held.booking_id AND status IN ('PENDING', 'EXPIRED')
        AND provider_order_id IS NOT NULL
    ) AS orders
    LEFT JOIN LATERAL (
      SELECT id FROM payments WHERE booking_id = held.booking_id
      ORDER BY created_at DESC, id LIMIT 1
    ) AS latest ON true
    WHERE hold.ends_at <= now()
      AND NOT EXISTS (
        SELECT 1 FROM payments WHERE booking_id = held.booking_id AND status IN ('PAID', 'ORPHANED'))
    ORDER BY hold.changed_at, held.booking_id
    LIMIT ${limit ?? null}::bigint`;
}
