import type { DbSession } from "../db/client.ts";

/**
 * Removes unsent mail about an offer whose person has booked it or left. A mail that a run is sending at this
 * moment cannot be removed. Belongs into the transaction that ends the offer.
 */
export async function lapseOfferMails(tx: DbSession, entryId: string): Promise<void> {
  await tx.execute`
    UPDATE outbox_mails
    SET status = 'LAPSED', settled_at = now(), claimed_by = NULL, claimed_until = NULL
    WHERE key IN ('waitlist-offer:' || ${entryId}::text, 'waitlist-reminder:' || ${entryId}::text)
      AND status = 'QUEUED' AND (claimed_until IS NULL OR claimed_until < now())`;
}
