import { recordAudit } from "../audit/audit-log.ts";
import type { Db, DbSession } from "../db/client.ts";
import { inTransaction } from "../db/client.ts";
import {
  requestRefund,
  type RefundRequested,
  type RequestRefundResult,
} from "../refunds/request-refund.ts";
import { endParticipation } from "../waitlist/moves/index.ts";
import { findBooking } from "./find-booking.ts";
import { lockBooking, type LockedBooking } from "./locked-booking.ts";

/** The fate of the seat. */
export type SeatAfterRefund =
  /** All of the sale goes back: the booking is over, and free seats are offered on. */
  | { kind: "freed"; slots: number; offers: number }
  /** All of the sale goes back, and the booking stands, as was asked for. */
  | { kind: "kept" }
  /** The booking had ended before. */
  | { kind: "ended-before" }
  /** Only a part goes back, or the payment did not pay for the booking. */
  | { kind: "untouched" };

export interface PaymentRefunded {
  refund: RequestRefundResult;
  seat: SeatAfterRefund;
}

/**
 * Asks for a refund of one payment. One that leaves nothing of what paid for the booking ends it, with the reason
 * `refunded`, in the same transaction, unless the seat is to be kept. So does asking for all of what has gone back
 * already, which is how a kept seat is freed later.
 */
export async function refundPayment(
  db: Db,
  { refund, keepSeat, offerMs }: { refund: RefundRequested; keepSeat: boolean; offerMs: number },
): Promise<PaymentRefunded> {
  return inTransaction(db, async (tx) => {
    const found = await findBooking(tx, { by: "payment", paymentId: refund.paymentId });
    const booking = found && (await lockBooking(tx, { ...found, forUpdate: true }));
    const result = await requestRefund(tx, refund);
    const seat: SeatAfterRefund =
      booking && (await goesBackWhole(tx, { booking, refund, result }))
        ? await endBooking(tx, { booking, refund, keepSeat, offerMs })
        : { kind: "untouched" };
    return { refund: result, seat };
  });
}

/** Nothing of the sale stays, by this refund or, where all is asked for, by earlier ones. */
async function goesBackWhole(
  tx: DbSession,
  {
    booking,
    refund,
    result,
  }: { booking: LockedBooking; refund: RefundRequested; result: RequestRefundResult },
): Promise<boolean> {
  if (result.kind === "known") return false;
  if (result.kind === "refused" && result.code !== "NOTHING_LEFT") return false;
  if (result.kind === "refused" && refund.amountPaise !== "all") return false;
  const [after] = await tx.query<{ isGone: boolean; paidElsewhere: boolean }[]>`
    SELECT payment.status IN ('REFUNDING', 'REFUNDED') AND EXISTS (
             SELECT 1 FROM refunds WHERE payment_id = payment.id AND of_sale) AS "isGone",
           EXISTS (
             SELECT 1 FROM payments AS other
             WHERE other.booking_id = payment.booking_id AND other.id <> payment.id
               AND other.status IN ('PENDING', 'PAID')) AS "paidElsewhere"
    FROM payments AS payment
    WHERE payment.id = ${refund.paymentId}::uuid AND payment.booking_id = ${booking.id}::uuid`;
  return after?.isGone === true && !after.paidElsewhere;
}

async function endBooking(
  tx: DbSession,
  {
    booking,
    refund: { paymentId, requestedBy: actor, reason },
    keepSeat,
    offerMs,
  }: { booking: LockedBooking; refund: RefundRequested; keepSeat: boolean; offerMs: number },
): Promise<SeatAfterRefund> {
  if (booking.status === "CANCELLED") return { kind: "ended-before" };
  if (keepSeat) return { kind: "kept" };
  const end = { bookingId: booking.id, because: "refunded", actor, offerMs } as const;
  const ended = await endParticipation(tx, end);
  if (ended.kind !== "ended") return { kind: "ended-before" };
  const freed = { slots: booking.slots.length, offers: ended.offers.length };
  await recordAudit(tx, {
    actor,
    category: "CHECKOUT",
    action: "seat-freed",
    subjectType: "booking",
    subjectId: booking.id,
    reason,
    detail: { paymentId, ...freed },
  });
  return { kind: "freed", ...freed };
}
