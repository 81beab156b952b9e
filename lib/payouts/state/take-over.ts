import type { DbSession } from "../../db/client.ts";
import type { TaxedPayout } from "./decide.ts";
import { HAS_LIVE_ATTEMPT, isClaimedBy } from "./held.ts";

/** The run that a claim belongs to, and the fence of its lock. */
export interface Claimant {
  runId: string;
  fence: bigint | null;
}

/** A claim, and the run that is to lose it. */
export interface ForeignClaim {
  payoutId: string;
  claimedBy: string;
}

/**
 * Takes the payout over from the run that made the attempt, so that this run may settle it and the other
 * one, should it wake up, may not. Only one of several that try it at once does.
 */
export async function takeOverInDoubt(
  tx: DbSession,
  { payoutId, claimedBy }: ForeignClaim,
  { runId, fence }: Claimant,
): Promise<boolean> {
  const hit = await tx.execute`
    UPDATE payouts SET claimed_by = ${runId}::uuid, claim_fence = ${fence}::bigint, claimed_at = now(),
           updated_at = now()
    WHERE id = ${payoutId}::uuid AND ${isClaimedBy(claimedBy)}`;
  return hit === 1;
}

/** Takes a claim without an attempt from the run that left it. Only one of several that try it at once does. */
export async function takeOverUnsent(
  tx: DbSession,
  claim: ForeignClaim,
  claimant: Claimant,
): Promise<boolean> {
  const taken = await takeOver(tx, { ...claim, ...claimant, isUntaxedToo: true });
  return taken.length === 1;
}

/** As `takeOverUnsent`, of a claim whose tax is assessed and reserved. Undefined: it is not to be taken over. */
export async function takeOverTaxed(
  tx: DbSession,
  claim: ForeignClaim,
  claimant: Claimant,
): Promise<TaxedPayout | undefined> {
  const [taken] = await takeOver(tx, { ...claim, ...claimant, isUntaxedToo: false });
  return taken;
}

async function takeOver(
  tx: DbSession,
  {
    payoutId,
    claimedBy,
    runId,
    fence,
    isUntaxedToo,
  }: ForeignClaim & Claimant & { isUntaxedToo: boolean },
): Promise<TaxedPayout[]> {
  // A statement of its own: the next one then sees the attempt of a run that held the row until now.
  await tx.query`SELECT 1 FROM payouts WHERE id = ${payoutId}::uuid FOR UPDATE`;
  return tx.query<TaxedPayout[]>`
    UPDATE payouts SET claimed_by = ${runId}::uuid, claim_fence = ${fence}::bigint, claimed_at = now(),
           updated_at = now()
    WHERE id = ${payoutId}::uuid AND ${isClaimedBy(claimedBy)} AND NOT ${HAS_LIVE_ATTEMPT}
      AND (tax_paise IS NOT NULL OR ${isUntaxedToo}::boolean)
    RETURNING id, consultant_id AS "consultantId", organization_id AS "organizationId",
              gross_paise AS "grossPaise", amount_paise AS "amountPaise", tax_paise AS "taxPaise",
              net_paise AS "netPaise"`;
}
