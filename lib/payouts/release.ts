import type { DbSession } from "../db/prisma.ts";
import { AfterhoursError } from "../support/errors.ts";
import { reverseDeductions } from "../tds/reserve.ts";
import { auditOrganization, type Holder } from "./organization-audit.ts";

/** A compare-and-swap that had to hit one row hit none: somebody else changed the row meanwhile. */
export class ClaimLostError extends AfterhoursError {
  override readonly name = "ClaimLostError";

  constructor(payoutId: string) {
    super("CLAIM_LOST", `payout ${payoutId} is no longer held by this run`);
  }
}

/**
 * Refused for certain: PROCESSING to FAILED, the try counted, the earnings READY for the next batch, the
 * tax taken back. Only for a payout without a live attempt; the database refuses anything else.
 *
 * @throws {ClaimLostError}
 */
export async function failPayout(
  tx: DbSession,
  { code, message, ...holder }: Holder & { code: string; message: string },
): Promise<void> {
  const { payoutId, runId } = holder;
  const [payout] = await tx.$queryRaw<{ organizationId: string | null; tries: number }[]>`
    UPDATE payouts SET status = 'FAILED', tries = tries + 1, failure_code = ${code},
           failure_message = ${message}, updated_at = now()
    WHERE id = ${payoutId}::uuid AND status = 'PROCESSING' AND claimed_by = ${runId}::uuid
    RETURNING organization_id AS "organizationId", tries`;
  if (!payout) throw new ClaimLostError(payoutId);
  await releaseEarnings(tx, payoutId, { from: "LINKED" });
  await reverseDeductions(tx, payoutId);
  const { organizationId, tries } = payout;
  await auditOrganization(tx, holder, {
    organizationId,
    action: "failed",
    reason: code,
    detail: { tries },
  });
}

/** The earnings that a payout holds are READY for the next batch; its items say when they left it. */
export async function releaseEarnings(
  tx: DbSession,
  payoutId: string,
  { from }: { from: "LINKED" | "PAID" },
): Promise<void> {
  await tx.$executeRaw`
    UPDATE earnings SET status = 'READY', updated_at = now()
    WHERE status = ${from}::earning_status AND id IN (
      SELECT earning_id FROM payout_items WHERE payout_id = ${payoutId}::uuid AND released_at IS NULL)`;
  await tx.$executeRaw`
    UPDATE payout_items SET released_at = now()
    WHERE payout_id = ${payoutId}::uuid AND released_at IS NULL`;
}

/**
 * Nothing was accepted, and the row is not to blame: PROCESSING back to what it was before the claim,
 * APPROVED or for an organization PENDING. No try is counted, the tax is taken back until the next claim.
 *
 * @throws {ClaimLostError}
 */
export async function returnToDue(
  tx: DbSession,
  { reason, ...holder }: Holder & { reason: string },
): Promise<void> {
  const { payoutId, runId } = holder;
  const [payout] = await tx.$queryRaw<{ organizationId: string | null }[]>`
    UPDATE payouts
    SET status = CASE WHEN organization_id IS NULL THEN 'APPROVED' ELSE 'PENDING' END::payout_status,
        claimed_by = NULL, claim_fence = NULL, claimed_at = NULL, tax_paise = NULL, net_paise = NULL,
        updated_at = now()
    WHERE id = ${payoutId}::uuid AND status = 'PROCESSING' AND claimed_by = ${runId}::uuid
    RETURNING organization_id AS "organizationId"`;
  if (!payout) throw new ClaimLostError(payoutId);
  await reverseDeductions(tx, payoutId);
  const { organizationId } = payout;
  await auditOrganization(tx, holder, { organizationId, action: "returned", reason });
}
