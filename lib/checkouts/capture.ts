import { recordAudit } from "../audit/audit-log.ts";
import type { Db, DbSession } from "../db/client.ts";
import { inSerializable } from "../db/retries.ts";
import { SQLSTATE } from "../db/sqlstate.ts";
import { recordFinding } from "../findings/index.ts";
import { endRequest } from "./end-request.ts";
import { hasMeetingBegun } from "./held-meetings.ts";
import {
  lockBooking,
  type LockedBooking,
  type LockedPayment,
  type PaymentStatus,
} from "./locked-booking.ts";
import type { Random } from "../support/random.ts";
import type { Paise } from "../support/money.ts";
import { WriteConflictError } from "../db/errors.ts";

/** Money that the provider says has reached us. */
export interface Capture {
  /** `order_…` */
  orderId: string;
  /** `pay_…` */
  providerPaymentId: string;
  /** The captured amount: the card leg, without the parts paid by wallets and credits. */
  amountPaise: Paise;
  /** Default: now, on the database's clock. */
  capturedAt?: Date;
  /** The source of the report, as named in the audit log: `job:<name>`, `webhook`. */
  source: string;
}

/** Why captured money pays for nothing, and is booked again or refunded. */
type OrphanReason =
  /** The hold had ended. */
  | "hold-ended"
  /** Another buyer's confirmed slot has the time. */
  | "slot-taken"
  /** The request was cancelled, or holds no slot. */
  | "nothing-held"
  /** The webinar or class does not take place. */
  | "plan-cancelled"
  /** A meeting has begun: it can not be booked any more. */
  | "meeting-past"
  /** The order was paid by another payment before. */
  | "paid-twice";

export type CaptureResult =
  /** PENDING → PAID: the booking is confirmed. */
  | { kind: "confirmed"; paymentId: string; bookingId: string }
  /** ORPHANED: `reconcile-late-captures` books it again or refunds it. */
  | { kind: "orphaned"; paymentId: string; bookingId: string; why: OrphanReason }
  /** Recorded before; nothing was changed, but that it has the provider's id now. */
  | { kind: "known"; paymentId: string; status: PaymentStatus }
  /**
   * Another amount than the order's. Nothing was changed but a finding stored: a person decides, and it is
   * open until one has.
   */
  | { kind: "differs"; paymentId: string; isOpen: boolean }
  | { kind: "unknown-order" }
  /** Other sessions changed the same rows in every try; nothing was changed. */
  | { kind: "conflict" };

interface CaptureOptions {
  /** How long an offered seat is kept for the person. */
  offerMs: number;
  random: Random;
  signal?: AbortSignal;
}

/** A confirmed slot of another buyer, and another record of the same capture. */
const LOST_RACES = [SQLSTATE.exclusionViolation, SQLSTATE.uniqueViolation];

/**
 * Records a capture as a webhook reports it, once for any source and number of reports.
 *
 * An open checkout becomes PAID and its booking CONFIRMED. If the hold had ended, or another person's confirmed
 * slot has taken the time, or a meeting has begun, the payment is ORPHANED instead. A second payment of an order is
 * a separate payment, ORPHANED from the start, so that it is refunded like every other orphan; a critical finding
 * reports it. An amount other than the order's changes nothing: no rule says why it was paid (a fee charged to the
 * buyer would make every capture differ). The hold stays for the buyer, and a critical finding asks a person.
 */
export async function recordCapture(
  db: Db,
  capture: Capture,
  { offerMs, random, signal }: CaptureOptions,
): Promise<CaptureResult> {
  try {
    return await inSerializable(db, (tx) => record(tx, capture, { offerMs }), {
      random,
      lostRaces: LOST_RACES,
      ...(signal ? { signal } : {}),
    });
  } catch (error) {
    if (error instanceof WriteConflictError) return { kind: "conflict" };
    throw error;
  }
}

/** The result of `recordCapture` for an open checkout now. Only reads. */
export async function planCapture(
  db: DbSession,
  {
    of,
    amountPaise,
  }: { of: { paymentId: string; bookingId: string; planId: string }; amountPaise: Paise },
): Promise<"confirm" | "differs" | OrphanReason> {
  const booking = await lockBooking(db, { ...of, forUpdate: false });
  const payment = booking.payments.find(({ id }) => id === of.paymentId);
  if (payment?.cardPaise !== amountPaise) return "differs";
  return (await reasonNotToConfirm(db, booking)) ?? "confirm";
}

async function record(
  tx: DbSession,
  capture: Capture,
  { offerMs }: { offerMs: number },
): Promise<CaptureResult> {
  const [known] = await tx.query<{ paymentId: string; status: PaymentStatus }[]>`
    SELECT id AS "paymentId", status::text AS status FROM payments
    WHERE provider_payment_id = ${capture.providerPaymentId}`;
  if (known) return { kind: "known", ...known };
  const [found] = await tx.query<{ paymentId: string; bookingId: string; planId: string }[]>`
    SELECT payment.id AS "paymentId", booking.id AS "bookingId", booking.plan_id AS "planId"
    FROM payments AS payment JOIN bookings AS booking ON booking.id = payment.booking_id
    WHERE payment.provider_order_id = ${capture.orderId}`;
  if (!found) return { kind: "unknown-order" };
  const booking = await lockBooking(tx, { ...found, forUpdate: true });
  const payment = booking.payments.find(({ id }) => id === found.paymentId);
  if (!payment) throw new Error(`payment ${found.paymentId} has vanished`);

  if (payment.providerPaymentId !== null || (isSettled(payment) && payment.cardPaise === null)) {
    return recordSecondPayment(tx, { booking, payment, capture });
  }
  if (capture.amountPaise !== payment.cardPaise) {
    const isOpen = await recordFinding(tx, {
      kind: "capture-amount-differs",
      severity: "critical",
      subjectType: "payment",
      subjectId: payment.id,
      details: {
        providerPaymentId: capture.providerPaymentId,
        oursPaise: payment.cardPaise,
        theirsPaise: capture.amountPaise,
      },
    });
    return { kind: "differs", paymentId: payment.id, isOpen };
  }
  if (isSettled(payment)) return nameCapture(tx, { payment, capture });
  if (payment.status === "EXPIRED") return orphan(tx, { booking, payment, capture }, "hold-ended");
  const why = await reasonNotToConfirm(tx, booking);
  if (why === undefined) return confirm(tx, { booking, payment, capture });
  const result = await orphan(tx, { booking, payment, capture }, why);
  const because = why === "plan-cancelled" ? why : "paid-too-late";
  await endRequest(tx, booking, { actor: capture.source, because, offerMs });
  if (why === "meeting-past") await reportPaidAfterMeeting(tx, { booking, payment, capture });
  return result;
}

interface Subject {
  booking: LockedBooking;
  payment: LockedPayment;
  capture: Capture;
}

const CAPTURED: ReadonlySet<PaymentStatus> = new Set(["PAID", "ORPHANED", "REFUNDING", "REFUNDED"]);

/** Captured before. */
function isSettled({ status }: LockedPayment): boolean {
  return CAPTURED.has(status);
}

async function reasonNotToConfirm(
  tx: DbSession,
  booking: LockedBooking,
): Promise<OrphanReason | undefined> {
  if (booking.plan.isCancelled) return "plan-cancelled";
  if (booking.status === "CANCELLED" || booking.slots.length === 0) return "nothing-held";
  if (await hasMeetingBegun(tx, booking.id)) return "meeting-past";
  const [{ taken } = { taken: false }] = await tx.query<{ taken: boolean }[]>`
    SELECT EXISTS (
      SELECT 1 FROM slots AS own
      JOIN slots AS other ON other.consultant_id = own.consultant_id
        AND other.appointment_id <> own.appointment_id
        AND tstzrange(other.starts_at, other.ends_at) && tstzrange(own.starts_at, own.ends_at)
        AND (NOT other.tentative OR other.booking_id = own.booking_id)
      WHERE own.booking_id = ${booking.id}::uuid AND own.tentative
    ) AS taken`;
  return taken ? "slot-taken" : undefined;
}

async function confirm(
  tx: DbSession,
  { booking, payment, capture }: Subject,
): Promise<CaptureResult> {
  await moveCaptured(tx, { payment, capture, to: "PAID" });
  await tx.execute`
    UPDATE slots SET tentative = false, updated_at = now()
    WHERE booking_id = ${booking.id}::uuid AND tentative`;
  await tx.execute`
    UPDATE bookings SET status = 'CONFIRMED', updated_at = now()
    WHERE id = ${booking.id}::uuid AND status IN ('PENDING', 'APPROVED_PENDING_PAYMENT')`;
  await audit(tx, { booking, payment, capture }, { action: "captured", reason: null });
  return { kind: "confirmed", paymentId: payment.id, bookingId: booking.id };
}

async function orphan(
  tx: DbSession,
  subject: Subject,
  why: OrphanReason,
): Promise<Extract<CaptureResult, { kind: "orphaned" }>> {
  await moveCaptured(tx, { ...subject, to: "ORPHANED" });
  await audit(tx, subject, { action: "captured-late", reason: why });
  return {
    kind: "orphaned",
    paymentId: subject.payment.id,
    bookingId: subject.booking.id,
    why,
  };
}

/** The buyer paid for a meeting and was never booked: somebody apologizes, and looks why no report came. */
async function reportPaidAfterMeeting(
  tx: DbSession,
  { booking, payment, capture }: Subject,
): Promise<void> {
  await recordFinding(tx, {
    kind: "paid-after-meeting",
    severity: "critical",
    subjectType: "payment",
    subjectId: payment.id,
    details: {
      bookingId: booking.id,
      providerPaymentId: capture.providerPaymentId,
      amountPaise: payment.amountPaise,
      reportedBy: capture.source,
    },
  });
}

async function moveCaptured(
  tx: DbSession,
  { payment, capture, to }: { payment: LockedPayment; capture: Capture; to: PaymentStatus },
): Promise<void> {
  const hit = await tx.execute`
    UPDATE payments
    SET status = ${to}::payment_status, provider_payment_id = ${capture.providerPaymentId},
        captured_at = COALESCE(${capture.capturedAt ?? null}::timestamptz, now()), updated_at = now()
    WHERE id = ${payment.id}::uuid AND status = ${payment.status}::payment_status`;
  if (hit !== 1) throw new Error(`payment ${payment.id} changed under its lock`);
}

/**
 * A payment that was written down as captured without the provider's id of it: this is that capture, and no
 * second one that would go back.
 */
async function nameCapture(
  tx: DbSession,
  { payment, capture }: Pick<Subject, "payment" | "capture">,
): Promise<CaptureResult> {
  await tx.execute`
    UPDATE payments SET provider_payment_id = ${capture.providerPaymentId}, updated_at = now()
    WHERE id = ${payment.id}::uuid AND provider_payment_id IS NULL`;
  return { kind: "known", paymentId: payment.id, status: payment.status };
}

/**
 * The buyer paid an order that was paid already. No second service was sold, so all of it is to go back:
 * it becomes an orphan of its own, without an order, which nothing can be booked for.
 */
async function recordSecondPayment(
  tx: DbSession,
  { booking, payment, capture }: Subject,
): Promise<CaptureResult> {
  const [second] = await tx.query<{ id: string }[]>`
    WITH second AS (
      INSERT INTO payments (booking_id, user_id, organization_id, amount_paise, status,
                            provider_payment_id, captured_at)
      VALUES (${booking.id}::uuid, ${booking.userId}::uuid, ${payment.organizationId}::uuid,
              ${capture.amountPaise}, 'ORPHANED', ${capture.providerPaymentId},
              COALESCE(${capture.capturedAt ?? null}::timestamptz, now()))
      RETURNING id
    ), leg AS (
      INSERT INTO payment_legs (payment_id, kind, amount_paise)
      SELECT id, 'card', ${capture.amountPaise} FROM second
    )
    SELECT id FROM second`;
  if (!second) throw new Error("a second payment was not recorded");
  await recordFinding(tx, {
    kind: "order-paid-twice",
    severity: "critical",
    subjectType: "payment",
    subjectId: payment.id,
    details: {
      firstProviderPaymentId: payment.providerPaymentId,
      secondProviderPaymentId: capture.providerPaymentId,
      secondPaymentId: second.id,
      amountPaise: capture.amountPaise,
    },
  });
  await recordAudit(tx, {
    actor: capture.source,
    category: "CHECKOUT",
    action: "captured-late",
    subjectType: "payment",
    subjectId: second.id,
    reason: "paid-twice",
    organizationId: payment.organizationId,
    detail: { bookingId: booking.id, firstPaymentId: payment.id },
  });
  return { kind: "orphaned", paymentId: second.id, bookingId: booking.id, why: "paid-twice" };
}

async function audit(
  tx: DbSession,
  { booking, payment, capture }: Subject,
  { action, reason }: { action: "captured" | "captured-late"; reason: OrphanReason | null },
): Promise<void> {
  await recordAudit(tx, {
    actor: capture.source,
    category: "CHECKOUT",
    action,
    subjectType: "payment",
    subjectId: payment.id,
    reason,
    organizationId: payment.organizationId,
    detail: { bookingId: booking.id, providerPaymentId: capture.providerPaymentId },
  });
}
