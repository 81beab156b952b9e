import type { DbSession } from "../db/client.ts";
import { enqueueMail } from "../notifications/mail.ts";
import { lapseOfferMails } from "./lapse-mails.ts";
import { lockFreeSeats, offerFreeSeats, type SeatOffer } from "./offer-free-seats.ts";
import { PAST_ITS_END, UNREACHABLE } from "./over.ts";

/** How far the waitlist of a plan went on. */
interface Advance {
  /** Entries whose offer has ended, and whose people knew of it. */
  expired: readonly string[];
  /** Entries that were passed over because no mail of their offer went out. */
  unreached: readonly string[];
  offers: readonly SeatOffer[];
}

/**
 * Ends the offers of a plan whose time has passed, or of which no mail will ever arrive, and offers every seat that
 * is then free to the next ones. Who was told of an offer is told of its end. All of it in the transaction given, so
 * that there is no moment at which an offer has ended and its seat is not offered on.
 *
 * Locks the plan's row until the transaction ends.
 */
export async function advanceWaitlist(
  tx: DbSession,
  { planId, offerMs }: { planId: string; offerMs: number },
): Promise<Advance> {
  await lockFreeSeats(tx, planId);
  const ended = await endOffers(tx, planId);
  for (const { entryId, userId, told, planTitle, planUrl } of ended) {
    if (!told) {
      await lapseOfferMails(tx, entryId);
      continue;
    }
    await enqueueMail(tx, {
      key: `waitlist-expired:${entryId}`,
      userId,
      template: "waitlist-expired",
      data: { planTitle, planUrl },
    });
  }
  const offers = await offerFreeSeats(tx, { planId, offerMs });
  const idsOf = (told: boolean): string[] =>
    ended.filter((each) => each.told === told).map(({ entryId }) => entryId);
  return { expired: idsOf(true), unreached: idsOf(false), offers };
}

/**
 * EXPIRED, or SKIPPED where no mail went out. Compare-and-swap on status and time: PostgreSQL looks at both again
 * once it holds the row, so that an offer which was booked a moment before stays booked.
 */
async function endOffers(
  tx: DbSession,
  planId: string,
): Promise<
  { entryId: string; userId: string; told: boolean; planTitle: string; planUrl: string }[]
> {
  return tx.query`
    UPDATE waitlist_entries AS entry
    SET status = CASE WHEN entry.told_at IS NULL THEN 'SKIPPED' ELSE 'EXPIRED' END::waitlist_status,
        ended_at = now()
    FROM plans AS plan
    WHERE plan.id = entry.plan_id AND entry.plan_id = ${planId}::uuid
      AND (${PAST_ITS_END} OR ${UNREACHABLE})
    RETURNING entry.id AS "entryId", entry.user_id AS "userId",
              entry.told_at IS NOT NULL AS told, plan.title AS "planTitle", plan.url AS "planUrl"`;
}
