import type { DbSession } from "../db/client.ts";
import { enqueueMail, type PlanShown } from "../notifications/mail.ts";

/** One seat, offered to one person. */
export interface SeatOffer {
  entryId: string;
  planId: string;
  userId: string;
  /** The seat is kept until then at least: its time runs from when the mail is sent. Never past the beginning. */
  expiresAt: Date;
}

/**
 * Offers every free seat of a webinar or class to the next people in line, one seat each: the higher priority
 * first, then the lower position. Belongs into the transaction that freed the seats, so that no crash loses them
 * and no second run offers them again. Counts the plan's free seats, not those just freed: overlooked seats are
 * offered as well, and never more than there are.
 *
 * Locks the plan's row until the transaction ends. Every change of a plan's seats locks that row first, so that
 * two changes never deadlock.
 */
export async function offerFreeSeats(
  tx: DbSession,
  { planId, offerMs }: { planId: string; offerMs: number },
): Promise<SeatOffer[]> {
  const offers: SeatOffer[] = [];
  const plan = await lockPlan(tx, planId);
  for (let free = plan?.free ?? 0; free > 0;) {
    const turn = await takeNext(tx, { planId, count: free, offerMs });
    if (turn.length === 0) break;
    for (const { entryId, userId, expiresAt } of turn) {
      if (expiresAt === null) continue; // skipped: the seat goes to the one behind
      offers.push({ entryId, planId, userId, expiresAt });
      free -= 1;
    }
  }
  if (plan) await tellThem(tx, { plan, offers });
  return offers;
}

/** Locks the plan, and says how many seats may be offered: none once it has begun or is cancelled. */
export async function lockFreeSeats(tx: DbSession, planId: string): Promise<number> {
  return (await lockPlan(tx, planId))?.free ?? 0;
}

interface OfferedPlan extends PlanShown {
  planId: string;
  free: number;
}

async function lockPlan(tx: DbSession, planId: string): Promise<OfferedPlan | undefined> {
  const [plan] = await tx.query<OfferedPlan[]>`
    SELECT id AS "planId", title AS "planTitle", url AS "planUrl",
           CASE WHEN (starts_at IS NULL OR starts_at > now()) AND cancelled_at IS NULL
                THEN COALESCE(capacity - booked_seats - offered_seats, 0) ELSE 0 END AS free
    FROM plans WHERE id = ${planId}::uuid FOR UPDATE`;
  return plan;
}

/**
 * Takes the next ones off the queue: to NOTIFIED, or to SKIPPED where nothing can be offered because the
 * person is not active or holds a booking already. An offer never outlasts the beginning of the plan. Until its mail
 * is sent, that is its only end: the trigger `outbox_mails_begin_offer` then writes the other one.
 */
async function takeNext(
  tx: DbSession,
  { planId, count, offerMs }: { planId: string; count: number; offerMs: number },
): Promise<{ entryId: string; userId: string; expiresAt: Date | null }[]> {
  return tx.query`
    WITH turn AS (
      SELECT entry.id, person.active AND NOT EXISTS (
               SELECT 1 FROM bookings AS booking
               WHERE booking.plan_id = entry.plan_id AND booking.user_id = entry.user_id
                 AND booking.status <> 'CANCELLED'
             ) AS eligible,
             LEAST(now() + ${offerMs}::bigint * interval '1 millisecond',
                   plan.starts_at) AS kept_until,
             plan.starts_at
      FROM waitlist_entries AS entry
      JOIN users AS person ON person.id = entry.user_id
      JOIN plans AS plan ON plan.id = entry.plan_id
      WHERE entry.plan_id = ${planId}::uuid AND entry.status = 'WAITING'
      ORDER BY entry.priority DESC, entry.position
      LIMIT ${count}
      FOR UPDATE OF entry
    )
    UPDATE waitlist_entries AS entry
    SET status = CASE WHEN turn.eligible THEN 'NOTIFIED' ELSE 'SKIPPED' END::waitlist_status,
        notified_at = CASE WHEN turn.eligible THEN now() END,
        offer_ms = CASE WHEN turn.eligible THEN ${offerMs}::bigint END,
        expires_at = CASE WHEN turn.eligible THEN turn.starts_at END,
        ended_at = CASE WHEN turn.eligible THEN NULL ELSE now() END
    FROM turn
    WHERE entry.id = turn.id AND entry.status = 'WAITING'
    RETURNING entry.id AS "entryId", entry.user_id AS "userId",
              CASE WHEN turn.eligible THEN turn.kept_until END AS "expiresAt"`;
}

async function tellThem(
  tx: DbSession,
  { plan: { planTitle, planUrl }, offers }: { plan: OfferedPlan; offers: readonly SeatOffer[] },
): Promise<void> {
  for (const { entryId, userId, expiresAt } of offers) {
    await enqueueMail(tx, {
      key: `waitlist-offer:${entryId}`,
      userId,
      template: "waitlist-offer",
      data: { planTitle, planUrl, expiresAt: expiresAt.toISOString() },
    });
  }
}
