import { recordAudit } from "../../audit/audit-log.ts";
import { inTransaction, type Db, type DbSession } from "../../db/client.ts";
import { agreeing, counted } from "../../support/counted.ts";
import {
  InconsistentPayoutError,
  refused,
  refusingInconsistency,
  type Operator,
  type PayoutChange,
} from "./change.ts";
import { lockPayout, unknownPayout, wrongStatus } from "./locked-payout.ts";

/**
 * PENDING or APPROVED to REJECTED, for good. Its earnings are READY again, and in the next batch unless the
 * consultant is put on hold.
 */
export async function rejectPayout(
  db: Db,
  { payoutId, operator }: { payoutId: string; operator: Operator & { reason: string } },
): Promise<PayoutChange> {
  const reject = () =>
    inTransaction(db, async (tx): Promise<PayoutChange> => {
      const payout = await lockPayout(tx, payoutId);
      if (!payout) return refused(payoutId, unknownPayout(payoutId));
      const { status, consultantRef, amountPaise } = payout;
      if (status !== "PENDING" && status !== "APPROVED") {
        const wanted = "PENDING or APPROVED";
        const remedy =
          status === "PROCESSING"
            ? "It may have been sent already: wait for the provider's answer."
            : "Nothing is left to reject; look at `payouts show`.";
        return refused(payoutId, await wrongStatus(tx, payout, { wanted, remedy }));
      }

      const hit = await tx.execute`
        UPDATE payouts SET status = 'REJECTED', updated_at = now()
        WHERE id = ${payoutId}::uuid AND status = ${status}::payout_status`;
      if (hit !== 1) throw new InconsistentPayoutError(`it is no longer ${status}`);
      const earnings = await releaseEarnings(tx, payoutId);
      await recordAudit(tx, {
        actor: operator.by,
        category: "payout",
        action: "rejected",
        subjectType: "payout",
        subjectId: payoutId,
        reason: operator.reason,
        detail: { was: status, amountPaise, earnings },
      });
      const note = `${counted(earnings, "earning")} ${agreeing(earnings, "is", "are")} READY again`;
      return { done: true, payoutId, consultantRef, amountPaise, note };
    });
  return refusingInconsistency(payoutId, reject);
}

/** Returns how many earnings it released. */
async function releaseEarnings(tx: DbSession, payoutId: string): Promise<number> {
  const earnings = await tx.execute`
    UPDATE earnings SET status = 'READY', updated_at = now()
    WHERE status = 'LINKED' AND id IN (
      SELECT earning_id FROM payout_items WHERE payout_id = ${payoutId}::uuid AND released_at IS NULL)`;
  const items = await tx.execute`
    UPDATE payout_items SET released_at = now()
    WHERE payout_id = ${payoutId}::uuid AND released_at IS NULL`;
  if (earnings !== items) {
    throw new InconsistentPayoutError(
      `it holds ${items} earnings, of which ${earnings} are LINKED`,
    );
  }
  return earnings;
}
