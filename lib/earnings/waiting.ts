import type { DbSession } from "../db/client.ts";
import type { Day } from "../support/calendar.ts";
import type { Paise } from "../support/money.ts";

/** Money of one consultant that is in no payout. */
export interface WaitingMoney {
  /** As the marketplace names the consultant. */
  consultant: string;
  currency: string;
  earnings: number;
  /** Net of refunds. */
  amountPaise: Paise;
  /** The day of the oldest earning. */
  since: Day;
  days: number;
  /** Kinds of the consultant's open holds. */
  holds: readonly string[];
  hasAccount: boolean;
  /** Owed for refunded sales in this currency; the next batch takes it off first. */
  owedPaise: Paise;
}

/** What a consultant owes for one refunded sale. */
export interface OpenDebt {
  consultant: string;
  bookingReference: string;
  currency: string;
  amountPaise: Paise;
  recoveredPaise: Paise;
  owedPaise: Paise;
  /** The day in India on which it arose. */
  since: Day;
  days: number;
}

interface ListFilter {
  /** Only what is older. */
  olderThanDays: number;
  limit: number;
}

/** Consultants with money in no payout, oldest first, once for each currency. */
export async function listWaiting(
  db: DbSession,
  { olderThanDays, limit }: ListFilter,
): Promise<{ waiting: WaitingMoney[]; more: boolean }> {
  const rows = await db.query<WaitingMoney[]>`
    SELECT consultant.external_ref AS consultant, waiting.currency, waiting.earnings,
           waiting.paise AS "amountPaise", waiting.since::text AS since,
           (india_today() - waiting.since)::int AS days,
           ARRAY(SELECT kind::text FROM consultant_holds
                 WHERE consultant_id = consultant.id AND released_at IS NULL ORDER BY 1) AS holds,
           EXISTS (SELECT FROM payout_accounts WHERE consultant_id = consultant.id AND active) AS "hasAccount",
           (SELECT COALESCE(sum(recovery.amount_paise - recovery.recovered_amount_paise), 0)::bigint
            FROM earning_recoveries AS recovery JOIN earnings AS sold ON sold.id = recovery.earning_id
            WHERE recovery.consultant_id = consultant.id AND sold.currency = waiting.currency
              AND recovery.recovered_amount_paise < recovery.amount_paise) AS "owedPaise"
    FROM (
      SELECT net.consultant_id, net.currency::text AS currency, count(*)::int AS earnings,
             sum(net.amount_paise)::bigint AS paise, min(earning.credited_on) AS since
      FROM earnings_net AS net JOIN earnings AS earning ON earning.id = net.earning_id
      WHERE net.status = 'READY' AND net.amount_paise > 0
      GROUP BY 1, 2
      HAVING min(earning.credited_on) < india_today() - ${olderThanDays}::int
    ) AS waiting
    JOIN consultants AS consultant ON consultant.id = waiting.consultant_id
    ORDER BY waiting.since, consultant.external_ref, waiting.currency
    LIMIT ${limit + 1}`;
  return { waiting: rows.slice(0, limit), more: rows.length > limit };
}

/** Debts of consultants for refunded sales that are not covered, oldest first. */
export async function listDebts(
  db: DbSession,
  { olderThanDays, limit }: ListFilter,
): Promise<{ debts: OpenDebt[]; more: boolean }> {
  const rows = await db.query<OpenDebt[]>`
    SELECT consultant.external_ref AS consultant, earning.booking_reference AS "bookingReference",
           earning.currency::text AS currency, recovery.amount_paise AS "amountPaise",
           recovery.recovered_amount_paise AS "recoveredPaise",
           recovery.amount_paise - recovery.recovered_amount_paise AS "owedPaise",
           (recovery.created_at AT TIME ZONE 'Asia/Kolkata')::date::text AS since,
           (india_today() - (recovery.created_at AT TIME ZONE 'Asia/Kolkata')::date)::int AS days
    FROM earning_recoveries AS recovery
    JOIN earnings AS earning ON earning.id = recovery.earning_id
    JOIN consultants AS consultant ON consultant.id = recovery.consultant_id
    WHERE recovery.recovered_amount_paise < recovery.amount_paise
      AND (recovery.created_at AT TIME ZONE 'Asia/Kolkata')::date < india_today() - ${olderThanDays}::int
    ORDER BY recovery.created_at, recovery.id
    LIMIT ${limit + 1}`;
  return { debts: rows.slice(0, limit), more: rows.length > limit };
}
