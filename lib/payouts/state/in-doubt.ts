import type { DbSession } from "../../db/client.ts";
import type { Paise } from "../../support/money.ts";

/** A payout in processing whose attempt has no final answer yet. */
export interface InDoubt {
  payoutId: string;
  /** The run that holds the payout. */
  claimedBy: string;
  attemptId: string;
  referenceId: string;
  /** `pout_…`, when the provider has told it. */
  providerPayoutId: string | null;
  netPaise: Paise;
  /** Since the attempt was committed, on the database's clock. */
  ageMs: number;
}

export interface InDoubtCursor {
  createdAt: string;
  attemptId: string;
}

/** One page of payouts in doubt, oldest attempt first. Rides on the index (state, created_at). */
export async function inDoubtAfter(
  db: DbSession,
  { cursor, count }: { cursor: InDoubtCursor | undefined; count: number },
): Promise<(InDoubt & InDoubtCursor)[]> {
  const after = cursor ?? {
    createdAt: "-infinity",
    attemptId: "00000000-0000-0000-0000-000000000000",
  };
  return db.query<(InDoubt & InDoubtCursor)[]>`
    SELECT payout.id AS "payoutId", payout.claimed_by AS "claimedBy", attempt.id AS "attemptId",
           attempt.reference_id AS "referenceId", attempt.provider_payout_id AS "providerPayoutId",
           attempt.amount_paise AS "netPaise", attempt.created_at::text AS "createdAt",
           (extract(epoch FROM now() - attempt.created_at) * 1000)::float8 AS "ageMs"
    FROM payout_attempts AS attempt JOIN payouts AS payout ON payout.id = attempt.payout_id
    WHERE attempt.state IN ('PREPARED', 'UNKNOWN', 'ACCEPTED') AND payout.status = 'PROCESSING'
      AND (attempt.created_at, attempt.id) > (${after.createdAt}::timestamptz, ${after.attemptId}::uuid)
    ORDER BY attempt.created_at, attempt.id
    LIMIT ${count}`;
}
