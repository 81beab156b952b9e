import { sql, type SqlPart } from "../db/client.ts";

/**
 * Offers of `entry` that no mail will ever reach: its reader is no longer active, or the server refused the address
 * for good. A server that refuses every address is at fault itself, so a refusal counts only where it took other
 * mail: since an hour before this one was written. Mail that was given up for another reason waits for a person.
 */
export const UNREACHABLE: SqlPart = sql`
  entry.status = 'NOTIFIED' AND entry.told_at IS NULL AND EXISTS (
    SELECT 1 FROM outbox_mails AS mail
    WHERE mail.key = 'waitlist-offer:' || entry.id AND (
      mail.status = 'LAPSED'
      OR mail.status = 'GAVE_UP' AND mail.last_error LIKE 'mail-recipient-refused%'
         AND (SELECT max(settled_at) FROM outbox_mails WHERE status = 'SENT') > mail.created_at - interval '1 hour'))`;

/** Offers of `entry` whose time has passed. While its mail is not sent, that is the beginning of the plan. */
export const PAST_ITS_END: SqlPart = sql`entry.status = 'NOTIFIED' AND entry.expires_at <= now()`;

/** Whether the person of an offer can still book it. Without a mail and a beginning of the plan it has no end yet. */
export const STANDS: SqlPart = sql`status = 'NOTIFIED' AND COALESCE(expires_at > now(), true)`;
