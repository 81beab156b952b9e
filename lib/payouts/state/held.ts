import { sql, type DbSession, type SqlPart } from "../../db/client.ts";

/**
 * Whether a run has the claim of a row of `payouts`: the condition of each compare-and-swap by the holder.
 *
 * The status is compared as text, here and wherever ids name a batch, so that the planner finds the rows by their
 * ids; see docs/decisions/0010-batches-of-a-pay-run.md.
 */
export function isClaimedBy(runId: string): SqlPart {
  return sql`status::text = 'PROCESSING' AND claimed_by = ${runId}::uuid`;
}

/**
 * Whether a row of `payouts` has an attempt that paid it, or may still pay it: sent again, the payee would be paid
 * twice. The states are those of the database's own trigger.
 */
export const HAS_LIVE_ATTEMPT = sql`
  EXISTS (
    SELECT 1 FROM payout_attempts AS attempt
    WHERE attempt.payout_id = payouts.id
      AND attempt.state IN ('PREPARED', 'UNKNOWN', 'ACCEPTED', 'PROCESSED'))`;

/**
 * Locks the payouts that this run still holds, in the order of their ids. A process that wakes up after another
 * run has taken its payout over changes nothing, and a run that wants to take it over waits.
 */
export async function lockHeld(
  tx: DbSession,
  { payoutIds, runId }: { payoutIds: readonly string[]; runId: string },
): Promise<ReadonlySet<string>> {
  const held = await tx.query<{ id: string }[]>`
    SELECT id FROM payouts
    WHERE id = ANY(${payoutIds}::uuid[]) AND ${isClaimedBy(runId)}
    ORDER BY id
    FOR UPDATE`;
  return new Set(held.map(({ id }) => id));
}
