import type { DbSession } from "../../db/client.ts";
import { releaseEarnings, type MovedEarnings } from "./release.ts";

/**
 * PENDING to APPROVED, or APPROVED once more when the approval no longer covers the payout. The database binds it to the
 * account, the amount and the sales of this moment. False: the payout has no longer the status that was read.
 */
export async function approve(
  tx: DbSession,
  payoutId: string,
  from: "PENDING" | "APPROVED" = "PENDING",
): Promise<boolean> {
  const hit = await tx.execute`
    UPDATE payouts SET status = 'APPROVED', approved_at = now(), updated_at = now()
    WHERE id = ${payoutId}::uuid AND status = ${from}::payout_status`;
  return hit === 1;
}

/** To REJECTED, its earnings READY. Undefined: the payout has no longer the status that was read. */
export async function reject(
  tx: DbSession,
  { payoutId, status }: { payoutId: string; status: "PENDING" | "APPROVED" },
): Promise<MovedEarnings | undefined> {
  const hit = await tx.execute`
    UPDATE payouts SET status = 'REJECTED', updated_at = now()
    WHERE id = ${payoutId}::uuid AND status = ${status}::payout_status`;
  return hit === 1 ? releaseEarnings(tx, [payoutId], { from: "LINKED" }) : undefined;
}

/**
 * FAILED to APPROVED, an organization's to PENDING, its earnings linked again. The caller has locked the rows and
 * looked at them. Undefined: the payout is no longer FAILED, or was tried once more.
 */
export async function approveAgain(
  tx: DbSession,
  { payoutId, tries }: { payoutId: string; tries: number },
): Promise<MovedEarnings | undefined> {
  const hit = await tx.execute`
    UPDATE payouts
    SET status = CASE WHEN organization_id IS NULL THEN 'APPROVED' ELSE 'PENDING' END::payout_status,
        approved_at = CASE WHEN organization_id IS NULL THEN now() END, claimed_by = NULL,
        claim_fence = NULL, claimed_at = NULL, tax_paise = NULL, net_paise = NULL, updated_at = now()
    WHERE id = ${payoutId}::uuid AND status = 'FAILED' AND tries = ${tries}`;
  if (hit !== 1) return undefined;
  const items = await tx.execute`
    UPDATE payout_items SET released_at = NULL
    WHERE payout_id = ${payoutId}::uuid AND released_at IS NOT NULL`;
  const earnings = await tx.execute`
    UPDATE earnings SET status = 'LINKED', updated_at = now()
    WHERE status = 'READY' AND id IN (
      SELECT earning_id FROM payout_items WHERE payout_id = ${payoutId}::uuid)`;
  return { items, earnings };
}
