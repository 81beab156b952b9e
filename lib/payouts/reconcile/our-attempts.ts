import { sql, type DbSession } from "../../db/client.ts";
import type { OurAttempt } from "./compare.ts";

/** The provider's clock and ours need not agree to the minute. */
const CLOCK_MARGIN_HOURS = 1;

const COLUMNS = sql`
  payout.id AS "payoutId", payout.claimed_by AS "claimedBy", attempt.id AS "attemptId",
  attempt.reference_id AS "referenceId", attempt.provider_payout_id AS "providerPayoutId",
  attempt.amount_paise AS "netPaise", attempt.state::text AS state,
  attempt.provider_status AS "providerStatus",
  (extract(epoch FROM now() - attempt.created_at) * 1000)::float8 AS "ageMs"`;

/**
 * Where the period begins: so many days ago, and earlier if an attempt is open for longer, so that it
 * is always looked at. On the database's clock; `fromMs` is asked of the provider.
 */
export async function readPeriod(
  db: DbSession,
  days: number,
): Promise<{ from: string; fromMs: number }> {
  const [row] = await db.query<{ from: string; fromMs: number }[]>`
    WITH start AS (
      SELECT LEAST(now() - make_interval(days => ${days}::int), min(created_at)) AS at
      FROM payout_attempts WHERE state IN ('PREPARED', 'UNKNOWN', 'ACCEPTED')
    )
    SELECT at::text AS from,
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
