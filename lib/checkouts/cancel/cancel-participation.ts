import { recordAudit } from "../../audit/audit-log.ts";
import type { Db, DbSession } from "../../db/client.ts";
import { requestRefund, type RequestRefundResult } from "../../refunds/request-refund.ts";
import type { Paise } from "../../support/money.ts";
import { endParticipation, type EndReason } from "../../waitlist/moves/index.ts";
import { makeMove, type Busy } from "../../waitlist/moves/move.ts";
import type { SeatOffer } from "../../waitlist/offer-free-seats.ts";
import { expireCheckout, openCheckout, returnHeld } from "../expire-checkout.ts";
import { findBooking } from "../find-booking.ts";
import { lockBooking, type LockedBooking } from "../locked-booking.ts";
import { paidThatStays } from "../paid-that-stays.ts";

export interface ParticipationCancelled {
  bookingId: string;
  /** `refund`: all that is left of the payment is asked for, once. `keep`: it stays with us. */
  money: "refund" | "keep";
  /** Default: the buyer cancelled. */
  because?: Extract<EndReason, "cancelled-by-buyer" | "declined" | "cancelled">;
  /** `job:<name>`, or a person's name. */
  actor: string;
  /** How long an offered seat is kept for the person. */
  offerMs: number;
}

export type CancelParticipationResult =
  | {
      kind: "cancelled";
      /** The number of returned seats, and the offers made for them. */
      seats: number;
      offers: readonly SeatOffer[];
      /** Paid, and stays with us: neither refunded nor on its way back. */
      paidPaise: Paise;
      /** The refund that was asked for, if one was. */
      refundId: string | null;
    }
  /** The refund can not be asked for. Nothing was changed: call it with `keep`, or let a person look. */
  | { kind: "not-refundable"; code: string; message: string }
  /** Cancelled before: nothing to give back. */
  | { kind: "not-held" }
  | { kind: "unknown-booking" }
  | Busy;

/** Takes back all that its transaction has done. */
class NotRefundableError extends Error {
  readonly refusal: Extract<RequestRefundResult, { kind: "refused" }>;

  constructor(refusal: Extract<RequestRefundResult, { kind: "refused" }>) {
    super(refusal.message);
    this.refusal = refusal;
  }
}

/**
 * A participant leaves with all the seats of the booking, and the caller says what happens to the money. The slots
 * go, an open checkout ends, seats are offered and the refund is asked for in one transaction, under the key
 * `cancelled:<booking>`.
 */
export async function cancelParticipation(
  db: Db,
  wanted: ParticipationCancelled,
): Promise<CancelParticipationResult> {
  try {
    return await makeMove(db, (tx) => cancel(tx, wanted));
  } catch (error) {
    if (!(error instanceof NotRefundableError)) throw error;
    const { code, message } = error.refusal;
    return { kind: "not-refundable", code, message };
  }
}

async function cancel(
  tx: DbSession,
  { bookingId, money, because = "cancelled-by-buyer", actor, offerMs }: ParticipationCancelled,
): Promise<CancelParticipationResult> {
  const found = await findBooking(tx, { by: "booking", bookingId });
  if (!found) return { kind: "unknown-booking" };
  const booking = await lockBooking(tx, { ...found, forUpdate: true });
  if (booking.status === "CANCELLED") return { kind: "not-held" };
  const checkout = openCheckout(booking);
  if (checkout) await expireCheckout(tx, checkout);
  const ended = await endParticipation(tx, { bookingId, because, actor, offerMs });
  if (ended.kind !== "ended") return ended;
  if (checkout) await returnHeld(tx, checkout, actor);
  const refundId = money === "refund" ? await refundPaid(tx, { booking, because, actor }) : null;
  const paidPaise = await paidThatStays(tx, bookingId);
  await recordAudit(tx, {
    actor,
    category: "CHECKOUT",
    action: "participation-cancelled",
    subjectType: "booking",
    subjectId: bookingId,
    reason: because,
    detail: { money, paidPaise, refundId, seats: ended.seats, offers: ended.offers.length },
  });
  return { kind: "cancelled", seats: ended.seats, offers: ended.offers, paidPaise, refundId };
}

/** @throws {NotRefundableError} */
async function refundPaid(
  tx: DbSession,
  { booking, because, actor }: { booking: LockedBooking; because: EndReason; actor: string },
): Promise<string | null> {
  const paid = booking.payments.find(({ status }) => status === "PAID");
  if (!paid) return null;
  const result = await requestRefund(tx, {
    paymentId: paid.id,
    key: `cancelled:${booking.id}`,
    amountPaise: "all",
    reason: `participation cancelled: ${because}`,
    requestedBy: actor,
  });
  if (result.kind !== "refused") return result.refundId;
  if (result.code === "NOTHING_LEFT") return null;
  throw new NotRefundableError(result);
}
