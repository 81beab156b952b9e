import type { DbSession } from "../../db/client.ts";
import { ClaimLostError } from "./release.ts";

/**
 * Locks the payout's row and makes sure that this run still holds it. A process that wakes up after
 * another run has taken its payout over changes nothing, and a run that wants to take it over waits.
 *
 * @throws {ClaimLostError}
 */
export async function assertHeld(
  tx: DbSession,
  { payoutId, runId }: { payoutId: string; runId: string },
): Promise<void> {
  const held = await lockHeld(tx, { payoutIds: [payoutId], runId });
  if (!held.has(payoutId)) throw new ClaimLostError(payoutId);
}

/**
 * As `assertHeld`, for several: those that this run still holds, locked in the order of their ids.
 *
 * The status is compared as text here and wherever a batch is named by its ids: statistics of before the run
 * know of hardly any row in PROCESSING, so the planner would rather read the index of states, which then holds
 * all that the run has claimed. With 9,000 payouts in a run a batch of 100 took 42 ms that way; by id, 1 ms.
 */
export async function lockHeld(
  tx: DbSession,
  { payoutIds, runId }: { payoutIds: readonly string[]; runId: string },
): Promise<ReadonlySet<string>> {
  const held = await tx.query<{ id: string }[]>`
    SELECT id FROM payouts
    WHERE id = ANY(${payoutIds}::uuid[]) AND status::text = 'PROCESSING' AND claimed_by = ${runId}::uuid
    ORDER BY id
    FOR UPDATE`;
  return new Set(held.map(({ id }) => id));
}
