import { sql, type DbSession, type SqlPart } from "../../db/client.ts";
import { endedByItself } from "../../waitlist/end-reason.ts";
import type { LockedBooking } from "../locked-booking.ts";
import { coversLegsAgain } from "../held-legs.ts";
import { hasMeetingBegun, heldAppointments } from "../held-meetings.ts";

/** Why a late payment is not booked again. */
export type RefundReason =
  /** The second payment of an order: it pays for nothing, after any outcome of the first one. */
  | "paid-twice"
  /** A part of it went back before, or is on its way: the rest pays for nothing. */
  | "partly-refunded"
  /** The booking is confirmed, or has another checkout that is open or paid. */
  | "booked-otherwise"
  /** The webinar or class does not take place. */
  | "plan-cancelled"
  /** Buyer, consultant or an operator had ended the request: only one that lapsed is booked again. */
  | "cancelled-on-purpose"
  /** No record names the booked appointments. */
  | "nothing-to-book"
  /** A meeting has begun. */
  | "meeting-past"
  /** Another slot of the consultant, held or confirmed, overlaps one of them. */
  | "slot-taken"
  /** The seats are booked, or promised to people of the waitlist. */
  | "no-seat"
  /** The buyer has booked the webinar or class again meanwhile. */
  | "buyer-has-booked"
  /** Wallet money or credit that was given back does not cover its part any more. */
  | "wallet-or-credit-spent";

export type LateDecision = { kind: "book" } | { kind: "refund"; why: RefundReason };

/** Whether everything that the hold had can be booked again, by the current rows. */
export async function decideLate(
  tx: DbSession,
  {
    booking,
    paymentId,
    forUpdate,
  }: { booking: LockedBooking; paymentId: string; forUpdate: boolean },
): Promise<LateDecision> {
  const why = await reasonToRefund(tx, { booking, paymentId });
  if (why !== undefined) return { kind: "refund", why };
  return (await coversLegsAgain(tx, { paymentId, forUpdate }))
    ? { kind: "book" }
    : { kind: "refund", why: "wallet-or-credit-spent" };
}

async function reasonToRefund(
  tx: DbSession,
  { booking, paymentId }: { booking: LockedBooking; paymentId: string },
): Promise<RefundReason | undefined> {
  const { plan, payments, status } = booking;
  const own = payments.find(({ id }) => id === paymentId);
  if (own?.orderId === null && own.cardPaise !== null) return "paid-twice";
  if (await hasRefund(tx, paymentId)) return "partly-refunded";
  const isOpenElsewhere = payments.some(
    (other) => other.id !== paymentId && (other.status === "PENDING" || other.status === "PAID"),
  );
  if (status === "CONFIRMED" || isOpenElsewhere) return "booked-otherwise";
  if (plan.isCancelled) return "plan-cancelled";
  if (booking.endedBecause !== null && !endedByItself(booking.endedBecause)) {
    return "cancelled-on-purpose";
  }
  const held = await readHeld(tx, booking);
  if (held.slots === 0) return "nothing-to-book";
  if (await hasMeetingBegun(tx, booking.id)) return "meeting-past";
  if (held.isTaken) return "slot-taken";
  if (!plan.isGroup) return undefined;
  // A request that is still open has its seats.
  if (status === "CANCELLED" && plan.freeSeats < booking.seats) return "no-seat";
  return (await hasOtherBooking(tx, booking)) ? "buyer-has-booked" : undefined;
}

interface Held {
  slots: number;
  isTaken: boolean;
}

/** The last appointments of the booking, and whether others have their times. */
async function readHeld(tx: DbSession, { id }: LockedBooking): Promise<Held> {
  const [held] = await tx.query<Held[]>`
    WITH held AS (
      SELECT appointment.id, appointment.consultant_id,
             tstzrange(appointment.starts_at, appointment.ends_at) AS during
      FROM (${heldAppointments(id)}) AS seat
      JOIN appointments AS appointment ON appointment.id = seat.appointment_id
    )
    SELECT count(*)::int AS slots,
           COALESCE(bool_or(EXISTS (${takenBy(sql`NOT other.tentative`, id)})
             OR EXISTS (${takenBy(sql`other.tentative`, id)})), false) AS "isTaken"
    FROM held`;
  return held ?? { slots: 0, isTaken: false };
}

/**
 * Slots of another booking at the same time. Confirmed and tentative ones are asked for apart: each has an
 * index of its own, and together PostgreSQL reads all slots.
 */
function takenBy(state: SqlPart, bookingId: string): SqlPart {
  return sql`
    SELECT 1 FROM slots AS other
    WHERE ${state} AND other.consultant_id = held.consultant_id AND other.appointment_id <> held.id
      AND other.booking_id <> ${bookingId}::uuid
      AND tstzrange(other.starts_at, other.ends_at) && held.during`;
}

async function hasRefund(tx: DbSession, paymentId: string): Promise<boolean> {
  const [row] = await tx.query<{ has: boolean }[]>`
    SELECT EXISTS (
      SELECT 1 FROM refund_legs AS back JOIN payment_legs AS leg ON leg.id = back.payment_leg_id
      WHERE leg.payment_id = ${paymentId}::uuid AND back.state <> 'FAILED') AS has`;
  return row?.has ?? false;
}

async function hasOtherBooking(
  tx: DbSession,
  { id, userId, plan }: LockedBooking,
): Promise<boolean> {
  const [row] = await tx.query<{ has: boolean }[]>`
    SELECT EXISTS (
      SELECT 1 FROM bookings
      WHERE plan_id = ${plan.id}::uuid AND user_id = ${userId}::uuid AND id <> ${id}::uuid
        AND status <> 'CANCELLED') AS has`;
  return row?.has ?? false;
}
