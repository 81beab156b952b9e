import type { DbSession } from "../db/client.ts";
import { enqueueMail } from "../notifications/mail.ts";
import { lapseOfferMails } from "./lapse-mails.ts";

/**
 * Ends every entry of a plan that does not take place, offered a seat or not, and tells its person once. Mails
 * of offers that are not sent yet are taken back. Belongs into the transaction that cancels the plan and holds
 * its row locked, so that nobody joins meanwhile.
 *
 * @returns how many entries ended
 */
export async function closeWaitlist(tx: DbSession, planId: string): Promise<number> {
  const ended = await tx.query<
    { entryId: string; userId: string; planTitle: string; planUrl: string }[]
  >`
    UPDATE waitlist_entries AS entry SET status = 'CANCELLED', ended_at = now()
    FROM plans AS plan
    WHERE plan.id = entry.plan_id AND entry.plan_id = ${planId}::uuid
      AND entry.status IN ('WAITING', 'NOTIFIED')
    RETURNING entry.id AS "entryId", entry.user_id AS "userId",
              plan.title AS "planTitle", plan.url AS "planUrl"`;
  for (const { entryId, userId, planTitle, planUrl } of ended) {
    await lapseOfferMails(tx, entryId);
    await enqueueMail(tx, {
      key: `waitlist-plan-cancelled:${entryId}`,
      userId,
      template: "waitlist-plan-cancelled",
      data: { planTitle, planUrl },
    });
  }
  return ended.length;
}

/** How many entries `closeWaitlist` would end. */
export async function countWaiting(db: DbSession, planId: string): Promise<number> {
  const [row] = await db.query<{ count: number }[]>`
    SELECT count(*)::int AS count FROM waitlist_entries
    WHERE plan_id = ${planId}::uuid AND status IN ('WAITING', 'NOTIFIED')`;
  return row?.count ?? 0;
}
