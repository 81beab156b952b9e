import { sql, type DbSession, type SqlPart } from "../db/client.ts";

/** How long an unpaid booking is held. */
export interface HoldRule {
  /** After its last change, unless its plan says another length. */
  untouchedMs: number;
  /** It ends so long before its first meeting, so that the waitlist can still be offered the seat. */
  endsBeforeMs: number;
}

/** Nobody's hold ends sooner after its last change, or after a checkout has begun, however near the meeting is. */
export const LEAST_HOLD: SqlPart = sql`interval '15 minutes'`;

/**
 * The hold of a booking: `changed_at` and `ends_at`. Its slots count, or, where they are gone, its open checkout. The
 * first meeting is the first one that was ahead at the last change: who joins a class that is under way holds a
 * seat until the next session.
 */
export function holdOf(bookingId: SqlPart, { untouchedMs, endsBeforeMs }: HoldRule): SqlPart {
  return sql`
    SELECT changed.at AS changed_at,
           LEAST(
             changed.at + COALESCE(plan.hold_minutes * interval '1 minute', ${untouchedMs}::bigint * interval '1 millisecond'),
             CASE WHEN first.starts_at IS NOT NULL THEN GREATEST(
               first.starts_at - ${endsBeforeMs}::bigint * interval '1 millisecond',
               GREATEST(changed.at, open.created_at) + ${LEAST_HOLD}) END
           ) AS ends_at
    FROM bookings AS booking
    JOIN plans AS plan ON plan.id = booking.plan_id
    CROSS JOIN LATERAL (
      SELECT max(created_at) AS created_at, max(updated_at) AS updated_at
      FROM payments WHERE booking_id = booking.id AND status = 'PENDING'
    ) AS open
    CROSS JOIN LATERAL (
      SELECT COALESCE((SELECT max(updated_at) FROM slots WHERE booking_id = booking.id), open.updated_at) AS at
    ) AS changed
    CROSS JOIN LATERAL (
      SELECT min(starts_at) AS starts_at FROM slots
      WHERE booking_id = booking.id AND tentative AND starts_at > changed.at
    ) AS first
    WHERE booking.id = ${bookingId}`;
}

/** Whether the hold of a booking has ended, on the database's clock. */
export async function hasHoldEnded(
  tx: DbSession,
  { bookingId, rule }: { bookingId: string; rule: HoldRule },
): Promise<boolean> {
  const [row] = await tx.query<{ ended: boolean }[]>`
    SELECT COALESCE(hold.ends_at <= now(), false) AS ended
    FROM (${holdOf(sql`${bookingId}::uuid`, rule)}) AS hold`;
  return row?.ended ?? false;
}
