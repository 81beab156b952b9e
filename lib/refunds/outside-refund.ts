import { recordAudit } from "../audit/audit-log.ts";
import type { DbSession } from "../db/client.ts";
import { recordFinding } from "../findings/index.ts";
import type { Paise } from "../support/money.ts";
import { findByKey, insertLegs, insertRefund, lockPayment } from "./request-refund.ts";
import { settleRefund } from "./settle-refund.ts";

/** The requester: nobody of ours. */
export const BY_PROVIDER = "provider";

/** Money that has gone back to a buyer, or is on its way, without a request of ours. */
export interface OutsideRefund {
  paymentId: string;
  /** Makes it be booked once: `provider-refund:<rfnd_…>` or `dispute:<disp_…>`. */
  key: string;
  amountPaise: Paise;
  reason: string;
  /** `rfnd_…`; null for a lost dispute, which is no refund. */
  providerRefundId: string | null;
  /** ACCEPTED: the provider has not finished; `payments/process-refunds` follows it. */
  state: "ACCEPTED" | "PROCESSED";
  /** The job that books it. */
  actor: string;
}

export type OutsideRefundResult =
  | { kind: "booked"; refundId: string; ofSale: boolean }
  /** On record already; nothing changed. */
  | { kind: "known"; refundId: string }
  /** Less of the card's leg is left. `openPaise`: held by refunds of ours that are not settled. */
  | { kind: "exceeds"; leftPaise: Paise; openPaise: Paise };

/**
 * Books a refund that was made outside over the card's leg, once for its key: as a row like every other, so that the
 * consultant bears the share and a later refund gives back only what is left. Belongs into a transaction. Locks the
 * payment, then its legs.
 */
export async function bookOutsideRefund(
  tx: DbSession,
  outside: OutsideRefund,
): Promise<OutsideRefundResult> {
  const { paymentId, key, amountPaise, providerRefundId, state, actor, reason } = outside;
  const payment = await lockPayment(tx, paymentId, { forUpdate: true });
  const known = await findByKey(tx, key);
  if (known) return { kind: "known", refundId: known.id };
  const card = await readCard(tx, paymentId);
  if (!payment || !card || card.leftPaise < amountPaise) {
    return { kind: "exceeds", leftPaise: card?.leftPaise ?? 0n, openPaise: card?.openPaise ?? 0n };
  }
  const { ofSale, organizationId } = payment;
  const refundId = await insertRefund(tx, {
    paymentId,
    key,
    amountPaise,
    reason,
    requestedBy: BY_PROVIDER,
    ofSale,
  });
  if (refundId === undefined) throw new Error(`refund ${key} was booked under the payment's lock`);
  await insertLegs(tx, refundId, [{ legId: card.legId, kind: "card", amountPaise }]);
  const hit = await tx.execute`
    UPDATE refund_legs
    SET state = ${state}::refund_leg_state, provider_refund_id = ${providerRefundId},
        sent_at = CASE WHEN ${state === "ACCEPTED"}::boolean THEN now() END,
        settled_at = CASE WHEN ${state === "PROCESSED"}::boolean THEN now() END
    WHERE refund_id = ${refundId}::uuid AND state = 'DUE'`;
  if (hit !== 1) throw new Error(`the leg of refund ${refundId} changed under its lock`);
  await recordAudit(tx, {
    actor,
    category: "REFUND",
    action: "REFUND_BOOKED",
    subjectType: "payment",
    subjectId: paymentId,
    reason,
    organizationId,
    detail: { refundId, key, amountPaise, state, providerRefundId },
  });
  if (state === "PROCESSED") await settleRefund(tx, refundId);
  return { kind: "booked", refundId, ofSale };
}

/**
 * Gives up legs that are due by card and were never sent, because a dispute has taken the money: to send it would pay
 * twice. The caller holds the payment's lock.
 */
export async function giveUpDueByCard(
  tx: DbSession,
  { paymentId, disputeId }: { paymentId: string; disputeId: string },
): Promise<string[]> {
  const message = `dispute ${disputeId} is lost: the provider took the money for the buyer`;
  const given = await tx.query<{ refundId: string }[]>`
    UPDATE refund_legs AS leg
    SET state = 'FAILED', settled_at = now(), failure_code = 'DISPUTE_LOST', failure_message = ${message}
    FROM refunds AS refund, payment_legs AS paid
    WHERE refund.id = leg.refund_id AND paid.id = leg.payment_leg_id
      AND refund.payment_id = ${paymentId}::uuid AND paid.kind = 'card' AND leg.state = 'DUE'
    RETURNING leg.refund_id AS "refundId"`;
  for (const { refundId } of given) await settleRefund(tx, refundId);
  return given.map(({ refundId }) => refundId);
}

/** The leg by which a payment was captured. */
export interface CardLeg {
  legId: string;
  paidPaise: Paise;
  /** Neither back nor asked back. */
  leftPaise: Paise;
  /** Asked back and not settled: due, or at the provider. */
  openPaise: Paise;
  /** Of that, never sent. */
  duePaise: Paise;
}

/** The card's leg of a payment; stays so while the caller holds the payment's lock. */
export async function readCard(db: DbSession, paymentId: string): Promise<CardLeg | undefined> {
  const [row] = await db.query<CardLeg[]>`
    SELECT leg.id AS "legId", leg.amount_paise AS "paidPaise",
           (leg.amount_paise - COALESCE(sum(back.amount_paise) FILTER (WHERE back.state <> 'FAILED'), 0))::bigint
             AS "leftPaise",
           COALESCE(sum(back.amount_paise) FILTER (WHERE back.state NOT IN ('PROCESSED', 'FAILED')), 0)::bigint
             AS "openPaise",
           COALESCE(sum(back.amount_paise) FILTER (WHERE back.state = 'DUE'), 0)::bigint AS "duePaise"
    FROM payment_legs AS leg LEFT JOIN refund_legs AS back ON back.payment_leg_id = leg.id
    WHERE leg.payment_id = ${paymentId}::uuid AND leg.kind = 'card' AND leg.released_at IS NULL
    GROUP BY leg.id`;
  return row;
}

/** A warning, so that a person knows that a refund was made outside; the details are those of the first sight. */
export async function reportOutsideRefund(
  tx: DbSession,
  {
    refundId,
    ...details
  }: { refundId: string; paymentId: string; amountPaise: Paise; providerRefundId: string },
): Promise<void> {
  await recordFinding(tx, {
    kind: "refund-made-outside",
    severity: "warning",
    subjectType: "refund",
    subjectId: refundId,
    details,
  });
}
