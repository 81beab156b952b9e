import type { DbSession } from "../db/client.ts";
import { recordFinding } from "../findings/index.ts";
import { enqueueMail } from "../notifications/mail.ts";
import type { Paise } from "../support/money.ts";
import { chargeConsultant } from "./charge-consultant.ts";
import { followRefunds } from "./payment-status.ts";

export interface SettledRefund {
  refundId: string;
  status: "PROCESSED" | "FAILED";
}

interface RefundSoFar {
  key: string;
  paymentId: string;
  amountPaise: Paise;
  ofSale: boolean;
  open: number;
  failed: number;
  backPaise: Paise;
  bookingReference: string;
  userId: string;
  planTitle: string;
  planUrl: string;
}

/**
 * Settles a refund without open legs: PROCESSED when every leg is, else FAILED. Only now is the refunded amount
 * certain, so the consultant is charged, the payment's status follows, and the buyer gets a mail now; a failed
 * refund is a finding. The caller holds the payment's lock.
 */
export async function settleRefund(
  tx: DbSession,
  refundId: string,
): Promise<SettledRefund | undefined> {
  const refund = await soFar(tx, refundId);
  if (!refund || refund.open > 0) return undefined;
  const status = refund.failed > 0 ? "FAILED" : "PROCESSED";
  const hit = await tx.execute`
    UPDATE refunds SET status = ${status}::refund_status, settled_at = now()
    WHERE id = ${refundId}::uuid AND status = 'PENDING'`;
  if (hit !== 1) return undefined;
  if (refund.ofSale && refund.backPaise > 0n) {
    const charged = await chargeConsultant(tx, refund);
    if (charged === "no-sale") await nobodyCharged(tx, { refundId, ...refund });
  }
  if (status === "FAILED" && !isOutside(refund.key))
    await leaveToPerson(tx, { refundId, ...refund });
  await followRefunds(tx, refund.paymentId);
  if (status === "PROCESSED" && !hasOwnMail(refund.key)) {
    const { userId, planTitle, planUrl, amountPaise } = refund;
    await enqueueMail(tx, {
      key: `refund-processed:${refundId}`,
      userId,
      template: "refund-processed",
      data: { planTitle, planUrl, amountPaise },
    });
  }
  return { refundId, status };
}

/** The run is red once; the finding stays open until somebody has seen to the buyer's money. */
async function leaveToPerson(
  tx: DbSession,
  { refundId, paymentId, amountPaise, backPaise }: RefundSoFar & { refundId: string },
): Promise<void> {
  await recordFinding(tx, {
    kind: "refund-failed",
    severity: "critical",
    subjectType: "refund",
    subjectId: refundId,
    details: { paymentId, amountPaise, backPaise },
  });
}

/** The sale may not be imported yet, or under another reference. The nightly checks store the very same finding. */
async function nobodyCharged(
  tx: DbSession,
  { refundId, paymentId, bookingReference, backPaise }: RefundSoFar & { refundId: string },
): Promise<void> {
  await recordFinding(tx, {
    kind: "refund-without-earning",
    severity: "warning",
    subjectType: "refund",
    subjectId: refundId,
    details: { paymentId, bookingReference, backPaise },
  });
}

/** Made outside: nobody here asked for it, so that nothing is left to do when it fails. */
function isOutside(key: string): boolean {
  return key.startsWith("provider-refund:") || key.startsWith("dispute:");
}

/**
 * The buyer of a late payment got a mail when the refund was requested. Of one made outside, the person who made it,
 * the provider or the bank has told the buyer.
 */
function hasOwnMail(key: string): boolean {
  return key.startsWith("late-capture:") || isOutside(key);
}

async function soFar(tx: DbSession, refundId: string): Promise<RefundSoFar | undefined> {
  const [row] = await tx.query<RefundSoFar[]>`
    SELECT refund.key, refund.payment_id AS "paymentId", refund.amount_paise AS "amountPaise",
           refund.of_sale AS "ofSale", booking.reference AS "bookingReference",
           payment.user_id AS "userId", plan.title AS "planTitle", plan.url AS "planUrl",
           (SELECT count(*)::int FROM refund_legs AS leg
            WHERE leg.refund_id = refund.id AND leg.state NOT IN ('PROCESSED', 'FAILED')) AS open,
           (SELECT count(*)::int FROM refund_legs AS leg
            WHERE leg.refund_id = refund.id AND leg.state = 'FAILED') AS failed,
           (SELECT COALESCE(sum(leg.amount_paise), 0)::bigint FROM refund_legs AS leg
            WHERE leg.refund_id = refund.id AND leg.state = 'PROCESSED') AS "backPaise"
    FROM refunds AS refund
    JOIN payments AS payment ON payment.id = refund.payment_id
    JOIN bookings AS booking ON booking.id = payment.booking_id
    JOIN plans AS plan ON plan.id = booking.plan_id
    WHERE refund.id = ${refundId}::uuid`;
  return row;
}
