import { readAudit, type RecordedAuditEntry } from "../audit/audit-log.ts";
import type { DbSession } from "../db/client.ts";
import type { Paise } from "../support/money.ts";
import type { LegKind } from "./cascade.ts";

export interface PaymentDetails {
  id: string;
  bookingReference: string;
  status: string;
  amountPaise: Paise;
  organizationRef: string | null;
  providerOrderId: string | null;
  providerPaymentId: string | null;
  capturedAt: Date | null;
  legs: readonly PaidLeg[];
  refunds: readonly RefundDetails[];
  /** Oldest first. */
  disputes: readonly DisputeDetails[];
  earning: RefundedEarning | null;
  audit: readonly RecordedAuditEntry[];
}

interface PaidLeg {
  kind: LegKind;
  amountPaise: Paise;
  /** Has gone back, or is on its way. */
  backPaise: Paise;
  releasedAt: Date | null;
}

/** A buyer, or the buyer's bank, asks for the money back. */
export interface DisputeDetails {
  id: string;
  status: string;
  phase: string | null;
  reasonCode: string | null;
  amountPaise: Paise;
  deductedPaise: Paise;
  respondBy: Date | null;
  /** Why it holds nobody and is booked nowhere. */
  unmatched: string | null;
  raisedAt: Date;
  endedAt: Date | null;
}

export interface RefundDetails {
  id: string;
  key: string;
  status: string;
  amountPaise: Paise;
  reason: string;
  requestedBy: string;
  createdAt: Date;
  settledAt: Date | null;
  legs: readonly RefundLegDetails[];
}

interface RefundLegDetails {
  kind: LegKind;
  state: string;
  amountPaise: Paise;
  providerRefundId: string | null;
  failureCode: string | null;
  failureMessage: string | null;
}

/** The earning of the sale, and the consultant's share of the refund. */
interface RefundedEarning {
  status: string;
  amountPaise: Paise;
  leftPaise: Paise;
  /** Still to be recovered from other earnings. */
  owedPaise: Paise;
}

/** Everything about one payment. Nothing when there is none of that id. */
export async function showPayment(
  db: DbSession,
  paymentId: string,
): Promise<PaymentDetails | undefined> {
  const [payment] = await db.query<
    Omit<PaymentDetails, "legs" | "refunds" | "disputes" | "audit">[]
  >`
    SELECT payment.id, booking.reference AS "bookingReference", payment.status::text AS status,
           payment.amount_paise AS "amountPaise", organization.external_ref AS "organizationRef",
           payment.provider_order_id AS "providerOrderId",
           payment.provider_payment_id AS "providerPaymentId", payment.captured_at AS "capturedAt"
    FROM payments AS payment
    JOIN bookings AS booking ON booking.id = payment.booking_id
    LEFT JOIN organizations AS organization ON organization.id = payment.organization_id
    WHERE payment.id = ${paymentId}::uuid`;
  if (!payment) return undefined;
  return {
    ...payment,
    legs: await paidLegs(db, paymentId),
    refunds: await refundsOf(db, paymentId),
    disputes: await disputesOf(db, paymentId),
    earning: (await earningOf(db, paymentId)) ?? null,
    audit: await readAudit(db, { subjectType: "payment", subjectId: paymentId }),
  };
}

async function paidLegs(db: DbSession, paymentId: string): Promise<PaidLeg[]> {
  return db.query<PaidLeg[]>`
    SELECT leg.kind::text AS kind, leg.amount_paise AS "amountPaise",
           (SELECT COALESCE(sum(back.amount_paise), 0)::bigint FROM refund_legs AS back
            WHERE back.payment_leg_id = leg.id AND back.state <> 'FAILED') AS "backPaise",
           leg.released_at AS "releasedAt"
    FROM payment_legs AS leg WHERE leg.payment_id = ${paymentId}::uuid ORDER BY leg.kind, leg.id`;
}

async function refundsOf(db: DbSession, paymentId: string): Promise<RefundDetails[]> {
  const refunds = await db.query<Omit<RefundDetails, "legs">[]>`
    SELECT id, key, status::text AS status, amount_paise AS "amountPaise", reason,
           requested_by AS "requestedBy", created_at AS "createdAt", settled_at AS "settledAt"
    FROM refunds WHERE payment_id = ${paymentId}::uuid ORDER BY created_at, id`;
  const legs = await db.query<(RefundLegDetails & { refundId: string })[]>`
    SELECT leg.refund_id AS "refundId", paid.kind::text AS kind, leg.state::text AS state,
           leg.amount_paise AS "amountPaise", leg.provider_refund_id AS "providerRefundId",
           leg.failure_code AS "failureCode", leg.failure_message AS "failureMessage"
    FROM refund_legs AS leg JOIN payment_legs AS paid ON paid.id = leg.payment_leg_id
    WHERE paid.payment_id = ${paymentId}::uuid ORDER BY paid.kind, leg.id`;
  return refunds.map((refund) => ({
    ...refund,
    legs: legs
      .filter(({ refundId }) => refundId === refund.id)
      .map(({ kind, state, amountPaise, providerRefundId, failureCode, failureMessage }) => ({
        kind,
        state,
        amountPaise,
        providerRefundId,
        failureCode,
        failureMessage,
      })),
  }));
}

async function disputesOf(db: DbSession, paymentId: string): Promise<DisputeDetails[]> {
  return db.query<DisputeDetails[]>`
    SELECT id, status, phase, reason_code AS "reasonCode", amount_paise AS "amountPaise",
           deducted_paise AS "deductedPaise", respond_by AS "respondBy", unmatched, raised_at AS "raisedAt",
           ended_at AS "endedAt"
    FROM disputes WHERE payment_id = ${paymentId}::uuid ORDER BY raised_at, id`;
}

async function earningOf(db: DbSession, paymentId: string): Promise<RefundedEarning | undefined> {
  const [earning] = await db.query<RefundedEarning[]>`
    SELECT earning.status::text AS status, earning.amount_paise AS "amountPaise",
           net.amount_paise AS "leftPaise",
           (SELECT COALESCE(sum(amount_paise - recovered_amount_paise), 0)::bigint
            FROM earning_recoveries WHERE earning_id = earning.id) AS "owedPaise"
    FROM payments AS payment
    JOIN bookings AS booking ON booking.id = payment.booking_id
    JOIN earnings AS earning ON earning.id = sale_of_booking(booking.reference)
    JOIN earnings_net AS net ON net.earning_id = earning.id
    WHERE payment.id = ${paymentId}::uuid`;
  return earning;
}
