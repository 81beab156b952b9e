import { recordAudit } from "../../audit/audit-log.ts";
import { inTransaction, type Db } from "../../db/client.ts";
import { formatRupees } from "../../support/money.ts";
import { readUncovered, type Uncovered } from "../state/approval-covers.ts";
import { approve } from "../state/operator-moves.ts";
import {
  InconsistentPayoutError,
  refused,
  refusingInconsistency,
  type Operator,
  type PayoutChange,
  type Refusal,
} from "./change.ts";
import { sameHandRefusal, type ApprovalPolicy } from "./approval.ts";
import { lockPayout, openHold, unknownPayout, wrongStatus } from "./locked-payout.ts";
import { changedSinceShown, isBoundTo, type Shown } from "./shown.ts";

/**
 * PENDING to APPROVED: the next run of the payout job sends it. An approved payout is approved once more where the account
 * or the amount has changed since. Not while sales in it are refunded. Of several people at once one wins, and the
 * others get that person's name.
 */
export async function approvePayout(
  db: Db,
  {
    payoutId,
    operator,
    policy = "one-person",
    shown,
  }: {
    payoutId: string;
    operator: Operator;
    policy?: ApprovalPolicy;
    /** The payout as the operator saw it: refused when it has changed. */
    shown?: Shown;
  },
): Promise<PayoutChange> {
  const change = () =>
    inTransaction(db, async (tx): Promise<PayoutChange> => {
      const payout = await lockPayout(tx, payoutId);
      if (!payout) return refused(payoutId, unknownPayout(payoutId));
      if (payout.organizationId !== null) return refused(payoutId, needsNoApproval);
      const uncovered = (await readUncovered(tx, [payoutId])).get(payoutId);
      const isWithdrawn = payout.status === "APPROVED" && uncovered !== undefined;
      if (payout.status !== "PENDING" && !isWithdrawn) {
        const remedy =
          "Only a payout that waits for a person can be approved; look at `payouts show`.";
        return refused(payoutId, await wrongStatus(tx, payout, { wanted: "PENDING", remedy }));
      }
      const hold = await openHold(tx, payout);
      const wrong = [
        hold,
        shown && (await changedSinceShown(tx, payout, shown)),
        await sameHandRefusal(tx, { payout, operator, policy }),
        refundedInside(uncovered),
      ].filter((refusal) => refusal !== undefined);
      if (wrong.length > 0) return refused(payoutId, ...wrong);

      const from = isWithdrawn ? "APPROVED" : "PENDING";
      if (!(await approve(tx, payoutId, from)))
        throw new InconsistentPayoutError(`it is no longer ${from}`);
      if (shown && !(await isBoundTo(tx, payoutId, shown.accountId)))
        throw new InconsistentPayoutError("the payee's account changed while it was approved");
      const { consultantRef, amountPaise } = payout;
      await recordAudit(tx, {
        actor: operator.by,
        category: "payout",
        action: "approved",
        subjectType: "payout",
        subjectId: payoutId,
        reason: operator.reason,
        detail: {
          amountPaise,
          approval: policy,
          ...(shown ? { shown } : {}),
          ...(isWithdrawn ? { again: uncovered.detail } : {}),
        },
      });
      return { done: true, payoutId, consultantRef, amountPaise };
    });
  return refusingInconsistency(payoutId, change);
}

/** A refusal while sales in it are refunded: approved, it would pay more than is owed. */
export function refundedInside(uncovered: Uncovered | undefined): Refusal | undefined {
  if (!uncovered?.codes.includes("EARNINGS_REFUNDED")) return undefined;
  return {
    code: "EARNINGS_REFUNDED",
    message: `${formatRupees(uncovered.refundedPaise)} of it is for sales that were refunded to the buyers after it was made`,
    remedy: "Reject it: the next batch pays what is left.",
  };
}

const needsNoApproval: Refusal = {
  code: "NEEDS_NO_APPROVAL",
  message: "it is an organization's, and the payout run pays those without approval",
  remedy: "Reject it if it must not be paid.",
};
