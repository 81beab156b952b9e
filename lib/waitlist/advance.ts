import type { DbSession } from "../db/client.ts";
import { enqueueMail } from "../notifications/mail.ts";
import { lockFreeSeats, offerFreeSeats, type SeatOffer } from "./offer-free-seats.ts";

/** How far the waitlist of a plan went on. */
interface Advance {
  /** Entries whose offer has ended. */
  expired: readonly string[];
  offers: readonly SeatOffer[];
}

/**
 * Ends the offers of a plan whose time has passed, tells their people, and offers every seat that is then
 * free to the next ones. All of it in the transaction given, so that there is no moment at which an offer
 * has ended and its seat is not offered on.
 *
 * Locks the plan's row until the transaction ends.
 */
export async function advanceWaitlist(
  tx: DbSession,
  { planId, offerMs }: { planId: string; offerMs: number },
): Promise<Advance> {
  await lockFreeSeats(tx, planId);
  const ended = await endOffers(tx, planId);
  for (const { entryId, userId, planTitle, planUrl } of ended) {
    await enqueueMail(tx, {
      key: `waitlist-expired:${entryId}`,
      userId,
      template: "waitlist-expired",
      data: { planTitle, planUrl },
    });
  }
  const offers = await offerFreeSeats(tx, { planId, offerMs });
  return { expired: ended.map(({ entryId }) => entryId), offers };
}

/**
 * Compare-and-swap on status and time: PostgreSQL looks at both again once it holds the row, so that an
 * offer which was booked a moment before stays booked.
 */
async function endOffers(
  tx: DbSession,
  planId: string,
): Promise<{ entryId: string; userId: string; planTitle: string; planUrl: string }[]> {
  return tx.query`
    UPDATE waitlist_entries AS entry SET status = 'EXPIRED', ended_at = now()
    FROM plans AS plan
    WHERE plan.id = entry.plan_id AND entry.plan_id = ${planId}::uuid
      AND entry.status = 'NOTIFIED' AND entry.expires_at <= now()
    RETURNING entry.id AS "entryId", entry.user_id AS "userId",
              plan.title AS "planTitle", plan.url AS "planUrl"`;
}
