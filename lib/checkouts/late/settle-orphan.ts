import { recordAudit } from "../../audit/audit-log.ts";
import { inTransaction, type Db, type DbSession } from "../../db/client.ts";
import { inSerializable } from "../../db/retries.ts";
import { SQLSTATE } from "../../db/sqlstate.ts";
import { lockBooking, type LockedBooking, type LockedPayment } from "../locked-booking.ts";
import { enqueueMail } from "../../notifications/mail.ts";
import type { Paise } from "../../support/money.ts";
import type { Random } from "../../support/random.ts";
import { toldBecause } from "../told-because.ts";
import { takeLegsAgain } from "../held-legs.ts";
import { isPaymentDisputed } from "../../refunds/disputed.ts";
import { requestRefund } from "../../refunds/request-refund.ts";
import { heldAppointments } from "../held-meetings.ts";
import { decideLate, type LateDecision, type RefundReason } from "./decide.ts";
import type { Orphan } from "./late-payments.ts";
import { WriteConflictError } from "../../db/errors.ts";

type Settlement =
  /** Its slots were still free: booked again, and confirmed. */
  | { kind: "booked"; amountPaise: Paise }
  /** Asked for once, by the key `late-capture:<payment>`. */
  | { kind: "refund"; refundId: string; why: RefundReason; amountPaise: Paise }
  /** The buyer disputes it: neither booked nor refunded before the dispute ends. */
  | { kind: "disputed" }
  /** All of it is on its way back, by a refund made outside that the provider has not finished. */
  | { kind: "under-way" }
  /** Another run settled it. */
  | { kind: "elsewhere" }
  /** It can neither be booked nor refunded by a job. */
  | { kind: "refused"; code: string; message: string }
  | { kind: "conflict" };

/** A slot that somebody confirmed a moment ago. */
const LOST_RACES = [SQLSTATE.exclusionViolation];

interface SettleOptions {
  actor: string;
  random: Random;
  signal: AbortSignal;
}

/**
 * Settles one orphan in one serializable transaction: booked again if everything that it had held is still free,
 * refunded otherwise. A second run finds it settled.
 */
export async function settleOrphan(
  db: Db,
  orphan: Orphan,
  { actor, random, signal }: SettleOptions,
): Promise<Settlement> {
  try {
    return await inSerializable(db, (tx) => settle(tx, orphan, actor), {
      random,
      signal,
      lostRaces: LOST_RACES,
    });
  } catch (error) {
    if (error instanceof WriteConflictError) return { kind: "conflict" };
    throw error;
  }
}

/** The action of `settleOrphan` now, also for a payment whose capture is not recorded yet. Only reads. */
export async function planOrphan(
  db: DbSession,
  { paymentId, ...of }: Orphan,
): Promise<{
  decision: LateDecision | { kind: "disputed" | "under-way" };
  amountPaise: Paise;
}> {
  if (await isPaymentDisputed(db, paymentId)) {
    return { decision: { kind: "disputed" }, amountPaise: 0n };
  }
  const booking = await lockBooking(db, { ...of, forUpdate: false });
  const payment = paymentOf(booking, paymentId);
  const decision = await decideLate(db, { booking, paymentId, forUpdate: false });
  const amountPaise =
    decision.kind === "book" ? payment.amountPaise : await leftToRefund(db, paymentId);
  return { decision: amountPaise === 0n ? { kind: "under-way" } : decision, amountPaise };
}

async function settle(
  tx: DbSession,
  { paymentId, ...of }: Orphan,
  actor: string,
): Promise<Settlement> {
  const booking = await lockBooking(tx, { ...of, forUpdate: true });
  const payment = paymentOf(booking, paymentId);
  if (payment.status !== "ORPHANED") return { kind: "elsewhere" };
  if (await isPaymentDisputed(tx, paymentId)) return { kind: "disputed" };
  const decision = await decideLate(tx, { booking, paymentId, forUpdate: true });
  return decision.kind === "book"
    ? bookAgain(tx, { booking, payment, actor })
    : giveUp(tx, { booking, payment, actor, why: decision.why });
}

function paymentOf(booking: LockedBooking, paymentId: string): LockedPayment {
  const payment = booking.payments.find(({ id }) => id === paymentId);
  if (!payment) throw new Error(`payment ${paymentId} is not one of booking ${booking.id}`);
  return payment;
}

async function bookAgain(
  tx: DbSession,
  { booking, payment, actor }: { booking: LockedBooking; payment: LockedPayment; actor: string },
): Promise<Settlement> {
  const { id: paymentId, organizationId, amountPaise } = payment;
  const taken = await takeLegsAgain(tx, { paymentId, organizationId, actor });
  if (!taken) throw new Error(`the legs of payment ${paymentId} changed under their locks`);
  // Consultant and times are those of the appointment, which a trigger fills in.
  const inserted = await tx.execute`
    INSERT INTO slots (appointment_id, booking_id, user_id, consultant_id, starts_at, ends_at, tentative)
    SELECT seat.appointment_id, ${booking.id}::uuid, ${booking.userId}::uuid, appointment.consultant_id,
           appointment.starts_at, appointment.ends_at, false
    FROM (${heldAppointments(booking.id)}) AS seat
    JOIN appointments AS appointment ON appointment.id = seat.appointment_id
    WHERE NOT EXISTS (SELECT 1 FROM slots WHERE booking_id = ${booking.id}::uuid)`;
  const confirmed = await tx.execute`
    UPDATE slots SET tentative = false, updated_at = now()
    WHERE booking_id = ${booking.id}::uuid AND tentative`;
  await tx.execute`
    UPDATE bookings SET status = 'CONFIRMED', updated_at = now()
    WHERE id = ${booking.id}::uuid AND status <> 'CONFIRMED'`;
  await moveOrphan(tx, paymentId, "PAID");
  await tell(tx, { booking, paymentId, template: "late-payment-booked", amountPaise });
  await recordAudit(tx, {
    actor,
    category: "CHECKOUT",
    action: "booked-again",
    subjectType: "payment",
    subjectId: paymentId,
    reason: null,
    organizationId,
    detail: { bookingId: booking.id, slots: inserted + confirmed, ...taken },
  });
  return { kind: "booked", amountPaise };
}

async function giveUp(
  tx: DbSession,
  {
    booking,
    payment,
    actor,
    why,
  }: { booking: LockedBooking; payment: LockedPayment; actor: string; why: RefundReason },
): Promise<Settlement> {
  const { id: paymentId, organizationId } = payment;
  const amountPaise = await leftToRefund(tx, paymentId);
  if (amountPaise === 0n) return { kind: "under-way" };
  const result = await requestRefund(tx, {
    paymentId,
    key: `late-capture:${paymentId}`,
    amountPaise: "all",
    reason: `late capture: ${why}`,
    requestedBy: actor,
  });
  if (result.kind === "refused") return result;
  await moveOrphan(tx, paymentId, "REFUNDING");
  await tell(tx, { booking, paymentId, template: "late-payment-refunded", amountPaise });
  await recordAudit(tx, {
    actor,
    category: "CHECKOUT",
    action: "refunded-late",
    subjectType: "payment",
    subjectId: paymentId,
    reason: why,
    organizationId,
    detail: { bookingId: booking.id, refundId: result.refundId, amountPaise },
  });
  return { kind: "refund", refundId: result.refundId, why, amountPaise };
}

/**
 * Asks once more for the refund of a late capture of which a part has gone back outside. Nothing when nothing is left,
 * or while it is disputed.
 */
export async function refundWhatIsLeft(
  db: Db,
  { paymentId, asked, actor }: { paymentId: string; asked: number; actor: string },
  { dryRun }: { dryRun: boolean },
): Promise<
  { outcome: "refunded" | "failed"; code: string; message: string; amountPaise: Paise } | undefined
> {
  const amountPaise = await leftToRefund(db, paymentId);
  if (amountPaise === 0n || (await isPaymentDisputed(db, paymentId))) return undefined;
  const planned = { outcome: "refunded" as const, code: "what-is-left", amountPaise };
  if (dryRun) return { ...planned, message: "would be asked for again" };
  const result = await inTransaction(db, (tx) =>
    requestRefund(tx, {
      paymentId,
      key: `late-capture:${paymentId}:${asked + 1}`,
      amountPaise: "all",
      reason: "late capture: what is left after a refund made outside",
      requestedBy: actor,
    }),
  );
  return result.kind === "refused"
    ? { outcome: "failed", code: result.code, message: result.message, amountPaise: 0n }
    : { ...planned, message: `refund ${result.refundId}` };
}

/** The request of a refund may have moved it already. */
async function moveOrphan(
  tx: DbSession,
  paymentId: string,
  to: "PAID" | "REFUNDING",
): Promise<void> {
  await tx.execute`
    UPDATE payments SET status = ${to}::payment_status, updated_at = now()
    WHERE id = ${paymentId}::uuid AND status = 'ORPHANED'`;
}

/** The paid amount that is neither returned nor being returned: released legs are returned. */
async function leftToRefund(db: DbSession, paymentId: string): Promise<Paise> {
  const [row] = await db.query<{ left: Paise }[]>`
    SELECT COALESCE(sum(leg.amount_paise - COALESCE((
             SELECT sum(back.amount_paise) FROM refund_legs AS back
             WHERE back.payment_leg_id = leg.id AND back.state <> 'FAILED'), 0)), 0)::bigint AS left
    FROM payment_legs AS leg
    WHERE leg.payment_id = ${paymentId}::uuid AND leg.released_at IS NULL`;
  return row?.left ?? 0n;
}

async function tell(
  tx: DbSession,
  {
    booking,
    paymentId,
    template,
    amountPaise,
  }: {
    booking: LockedBooking;
    paymentId: string;
    template: "late-payment-booked" | "late-payment-refunded";
    amountPaise: Paise;
  },
): Promise<void> {
  await enqueueMail(tx, {
    key: `${template}:${paymentId}`,
    userId: booking.userId,
    template,
    data: {
      planTitle: booking.plan.title,
      planUrl: booking.plan.url,
      amountPaise,
      ...(template === "late-payment-refunded" ? { why: toldBecause(booking, "lapsed") } : {}),
    },
  });
}
