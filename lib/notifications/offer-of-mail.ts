import { sql, type SqlPart } from "../db/client.ts";

/**
 * The offer of which a mail tells, as it is now, by the mail's key: `offer` and `offered_plan`, null for all other
 * mail. An offer counts from when its mail is sent, and follows a plan that is moved, so that what was true when the
 * mail was written may be so no longer.
 */
export function withItsOffer(mail: SqlPart): SqlPart {
  return sql`
    LEFT JOIN waitlist_entries AS offer
      ON offer.id = CASE WHEN ${mail}.key ~ '^waitlist-(offer|reminder):[0-9a-f-]{36}$' THEN right(${mail}.key, 36)::uuid END
    LEFT JOIN plans AS offered_plan ON offered_plan.id = offer.plan_id`;
}

/** Whether the offer has ended, or, for mail of no offer, the mail's own time has passed. */
export const IS_TOO_LATE: SqlPart = sql`
  CASE WHEN offer.id IS NULL THEN COALESCE(mail.deliver_until <= now(), false)
       ELSE offer.status <> 'NOTIFIED' OR COALESCE(offer.expires_at <= now(), false) END`;

/** When the offer ends, if this mail is sent now; null for mail of no offer. */
export const OFFER_ENDS: SqlPart = sql`
  CASE WHEN offer.told_at IS NULL
       THEN LEAST(now() + offer.offer_ms * interval '1 millisecond', offered_plan.starts_at)
       ELSE offer.expires_at END`;
