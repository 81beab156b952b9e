import { sql } from "../../db/client.ts";
import type { Check } from "../check.ts";

/** Small, on hold, without an account, or before a hold date: the finding says which of them. */
export const earningsWaitLong: Check = {
  name: "earnings-wait-long",
  severity: "warning",
  sentence: "Consultants whose money waits for a payout for long",
  rows: ({ waitingDays }) => sql`
    SELECT 'consultant' AS subject_type, waiting.consultant_id::text || ' ' || waiting.currency AS subject_id,
           jsonb_build_object(
             'consultant', consultant.external_ref, 'currency', waiting.currency,
             'amountPaise', waiting.paise::text, 'since', waiting.since,
             'holds', ARRAY(SELECT kind::text FROM consultant_holds
                            WHERE consultant_id = consultant.id AND released_at IS NULL ORDER BY 1),
             'hasAccount', EXISTS (SELECT FROM payout_accounts WHERE consultant_id = consultant.id AND active)
           ) AS details
    FROM (
      SELECT net.consultant_id, net.currency, sum(net.amount_paise)::bigint AS paise, min(earning.credited_on) AS since
      FROM earnings_net AS net JOIN earnings AS earning ON earning.id = net.earning_id
      WHERE net.status = 'READY' AND net.amount_paise > 0
      GROUP BY 1, 2
      HAVING min(earning.credited_on) < india_today() - ${waitingDays}::int
    ) AS waiting
    JOIN consultants AS consultant ON consultant.id = waiting.consultant_id`,
};
