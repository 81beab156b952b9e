import { recordAudit } from "../../audit/audit-log.ts";
import { inTransaction, type Db } from "../../db/client.ts";
import { agreeing, counted } from "../../support/counted.ts";
import { reject } from "../state/operator-moves.ts";
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
  const change = () =>
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

      const moved = await reject(tx, { payoutId, status });
      if (!moved) throw new InconsistentPayoutError(`it is no longer ${status}`);
      const { earnings, items } = moved;
      if (earnings !== items) {
        throw new InconsistentPayoutError(
          `it holds ${items} earnings, of which ${earnings} are LINKED`,
        );
      }
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
  return refusingInconsistency(payoutId, change);
}
