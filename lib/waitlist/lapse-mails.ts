import type { DbSession } from "../db/client.ts";

/**
 * Takes back what is still to be said about an offer: its person has booked it or left. A mail that a run
 * is sending at this moment can not be taken back. Belongs into the transaction that ends the offer.
 */
export async function lapseOfferMails(tx: DbSession, entryId: string): Promise<void> {
  await tx.execute`
    UPDATE outbox_mails
    SET status = 'LAPSED', settled_at = now(), claimed_by = NULL, claimed_until = NULL
    WHERE key IN ('waitlist-offer:' || ${entryId}::text, 'waitlist-reminder:' || ${entryId}::text)
      AND status = 'QUEUED' AND (claimed_until IS NULL OR claimed_until < now())`;
}
