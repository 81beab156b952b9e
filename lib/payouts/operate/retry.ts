import { recordAudit } from "../../audit/audit-log.ts";
import { inTransaction, type Db, type DbSession } from "../../db/client.ts";
import { agreeing, counted } from "../../support/counted.ts";
import { defaultTaxPolicy, type TaxPolicy } from "../../tds/index.ts";
import { approveAgain } from "../state/operator-moves.ts";
import {
  InconsistentPayoutError,
  refused,
  refusingInconsistency,
  type Operator,
  type PayoutChange,
  type Refusal,
} from "./change.ts";
import {
  lockPayout,
  openHold,
  stoppedAccount,
  unknownPayout,
  wrongStatus,
  type LockedPayout,
} from "./locked-payout.ts";
import { sameHandRefusal, type ApprovalPolicy } from "./approval.ts";
import { sureToFail } from "./sure-to-fail.ts";
import { attemptRefusals, earningRefusals } from "./retry-rules.ts";

/**
 * FAILED to APPROVED, an organization's to PENDING, with its earnings linked again: the next run makes a new
 * attempt. Only where the provider itself has confirmed that nothing was or will be paid, and where no other
 * payout has taken the earnings since. Reports all obstacles at once, including those for which the next run
 * would refuse the payout.
 */
export async function retryPayout(
  db: Db,
  {
    payoutId,
    operator,
    policy = "one-person",
    tax = defaultTaxPolicy,
  }: { payoutId: string; operator: Operator; policy?: ApprovalPolicy; tax?: TaxPolicy },
): Promise<PayoutChange> {
  const retry = () =>
    inTransaction(db, async (tx): Promise<PayoutChange> => {
      const payout = await lockPayout(tx, payoutId);
      if (!payout) return refused(payoutId, unknownPayout(payoutId));
      const refusals = await whyNot(tx, payout);
      // To try again is to approve again.
      const sameHand = await sameHandRefusal(tx, { payout, operator, policy });
      if (sameHand) refusals.push(sameHand);
      if (refusals.length > 0) return refused(payoutId, ...refusals);

      const { consultantRef, amountPaise, tries } = payout;
      const moved = await approveAgain(tx, { payoutId, tries });
      if (!moved) throw new InconsistentPayoutError("it is no longer FAILED");
      const { earnings, items } = moved;
      if (earnings !== items || earnings === 0) {
        throw new InconsistentPayoutError(`of its ${items} items ${earnings} earnings are READY`);
      }
      const again = await sureToFail(tx, { payout, tax });
      if (again) throw new SureToFailError(again);
      await recordAudit(tx, {
        actor: operator.by,
        category: "payout",
        action: "retried",
        subjectType: "payout",
        subjectId: payoutId,
        reason: operator.reason,
        detail: { tries, amountPaise, earnings },
      });
      const note = `${counted(earnings, "earning")} ${agreeing(earnings, "is", "are")} linked again`;
      return { done: true, payoutId, consultantRef, amountPaise, note };
    });
  return refusingInconsistency(payoutId, retry).catch((error: unknown) => {
    if (error instanceof SureToFailError) return refused(payoutId, error.refusal);
    throw error;
  });
}

/** Rolls the transaction back. */
class SureToFailError extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.message);
    this.refusal = refusal;
  }
}

async function whyNot(tx: DbSession, payout: LockedPayout): Promise<Refusal[]> {
  const attempts = await attemptRefusals(tx, payout);
  if (payout.status !== "FAILED") {
    const remedy = "Only a payout that failed for certain is tried again; look at `payouts show`.";
    return [...attempts, await wrongStatus(tx, payout, { wanted: "FAILED", remedy })];
  }
  const hold = await openHold(tx, payout);
  const stop = await stoppedAccount(tx, payout);
  return [
    ...attempts,
    ...(hold ? [hold] : []),
    ...(stop ? [stop] : []),
    ...(await earningRefusals(tx, payout)),
  ];
}
