import { recordAudit } from "../audit/audit-log.ts";
import { inTransaction, type Db, type DbSession } from "../db/client.ts";
import {
  expireCheckout,
  NOTHING_HELD,
  openCheckout,
  returnHeld,
} from "../checkouts/expire-checkout.ts";
import {
  lockBooking,
  type LockedBooking,
  type LockedPayment,
} from "../checkouts/locked-booking.ts";
import { leftOfPayment } from "../checkouts/paid-that-stays.ts";
import { recordFinding } from "../findings/index.ts";
import { enqueueMail } from "../notifications/mail.ts";
import {
  planRefund,
  requestRefund,
  type RefundRequested,
  type RequestRefundResult,
} from "../refunds/request-refund.ts";
import type { Paise } from "../support/money.ts";
import { endParticipation } from "../waitlist/moves/index.ts";
import { remedyOf } from "./remedies.ts";

/** The person who cancels the plan, and the reason. */
export interface Cancellation {
  planId: string;
  by: string;
  reason: string;
}

/** The fate of one booking; in a dry run, the expected one. */
export interface EndedBooking {
  /** It held its seats until now. */
  ended: boolean;
  checkoutEnded: boolean;
  walletPaise: Paise;
  creditPaise: Paise;
  /** Of the refund that was asked for now. */
  refundPaise: Paise | null;
  refusal: { paymentId: string; amountPaise: Paise; code: string; message: string } | null;
  mailed: boolean;
}

type Refused = Extract<RequestRefundResult, { kind: "refused" }>;

/**
 * Ends one booking of a cancelled plan in one transaction: its seats and its open checkout go, money
 * that it held is back, all that is left of its payment is asked back under one key, and its buyer is told. Done
 * again it does what is left, which is nothing but a refund that was refused.
 */
export async function endBooking(
  db: Db,
  bookingId: string,
  cancellation: Cancellation,
): Promise<EndedBooking> {
  return inTransaction(db, (tx) => end(tx, bookingId, cancellation));
}

/** The same, in a session that only reads. */
export async function planEndOfBooking(
  db: DbSession,
  bookingId: string,
  cancellation: Cancellation,
): Promise<EndedBooking> {
  const booking = await lockBooking(db, {
    bookingId,
    planId: cancellation.planId,
    forUpdate: false,
  });
  const { ends, checkout, paid } = stepsOf(booking);
  const refund = paid && (await planRefund(db, refundOf(paid, cancellation)));
  return {
    ended: ends,
    checkoutEnded: checkout !== undefined,
    ...(checkout ? await heldBy(db, checkout.id) : NOTHING_HELD),
    refundPaise: refund?.kind === "possible" ? refund.amountPaise : null,
    refusal: paid && refund?.kind === "refused" ? await refusalOf(db, paid, refund) : null,
    mailed: ends,
  };
}

/** The decision that a run and a dry run share. */
function stepsOf(booking: LockedBooking): {
  ends: boolean;
  checkout: LockedPayment | undefined;
  paid: LockedPayment | undefined;
} {
  const ends = booking.status !== "CANCELLED";
  const isOurs = ends || booking.endedBecause === "plan-cancelled";
  return {
    ends,
    checkout: openCheckout(booking),
    paid: isOurs ? booking.payments.find(({ status }) => status === "PAID") : undefined,
  };
}

function refundOf({ id }: LockedPayment, { planId, by, reason }: Cancellation): RefundRequested {
  return {
    paymentId: id,
    key: `plan-cancelled:${planId}:${id}`,
    amountPaise: "all",
    reason: `the event was cancelled: ${reason}`,
    requestedBy: by,
  };
}

async function refusalOf(
  db: DbSession,
  { id: paymentId }: LockedPayment,
  { code, message }: Refused,
): Promise<EndedBooking["refusal"]> {
  if (code === "NOTHING_LEFT") return null;
  return { paymentId, amountPaise: await leftOfPayment(db, paymentId), code, message };
}

async function heldBy(
  db: DbSession,
  paymentId: string,
): Promise<{ walletPaise: Paise; creditPaise: Paise }> {
  const [held] = await db.query<{ walletPaise: Paise; creditPaise: Paise }[]>`
    SELECT COALESCE(sum(amount_paise) FILTER (WHERE kind = 'wallet'), 0)::bigint AS "walletPaise",
           COALESCE(sum(amount_paise) FILTER (WHERE kind = 'referral_credit'), 0)::bigint AS "creditPaise"
    FROM payment_legs WHERE payment_id = ${paymentId}::uuid AND released_at IS NULL`;
  return held ?? NOTHING_HELD;
}

async function end(
  tx: DbSession,
  bookingId: string,
  cancellation: Cancellation,
): Promise<EndedBooking> {
  const { planId, by, reason } = cancellation;
  const booking = await lockBooking(tx, { bookingId, planId, forUpdate: true });
  if (!booking.plan.isCancelled) throw new Error(`plan ${planId} is not cancelled`);
  const { ends, checkout, paid } = stepsOf(booking);
  if (checkout && !(await expireCheckout(tx, checkout))) {
    throw new Error(`payment ${checkout.id} changed under its lock`);
  }
  if (ends) {
    // The time of an offer does not matter: no seat of a cancelled plan is offered.
    await endParticipation(tx, { bookingId, because: "plan-cancelled", actor: by, offerMs: 1 });
  }
  const held = checkout ? await returnHeld(tx, checkout, by) : NOTHING_HELD;
  const refund = paid && (await requestRefund(tx, refundOf(paid, cancellation)));
  const refusal = paid && refund?.kind === "refused" ? await refusalOf(tx, paid, refund) : null;
  const refundPaise = refund?.kind === "requested" ? await amountOf(tx, refund.refundId) : null;
  if (refusal) await reportRefusal(tx, { planId, bookingId, refusal });
  const mailed = ends && (await tell(tx, { booking, refundPaise, refusal }));
  await recordAudit(tx, {
    actor: by,
    category: "CHECKOUT",
    action: "plan-cancelled",
    subjectType: "booking",
    subjectId: bookingId,
    reason,
    organizationId: (paid ?? checkout)?.organizationId ?? null,
    detail: {
      planId,
      ended: ends,
      expiredPaymentId: checkout?.id ?? null,
      ...held,
      refundPaise,
      refusal,
    },
  });
  return {
    ended: ends,
    checkoutEnded: checkout !== undefined,
    ...held,
    refundPaise,
    refusal,
    mailed,
  };
}

async function amountOf(tx: DbSession, refundId: string): Promise<Paise> {
  const [refund] = await tx.query<{ amountPaise: Paise }[]>`
    SELECT amount_paise AS "amountPaise" FROM refunds WHERE id = ${refundId}::uuid`;
  if (!refund) throw new Error(`refund ${refundId} has vanished`);
  return refund.amountPaise;
}

/** The buyer was told that somebody sees to the money: somebody must. */
async function reportRefusal(
  tx: DbSession,
  {
    planId,
    bookingId,
    refusal,
  }: { planId: string; bookingId: string; refusal: NonNullable<EndedBooking["refusal"]> },
): Promise<void> {
  const { paymentId, amountPaise, code } = refusal;
  await recordFinding(tx, {
    kind: "plan-refund-refused",
    severity: "critical",
    subjectType: "payment",
    subjectId: paymentId,
    details: { planId, bookingId, amountPaise, code, remedy: remedyOf(code) },
  });
}

async function tell(
  tx: DbSession,
  {
    booking,
    refundPaise,
    refusal,
  }: {
    booking: LockedBooking;
    refundPaise: Paise | null;
    refusal: EndedBooking["refusal"];
  },
): Promise<boolean> {
  const money = refusal ? "looked-at" : refundPaise === null ? "none" : "refund";
  return enqueueMail(tx, {
    key: `plan-cancelled:${booking.id}`,
    userId: booking.userId,
    template: "plan-cancelled",
    data: {
      planTitle: booking.plan.title,
      planUrl: booking.plan.url,
      money,
      amountPaise: refundPaise ?? refusal?.amountPaise ?? 0n,
    },
  });
}
