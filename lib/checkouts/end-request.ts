import type { DbSession } from "../db/client.ts";
import type { EndReason } from "../waitlist/end-reason.ts";
import { offerFreeSeats } from "../waitlist/offer-free-seats.ts";
import type { LockedBooking } from "./locked-booking.ts";

/** The slots and seats freed by the end of a request. */
export interface Freed {
  slots: number;
  /** The number of these that were offered to the waitlist. */
  seatsOffered: number;
}

/**
 * Ends a request that nothing was paid for: its tentative slots go, it is cancelled with its reason if it was
 * still open, and freed seats are offered on, all in the caller's transaction, which holds the booking locked.
 */
export async function endRequest(
  tx: DbSession,
  booking: Pick<LockedBooking, "id" | "plan">,
  { actor, because, offerMs }: { actor: string; because: EndReason; offerMs: number },
): Promise<Freed> {
  const slots = await freeTentativeSlots(tx, { bookingId: booking.id, actor });
  await tx.execute`
    UPDATE bookings
    SET status = 'CANCELLED', ended_because = ${because}, ended_by = ${actor}, updated_at = now()
    WHERE id = ${booking.id}::uuid AND status IN ('PENDING', 'APPROVED_PENDING_PAYMENT')`;
  if (!booking.plan.isGroup) return { slots, seatsOffered: 0 };
  const offers = await offerFreeSeats(tx, { planId: booking.plan.id, offerMs });
  return { slots, seatsOffered: offers.length };
}

/**
 * Deletes the slots of a request, and keeps a record by which they can be booked again. The statement itself
 * checks "tentative and unpaid", so that no race after an earlier read can take a paid slot.
 *
 * The scope is the booking, for every kind of plan: a slot belongs to one booking, and the database keeps slot,
 * booking, user and plan together. For a class that is all sessions of this user, for a webinar this user's
 * seats, for a consultation or subscription every meeting. Slots of another booking of the same user are never
 * included.
 */
async function freeTentativeSlots(
  tx: DbSession,
  { bookingId, actor }: { bookingId: string; actor: string },
): Promise<number> {
  return tx.execute`
    WITH freed AS (
      DELETE FROM slots AS slot
      WHERE slot.booking_id = ${bookingId}::uuid
        AND slot.tentative
        AND NOT EXISTS (
          SELECT 1 FROM payments AS paid WHERE paid.booking_id = slot.booking_id AND paid.status = 'PAID')
      RETURNING slot.appointment_id, slot.booking_id, slot.user_id
    )
    INSERT INTO released_slots (appointment_id, booking_id, user_id, released_by)
    SELECT appointment_id, booking_id, user_id, ${actor} FROM freed`;
}
