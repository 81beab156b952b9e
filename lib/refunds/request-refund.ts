import { recordAudit } from "../audit/audit-log.ts";
import { sql, type DbSession } from "../db/client.ts";
import { newUuid } from "../support/random.ts";
import { sumPaise, type Paise } from "../support/money.ts";
import { splitOverLegs, type LegLeft, type LegShare } from "./cascade.ts";
import { DISPUTE_OPEN, isDisputed } from "./disputed.ts";

export interface RefundRequested {
  paymentId: string;
  /** Makes the refund happen once, such as `late-capture:<payment>`. */
  key: string;
  /** `all`: everything that is neither refunded nor being refunded. */
  amountPaise: Paise | "all";
  reason: string;
  /** A person's name, or `job:<name>`. */
  requestedBy: string;
}

export type RequestRefundResult =
  | { kind: "requested"; refundId: string }
  /** This very refund is on record already; nothing changed. */
  | { kind: "known"; refundId: string }
  | { kind: "refused"; code: RequestRefusal; message: string };

type Refused = Extract<RequestRefundResult, { kind: "refused" }>;

export type RequestRefusal =
  | "UNKNOWN_PAYMENT"
  /** Open or expired: nothing was paid that could go back. */
  | "NOT_CAPTURED"
  | "CURRENCY_NOT_SUPPORTED"
  /** Captured by card, and we do not have the provider's id of the capture. */
  | "NO_PROVIDER_PAYMENT"
  | "AMOUNT_NOT_POSITIVE"
  | "NOTHING_LEFT"
  | "EXCEEDS_PAID"
  | "CARD_SHARE_TOO_SMALL"
  /** The buyer disputes the payment: see `isDisputed`. */
  | typeof DISPUTE_OPEN
  /** Another refund has this key. */
  | "KEY_REUSED";

/**
 * Requests a refund: stores it with one leg for each refunded leg of the payment, and makes the payment REFUNDING
 * once all of it is to go back. Moves no money: `payments/process-refunds` does, and makes it REFUNDED at the end.
 * See `splitOverLegs` for the order of the legs.
 *
 * Belongs into a transaction. Locks the payment, then its legs, so that two refunds never share the rest of a
 * leg; the database refuses it as well.
 */
export async function requestRefund(
  tx: DbSession,
  refund: RefundRequested,
): Promise<RequestRefundResult> {
  const { paymentId, key } = refund;
  const assessed = await assess(tx, refund, { forUpdate: true });
  if (assessed.kind !== "possible") return assessed;
  const { payment, amountPaise, leftPaise, split } = assessed;

  const refundId = await insertRefund(tx, { ...refund, amountPaise, ofSale: payment.ofSale });
  if (refundId === undefined) return reused(key);
  await insertLegs(tx, refundId, split.shares);
  if (amountPaise === leftPaise || payment.status === "REFUNDED")
    await markRefunding(tx, paymentId);
  await recordAudit(tx, {
    actor: refund.requestedBy,
    category: "REFUND",
    action: "REFUND_REQUESTED",
    subjectType: "payment",
    subjectId: paymentId,
    reason: refund.reason,
    organizationId: payment.organizationId,
    detail: { refundId, key, amountPaise, legs: split.shares },
  });
  return { kind: "requested", refundId };
}

/** The result of `requestRefund` now. Only reads. */
export async function planRefund(
  db: DbSession,
  refund: RefundRequested,
): Promise<
  { kind: "possible"; amountPaise: Paise } | Exclude<RequestRefundResult, { kind: "requested" }>
> {
  const assessed = await assess(db, refund, { forUpdate: false });
  if (assessed.kind !== "possible") return assessed;
  return { kind: "possible", amountPaise: assessed.amountPaise };
}

interface Possible {
  kind: "possible";
  payment: LockedPayment;
  amountPaise: Paise;
  leftPaise: Paise;
  split: { shares: readonly LegShare[] };
}

async function assess(
  tx: DbSession,
  refund: RefundRequested,
  { forUpdate }: { forUpdate: boolean },
): Promise<Possible | Exclude<RequestRefundResult, { kind: "requested" }>> {
  const { paymentId, key } = refund;
  const payment = await lockPayment(tx, paymentId, { forUpdate });
  if (!payment) return refuse("UNKNOWN_PAYMENT", `there is no payment ${paymentId}`);
  const known = await findByKey(tx, key);
  if (known) return isSame(known, refund) ? { kind: "known", refundId: known.id } : reused(key);

  const legs = await lockLegs(tx, paymentId, { forUpdate });
  const refusal = refusalOf(payment, legs, refund);
  if (refusal) return refusal;
  const leftPaise = sumPaise(legs.map((leg) => leg.leftPaise));
  const amountPaise = refund.amountPaise === "all" ? leftPaise : refund.amountPaise;
  const split = splitOverLegs(legs, amountPaise);
  if (!split.ok) return refuse(split.code, split.message);
  if (needsProvider(split.shares) && payment.providerPaymentId === null) {
    return refuse(
      "NO_PROVIDER_PAYMENT",
      `payment ${paymentId} has a part paid by card and no id of its capture at the provider`,
    );
  }
  return { kind: "possible", payment, amountPaise, leftPaise, split };
}

interface LockedPayment {
  status: string;
  currency: string;
  organizationId: string | null;
  providerPaymentId: string | null;
  /** Whether it paid for a booking; for a payment refunded before, as known then. */
  ofSale: boolean;
  disputed: boolean;
}

/** Two statements, so that the second one sees rows that were committed while the first waited. */
export async function lockPayment(
  tx: DbSession,
  paymentId: string,
  { forUpdate }: { forUpdate: boolean },
): Promise<LockedPayment | undefined> {
  if (forUpdate) await tx.query`SELECT 1 FROM payments WHERE id = ${paymentId}::uuid FOR UPDATE`;
  const [row] = await tx.query<LockedPayment[]>`
    SELECT status::text AS status, currency::text AS currency, organization_id AS "organizationId",
           provider_payment_id AS "providerPaymentId",
           status = 'PAID' OR (status IN ('REFUNDING', 'REFUNDED') AND EXISTS (
             SELECT 1 FROM refunds WHERE payment_id = payments.id AND of_sale)) AS "ofSale",
           ${isDisputed(sql`payments.id`)} AS disputed
    FROM payments WHERE id = ${paymentId}::uuid`;
  return row;
}

interface KnownRefund {
  id: string;
  paymentId: string;
  amountPaise: Paise;
}

export async function findByKey(tx: DbSession, key: string): Promise<KnownRefund | undefined> {
  const [row] = await tx.query<KnownRefund[]>`
    SELECT id, payment_id AS "paymentId", amount_paise AS "amountPaise" FROM refunds WHERE key = ${key}`;
  return row;
}

function isSame(known: KnownRefund, { paymentId, amountPaise }: RefundRequested): boolean {
  if (known.paymentId !== paymentId.toLowerCase()) return false;
  return amountPaise === "all" || amountPaise === known.amountPaise;
}

/** Legs released when the checkout ended unpaid are already returned, and a failed refund moved nothing. */
async function lockLegs(
  tx: DbSession,
  paymentId: string,
  { forUpdate }: { forUpdate: boolean },
): Promise<LegLeft[]> {
  if (forUpdate) {
    await tx.query`
      SELECT 1 FROM payment_legs WHERE payment_id = ${paymentId}::uuid ORDER BY id FOR NO KEY UPDATE`;
  }
  return tx.query<LegLeft[]>`
    SELECT leg.id AS "legId", leg.kind::text AS kind,
           (leg.amount_paise - COALESCE((
             SELECT sum(back.amount_paise) FROM refund_legs AS back
             WHERE back.payment_leg_id = leg.id AND back.state <> 'FAILED'), 0))::bigint AS "leftPaise"
    FROM payment_legs AS leg
    WHERE leg.payment_id = ${paymentId}::uuid AND leg.released_at IS NULL
    ORDER BY leg.id`;
}

function refusalOf(
  payment: LockedPayment,
  legs: readonly LegLeft[],
  { paymentId, amountPaise }: RefundRequested,
): Refused | undefined {
  if (!["PAID", "ORPHANED", "REFUNDING", "REFUNDED"].includes(payment.status))
    return refuse("NOT_CAPTURED", `payment ${paymentId} is ${payment.status}; nothing was paid`);
  if (payment.currency !== "INR")
    return refuse("CURRENCY_NOT_SUPPORTED", `payment ${paymentId} is in ${payment.currency}`);
  if (amountPaise !== "all" && amountPaise <= 0n)
    return refuse("AMOUNT_NOT_POSITIVE", "a refund gives back more than nothing");
  if (payment.disputed)
    return refuse(
      DISPUTE_OPEN,
      `the buyer disputes payment ${paymentId}, and a refund beside the dispute may pay twice: wait until it ends, or accept it in the provider's dashboard`,
    );
  if (legs.every(({ leftPaise }) => leftPaise === 0n))
    return refuse("NOTHING_LEFT", `all of payment ${paymentId} went back or is on its way back`);
  return undefined;
}

function needsProvider(shares: readonly LegShare[]): boolean {
  return shares.some(({ kind }) => kind === "card");
}

/** Nothing when the same key was used for another payment at this very moment. */
export async function insertRefund(
  tx: DbSession,
  refund: RefundRequested & { amountPaise: Paise; ofSale: boolean },
): Promise<string | undefined> {
  const refundId = newUuid();
  const inserted = await tx.execute`
    INSERT INTO refunds (id, payment_id, key, amount_paise, reason, requested_by, of_sale)
    VALUES (${refundId}::uuid, ${refund.paymentId}::uuid, ${refund.key}, ${refund.amountPaise},
            ${refund.reason}, ${refund.requestedBy}, ${refund.ofSale})
    ON CONFLICT (key) DO NOTHING`;
  return inserted === 1 ? refundId : undefined;
}

export async function insertLegs(
  tx: DbSession,
  refundId: string,
  shares: readonly LegShare[],
): Promise<void> {
  for (const { legId, amountPaise } of shares) {
    await tx.execute`
      INSERT INTO refund_legs (refund_id, payment_leg_id, amount_paise)
      VALUES (${refundId}::uuid, ${legId}::uuid, ${amountPaise})`;
  }
}

/** A payment of which something is left was REFUNDED too early, by a version that said so at the request. */
async function markRefunding(tx: DbSession, paymentId: string): Promise<void> {
  await tx.execute`
    UPDATE payments SET status = 'REFUNDING', updated_at = now()
    WHERE id = ${paymentId}::uuid AND status IN ('PAID', 'ORPHANED', 'REFUNDED')`;
}

function reused(key: string): Refused {
  return refuse("KEY_REUSED", `the key ${key} already belongs to another refund`);
}

function refuse(code: RequestRefusal, message: string): Refused {
  return { kind: "refused", code, message };
}
