import { sql, type DbSession, type SqlPart } from "../../db/client.ts";
import type { Day } from "../../support/calendar.ts";
import type { Paise } from "../../support/money.ts";

/** One consultant's unpaid earnings whose buyers' money has not settled yet. */
export interface Unsettled {
  consultantId: string;
  /** As the marketplace names the consultant. */
  consultantRef: string;
  currency: string;
  earnings: number;
  amountPaise: Paise;
  /** When the last of them may be paid out. */
  settledOn: Day;
}

/**
 * The day in India from which an earning may be paid out: so many days after the buyer's payment by card was captured.
 * NULL where no capture is known: such an earning is not held back. `reference` is the earning's booking.
 */
function settledOn(reference: SqlPart, settlementDays: number): SqlPart {
  return sql`(
    SELECT max((payment.captured_at AT TIME ZONE 'Asia/Kolkata')::date) + ${settlementDays}::int
    FROM bookings AS booking JOIN payments AS payment ON payment.booking_id = booking.id
    WHERE reference_key(booking.reference) = reference_key(${reference}) AND payment.status = 'PAID'
      AND payment.provider_payment_id IS NOT NULL)`;
}

/** Whether an earning waits for the buyer's money. With no days to wait nothing does, and nothing is looked up. */
export function isUnsettled(reference: SqlPart, settlementDays: number): SqlPart {
  if (settlementDays === 0) return sql`false`;
  return sql`COALESCE(${settledOn(reference, settlementDays)} > india_today(), false)`;
}

/** Earnings of these consultants that are due except for the settlement of the buyers' money. */
export async function unsettledOf(
  db: DbSession,
  consultantIds: readonly string[],
  settlementDays: number,
): Promise<Unsettled[]> {
  if (settlementDays === 0) return [];
  return db.query<Unsettled[]>`
    SELECT waiting."consultantId", consultant.external_ref AS "consultantRef", waiting.currency, count(*)::int AS earnings,
           sum(waiting.amount_paise)::bigint AS "amountPaise", max(waiting.settled_on)::text AS "settledOn"
    FROM (
      SELECT net.consultant_id AS "consultantId", net.currency::text AS currency, net.amount_paise,
             ${settledOn(sql`earning.booking_reference`, settlementDays)} AS settled_on
      FROM earnings_net AS net JOIN earnings AS earning ON earning.id = net.earning_id
      WHERE net.consultant_id = ANY(${consultantIds}::uuid[]) AND net.status = 'READY' AND net.due
        AND net.amount_paise > 0
    ) AS waiting
    JOIN consultants AS consultant ON consultant.id = waiting."consultantId"
    WHERE waiting.settled_on > india_today()
    GROUP BY 1, 2, 3
    ORDER BY 1, 3`;
}
