import type { Db, DbSession } from "../db/client.ts";
import { LegLostError, type HeldLeg } from "./claim-leg.ts";
import { onPayment } from "./on-payment.ts";
import { settleRefund, type SettledRefund } from "./settle-refund.ts";

/** The known state of a leg now. */
export type LegNews =
  | { to: "ACCEPTED" | "PROCESSED"; providerRefundId: string }
  | { to: "FAILED"; providerRefundId?: string; code: string; message: string }
  /** The provider may have it or not. */
  | { to: "UNKNOWN"; code: string; message: string }
  /** Certainly not there. `everSent`: nevertheless a refusal of the next send proves nothing. */
  | { to: "DUE"; everSent: boolean; code: string };

/**
 * Records the outcome of a leg that this run holds, releases the claim, and settles the refund after its last
 * leg. A run that wakes up after its claim was taken over changes nothing.
 *
 * @throws {LegLostError}
 */
export async function recordLeg(
  db: Db,
  held: HeldLeg,
  news: LegNews,
): Promise<SettledRefund | undefined> {
  return onPayment(db, held.paymentId, async (tx) => {
    const isFinal = news.to === "PROCESSED" || news.to === "FAILED";
    const hit = await tx.execute`
      UPDATE refund_legs
      SET state = ${news.to}::refund_leg_state,
          provider_refund_id = COALESCE(${"providerRefundId" in news ? news.providerRefundId : null}, provider_refund_id),
          failure_code = ${"code" in news ? news.code : null},
          failure_message = ${"message" in news ? news.message : null},
          sent_at = CASE WHEN ${news.to === "DUE" && !news.everSent}::boolean THEN NULL ELSE sent_at END,
          settled_at = CASE WHEN ${isFinal}::boolean THEN now() END,
          claimed_by = NULL, claim_fence = NULL, claimed_at = NULL
      WHERE id = ${held.legId}::uuid AND claimed_by = ${held.runId}::uuid
        AND state IN ('PREPARED', 'UNKNOWN', 'ACCEPTED')`;
    if (hit !== 1) throw new LegLostError(held.legId);
    return isFinal ? settleRefund(tx, held.refundId) : undefined;
  });
}

/** Whether the leg has an outcome since this run sent it. */
export async function hasNews(db: DbSession, { legId, runId }: HeldLeg): Promise<boolean> {
  const rows = await db.query<unknown[]>`
    SELECT 1 FROM refund_legs WHERE id = ${legId}::uuid AND claimed_by IS DISTINCT FROM ${runId}::uuid`;
  return rows.length > 0;
}
