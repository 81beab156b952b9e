import type { DbSession } from "../../db/client.ts";
import type { AbandonedClaim } from "./due.ts";
import type { InDoubt } from "./in-doubt.ts";

/**
 * Takes the payout over from the run that made the attempt, so that this run may settle it and the other
 * one, should it wake up, may not. Only one of several that try it at once does.
 */
export async function takeOverInDoubt(
  tx: DbSession,
  doubt: InDoubt,
  { runId, fence }: { runId: string; fence: bigint | null },
): Promise<boolean> {
  const hit = await tx.execute`
    UPDATE payouts SET claimed_by = ${runId}::uuid, claim_fence = ${fence}::bigint, claimed_at = now(),
           updated_at = now()
    WHERE id = ${doubt.payoutId}::uuid AND status = 'PROCESSING' AND claimed_by = ${doubt.claimedBy}::uuid`;
  return hit === 1;
}

/** Takes the claim from the run that left it. Only one of several that try it at once does. */
export async function takeOverAbandoned(
  tx: DbSession,
  { id, claimedBy }: Pick<AbandonedClaim, "id" | "claimedBy">,
  { runId, fence }: { runId: string; fence: bigint | null },
): Promise<boolean> {
  // A statement of its own: the next one then sees the attempt of a run that held the row until now.
  await tx.query`SELECT 1 FROM payouts WHERE id = ${id}::uuid FOR UPDATE`;
  const hit = await tx.execute`
    UPDATE payouts SET claimed_by = ${runId}::uuid, claim_fence = ${fence}::bigint, claimed_at = now(),
           updated_at = now()
    WHERE id = ${id}::uuid AND status = 'PROCESSING' AND claimed_by = ${claimedBy}::uuid
      AND NOT EXISTS (
        SELECT 1 FROM payout_attempts AS attempt
        WHERE attempt.payout_id = payouts.id
          AND attempt.state IN ('PREPARED', 'UNKNOWN', 'ACCEPTED', 'PROCESSED'))`;
  return hit === 1;
}
