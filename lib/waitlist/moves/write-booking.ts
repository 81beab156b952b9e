import type { Db, DbSession } from "../../db/client.ts";
import { STANDS } from "../over.ts";
import { makeMove, type Busy } from "./move.ts";

/** CONFIRMED when it is paid or free; else its slots are tentative and wait for a checkout. */
export type NewBookingStatus = "PENDING" | "APPROVED_PENDING_PAYMENT" | "CONFIRMED";

export interface NewBooking {
  planId: string;
  userId: string;
  /** How the marketplace names it; unique. */
  reference: string;
  seats: number;
  status: NewBookingStatus;
}

export interface ReferenceTaken {
  kind: "reference-taken";
}

/** Takes back all that its transaction has done; `makeBooking` makes a value of it. */
class ReferenceTakenError extends Error {}

/** A move that writes a booking. */
export async function makeBooking<Result>(
  db: Db,
  body: (tx: DbSession) => Promise<Result>,
): Promise<Result | ReferenceTaken | Busy> {
  try {
    return await makeMove(db, body);
  } catch (error) {
    if (error instanceof ReferenceTakenError) return { kind: "reference-taken" };
    throw error;
  }
}

/**
 * Writes a booking of a webinar or class, and a slot for each seat in each of its meetings. Triggers count
 * its seats on the plan and refuse those that are not there.
 *
 * @throws {ReferenceTakenError} when a booking has that reference
 */
export async function writeBooking(
  tx: DbSession,
  { planId, userId, reference, seats, status }: NewBooking,
): Promise<string> {
  const [booking] = await tx.query<{ id: string }[]>`
    INSERT INTO bookings (reference, plan_id, user_id, seats, status)
    VALUES (${reference}, ${planId}::uuid, ${userId}::uuid, ${seats}, ${status}::booking_status)
    ON CONFLICT (reference) DO NOTHING
    RETURNING id`;
  if (!booking) throw new ReferenceTakenError(`a booking with the reference ${reference} exists`);
  await tx.execute`
    INSERT INTO slots (appointment_id, booking_id, user_id, consultant_id, starts_at, ends_at, tentative)
    SELECT id, ${booking.id}::uuid, ${userId}::uuid, consultant_id, starts_at, ends_at,
           ${status !== "CONFIRMED"}
    FROM appointments CROSS JOIN generate_series(1, ${seats}::int)
    WHERE plan_id = ${planId}::uuid AND booking_id IS NULL`;
  return booking.id;
}

/** The booking that bears a reference already, if it is this very one and holds its seats: asked twice. */
export async function findSameBooking(
  tx: DbSession,
  { planId, userId, reference, seats }: Omit<NewBooking, "status">,
): Promise<string | undefined> {
  const [booking] = await tx.query<{ id: string }[]>`
    SELECT id FROM bookings
    WHERE reference = ${reference} AND plan_id = ${planId}::uuid AND user_id = ${userId}::uuid
      AND seats = ${seats} AND status <> 'CANCELLED'`;
  return booking?.id;
}

/** Marks an offer as taken, which gives its seat back to the plan for the booking that takes it. */
export async function takeOffer(tx: DbSession, entryId: string): Promise<void> {
  const taken = await tx.execute`
    UPDATE waitlist_entries SET status = 'BOOKED', ended_at = now()
    WHERE id = ${entryId}::uuid AND ${STANDS}`;
  if (taken !== 1) throw new Error(`offer ${entryId} is locked and yet was changed`);
}

export async function linkOffer(
  tx: DbSession,
  { entryId, bookingId }: { entryId: string; bookingId: string },
): Promise<void> {
  await tx.execute`
    UPDATE waitlist_entries SET booking_id = ${bookingId}::uuid WHERE id = ${entryId}::uuid`;
}
