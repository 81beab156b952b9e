import type { DbSession } from "../db/prisma.ts";
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
  const held = await tx.$queryRaw<unknown[]>`
    SELECT 1 FROM payouts
    WHERE id = ${payoutId}::uuid AND status = 'PROCESSING' AND claimed_by = ${runId}::uuid
    FOR UPDATE`;
  if (held.length !== 1) throw new ClaimLostError(payoutId);
}
