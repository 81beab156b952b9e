import { inTransaction, type Db } from "../../db/client.ts";
import { enqueueOperatorMail, type SlowPayoutShown } from "../../notifications/mail.ts";
import { minutes } from "../../support/clock.ts";

const DAY_MS = minutes(24 * 60);

/** IMPS and UPI may take three working days; after three days somebody asks. */
export const SLOW_MS = 3 * DAY_MS;

/** Payouts in one mail; the others are in the next of the day. */
const MOST_LISTED = 100;

/** A payout that has been in processing for long. */
export interface SlowPayout {
  payoutId: string;
  ageMs: number;
  /** The provider's statement about it. */
  said: string;
}

/**
 * Writes one mail to the operators about these payouts, without those that a mail of today (in India) has named
 * already. Returns how many it names. Of two runs at the same moment one writes it.
 */
export async function tellOperators(
  db: Db,
  { recipient, slow }: { recipient: string; slow: readonly SlowPayout[] },
): Promise<number> {
  if (slow.length === 0) return 0;
  return inTransaction(db, async (tx) => {
    const [today] = await tx.query<{ prefix: string; mails: number; told: string[] }[]>`
      WITH prefix AS (SELECT 'payouts-in-processing:' || india_today() || ':' AS text)
      SELECT prefix.text AS prefix, count(DISTINCT mail.id)::int AS mails,
             COALESCE(array_agg(named.payout ->> 'payoutId') FILTER (WHERE named.payout IS NOT NULL), '{}') AS told
      FROM prefix
      LEFT JOIN outbox_mails AS mail ON starts_with(mail.key, prefix.text)
      LEFT JOIN LATERAL jsonb_array_elements(mail.data -> 'payouts') AS named (payout) ON true
      GROUP BY prefix.text`;
    if (!today) throw new Error("an aggregate gave no row");
    const told = new Set(today.told);
    const untold = slow.filter(({ payoutId }) => !told.has(payoutId));
    const payouts = untold.slice(0, MOST_LISTED).map(shownOf);
    if (payouts.length === 0) return 0;
    const isWritten = await enqueueOperatorMail(tx, {
      key: `${today.prefix}${today.mails + 1}`,
      recipient,
      template: "payouts-in-processing",
      data: { payouts, more: untold.length - payouts.length },
    });
    return isWritten ? payouts.length : 0;
  });
}

function shownOf({ payoutId, ageMs, said }: SlowPayout): SlowPayoutShown {
  return { payoutId, days: Math.floor(ageMs / DAY_MS), said };
}
