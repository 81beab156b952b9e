import { sql, type DbSession } from "../../db/client.ts";
import type { Take } from "../../earnings/recoveries.ts";
import { toJson } from "../../support/log.ts";
import type { Paise } from "../../support/money.ts";
import { readAccountStops, type AccountStop } from "../state/account-holds.ts";
import { OPEN_HOLDS } from "../state/on-hold.ts";
import { isUnsettled } from "./unsettled.ts";

/** One consultant's due earnings in one currency: every earning that a payout could hold now. */
export interface DueGroup {
  consultantId: string;
  /** As the marketplace names the consultant. */
  consultantRef: string;
  /** Whether the active payout account is a VPA, which takes less than a bank account. */
  isPaidToVpa: boolean;
  /** The organization whose payee this is; null for everybody else. */
  organizationId: string | null;
  currency: string;
  earningIds: readonly string[];
  /** Since the oldest of them that brings money was credited, by days in India. */
  oldestDays: number;
  /** Net of refunds and of recovered amounts. */
  grossPaise: Paise;
  amountPaise: Paise;
  /** Kinds of the consultant's open holds. */
  holds: readonly string[];
  /** Why nothing may be sent to the consultant's account now. */
  stop: AccountStop | undefined;
  /** How many of the earnings are READY and yet in an unfinished payout, which nothing should bring about. */
  inAnotherPayout: number;
}

const BEFORE_ALL = "00000000-0000-0000-0000-000000000000";

/** One page of consultants with anything READY, in the order of their ids, after one of them. */
export async function consultantsAfter(
  db: DbSession,
  { after, count }: { after: string | undefined; count: number },
): Promise<string[]> {
  const rows = await db.query<{ id: string }[]>`
    SELECT DISTINCT consultant_id AS id FROM earnings
    WHERE status = 'READY' AND consultant_id > ${after ?? BEFORE_ALL}::uuid
    ORDER BY consultant_id
    LIMIT ${count}`;
  return rows.map(({ id }) => id);
}

/** How many consultants have anything READY, for showing progress. */
export async function countConsultants(db: DbSession): Promise<number> {
  const [row] = await db.query<{ count: number }[]>`
    SELECT count(DISTINCT consultant_id)::int AS count FROM earnings WHERE status = 'READY'`;
  return row?.count ?? 0;
}

/**
 * The due earnings of these consultants: READY, past the hold date, paid by settled money of buyers. Amounts are
 * net of refunds and of `planned`, which a dry run would have taken off. An earning with nothing left is in no
 * group.
 */
export async function dueGroups(
  db: DbSession,
  consultantIds: readonly string[],
  { settlementDays, planned = [] }: { settlementDays: number; planned?: readonly Take[] },
): Promise<DueGroup[]> {
  const rows = await db.query<DueGroupRow[]>`
    WITH planned AS (
      SELECT "earningId" AS earning_id, sum("grossPaise") AS gross_paise, sum("amountPaise") AS amount_paise
      FROM jsonb_to_recordset(${toJson(planned)}::jsonb)
        AS take ("earningId" uuid, "grossPaise" bigint, "amountPaise" bigint)
      GROUP BY 1
    ), net AS (
      SELECT net.earning_id, net.consultant_id, net.currency, net.status, net.due,
             net.gross_paise - COALESCE(planned.gross_paise, 0) AS gross_paise,
             net.amount_paise - COALESCE(planned.amount_paise, 0) AS amount_paise,
             -- What was paid directly is in a payout for its tax.
             net.payable AND (net.amount_paise = 0 OR net.amount_paise > COALESCE(planned.amount_paise, 0)) AS payable
      FROM earnings_net AS net LEFT JOIN planned USING (earning_id)
      WHERE net.consultant_id = ANY(${consultantIds}::uuid[])
    )
    SELECT net.consultant_id AS "consultantId",
           (SELECT external_ref FROM consultants WHERE id = net.consultant_id) AS "consultantRef",
           EXISTS (SELECT FROM payout_accounts AS account
                   WHERE account.consultant_id = net.consultant_id AND account.active
                     AND account.kind = 'vpa') AS "isPaidToVpa",
           organization.id AS "organizationId", net.currency::text AS currency,
           array_agg(net.earning_id::text) AS "earningIds",
           COALESCE(india_today() - min(earning.credited_on) FILTER (WHERE net.amount_paise > 0), 0)::int AS "oldestDays",
           sum(net.gross_paise)::text AS "grossPaise", sum(net.amount_paise)::text AS "amountPaise",
           count(item.earning_id)::int AS "inAnotherPayout",
           ARRAY(SELECT hold.kind FROM (${OPEN_HOLDS}) AS hold
                 WHERE hold.consultant_id = net.consultant_id ORDER BY hold.kind) AS holds
    FROM net
    LEFT JOIN organizations AS organization ON organization.payee_id = net.consultant_id
    LEFT JOIN payout_items AS item ON item.earning_id = net.earning_id AND item.released_at IS NULL
    JOIN earnings AS earning ON earning.id = net.earning_id
    WHERE net.status = 'READY' AND net.due AND net.payable
      AND NOT ${isUnsettled(sql`earning.booking_reference`, settlementDays)}
    GROUP BY net.consultant_id, organization.id, net.currency
    HAVING sum(net.amount_paise) > 0
    ORDER BY net.consultant_id, net.currency`;
  const stops = await readAccountStops(db, consultantIds);
  return rows.map((row) => ({
    ...row,
    stop: stops.get(row.consultantId),
    grossPaise: BigInt(row.grossPaise),
    amountPaise: BigInt(row.amountPaise),
  }));
}

/** Sums come as text: of several bigints they need not fit into one. */
type DueGroupRow = Omit<DueGroup, "grossPaise" | "amountPaise" | "stop"> & {
  grossPaise: string;
  amountPaise: string;
};
