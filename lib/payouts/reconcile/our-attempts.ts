import { sql, type DbSession } from "../../db/client.ts";
import { unbookedMoves, type PayoutMove } from "../../ledger/unbooked-moves.ts";
import type { Paise } from "../../support/money.ts";
import type { OurAttempt } from "./compare.ts";

/** The provider's clock and ours need not agree to the minute. */
const CLOCK_MARGIN_HOURS = 1;

const COLUMNS = sql`
  payout.id AS "payoutId", payout.claimed_by AS "claimedBy", attempt.id AS "attemptId",
  attempt.reference_id AS "referenceId", attempt.provider_payout_id AS "providerPayoutId",
  attempt.amount_paise AS "netPaise", attempt.state::text AS state,
  attempt.provider_status AS "providerStatus",
  (extract(epoch FROM now() - attempt.created_at) * 1000)::float8 AS "ageMs"`;

/** From when on payouts are compared, and from when on the account's statement is read first. */
interface Period {
  /** Of the comparison. */
  from: string;
  /** The same, as the provider is asked. */
  fromMs: number;
  /** So many days ago, or when the oldest open attempt was made. The first day of the account that is closed. */
  recentFrom: string;
}

/**
 * Where the comparison begins: so many days ago, and earlier if an attempt is open for longer, so that it is always
 * looked at. The first comparison of a day in India goes back `fullDays`, as does every one until yesterday is closed:
 * so neither the age of a payout nor an outage of this job hides that its money came back. On the database's clock.
 */
export async function readPeriod(
  db: DbSession,
  { days, fullDays }: { days: number; fullDays: number },
): Promise<Period> {
  const [row] = await db.query<Period[]>`
    WITH recent AS (
      SELECT LEAST(now() - make_interval(days => ${days}::int), min(created_at)) AS at
      FROM payout_attempts WHERE state IN ('PREPARED', 'UNKNOWN', 'ACCEPTED')
    ), start AS (
      SELECT recent.at AS recent, LEAST(recent.at, (
        SELECT min(created_at) FROM payout_attempts
        WHERE created_at >= now() - make_interval(days => ${fullDays}::int)
          AND NOT EXISTS (SELECT 1 FROM provider_days WHERE day = india_today() - 1))) AS at
      FROM recent
    )
    SELECT at::text AS from, recent::text AS "recentFrom",
           (extract(epoch FROM at - make_interval(hours => ${CLOCK_MARGIN_HOURS})) * 1000)::float8 AS "fromMs"
    FROM start`;
  if (!row) throw new Error("an aggregate gave no row");
  return row;
}

/** Our attempts for payouts of the provider, by reference or, should that differ, by its own id. */
export async function findAttempts(
  db: DbSession,
  theirs: readonly { id: string; referenceId: string | null }[],
): Promise<OurAttempt[]> {
  const references = theirs.flatMap(({ referenceId }) => referenceId ?? []);
  const ids = theirs.map(({ id }) => id);
  return db.query<OurAttempt[]>`
    SELECT ${COLUMNS}
    FROM payout_attempts AS attempt JOIN payouts AS payout ON payout.id = attempt.payout_id
    WHERE attempt.reference_id = ANY(${references}::text[]) OR attempt.provider_payout_id = ANY(${ids}::text[])`;
}

export interface AttemptCursor {
  createdAt: string;
  attemptId: string;
}

/** One page of the period's attempts that the provider has told us the id of, oldest first. */
export async function knownAttemptsAfter(
  db: DbSession,
  { from, cursor, count }: { from: string; cursor: AttemptCursor | undefined; count: number },
): Promise<(OurAttempt & AttemptCursor)[]> {
  const after = cursor ?? { createdAt: from, attemptId: "00000000-0000-0000-0000-000000000000" };
  return db.query<(OurAttempt & AttemptCursor)[]>`
    SELECT ${COLUMNS}, attempt.created_at::text AS "createdAt"
    FROM payout_attempts AS attempt JOIN payouts AS payout ON payout.id = attempt.payout_id
    WHERE attempt.provider_payout_id IS NOT NULL AND attempt.created_at >= ${from}::timestamptz
      AND (attempt.created_at, attempt.id) > (${after.createdAt}::timestamptz, ${after.attemptId}::uuid)
    ORDER BY attempt.created_at, attempt.id
    LIMIT ${count}`;
}

/** Money of a payout that the statement shows, and that our record does not explain. */
export interface UnmatchedMove {
  providerPayoutId: string;
  debitPaise: Paise;
  creditPaise: Paise;
  /** Read longer ago than such money may be on its way. */
  isLate: boolean;
}

/**
 * Our payouts whose money the statement shows and the books lack, except for those that the provider has not
 * finished. Of any age.
 *
 * @param unstored transactions that were read in a dry run
 */
export async function unmatchedMoves(
  db: DbSession,
  unstored: readonly PayoutMove[],
): Promise<UnmatchedMove[]> {
  return db.query<UnmatchedMove[]>`
    SELECT provider_payout_id AS "providerPayoutId", debit_paise::bigint AS "debitPaise",
           credit_paise::bigint AS "creditPaise", is_late AS "isLate"
    FROM (${unbookedMoves(unstored)}) AS unbooked
    WHERE NOT is_open AND out_paise <> 0
    ORDER BY provider_payout_id`;
}
