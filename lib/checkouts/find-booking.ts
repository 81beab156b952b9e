import type { DbSession } from "../db/client.ts";

export interface FoundBooking {
  bookingId: string;
  planId: string;
}

/** The ids by which a booking is locked. Of a payment of another user than the one given nothing is found. */
export async function findBooking(
  db: DbSession,
  by: { by: "booking"; bookingId: string } | { by: "payment"; paymentId: string; userId?: string },
): Promise<FoundBooking | undefined> {
  const [found] =
    by.by === "payment"
      ? await db.query<FoundBooking[]>`
          SELECT booking.id AS "bookingId", booking.plan_id AS "planId"
          FROM payments AS payment JOIN bookings AS booking ON booking.id = payment.booking_id
          WHERE payment.id = ${by.paymentId}::uuid
            AND (${by.userId ?? null}::uuid IS NULL OR payment.user_id = ${by.userId ?? null}::uuid)`
      : await db.query<FoundBooking[]>`
          SELECT id AS "bookingId", plan_id AS "planId" FROM bookings
          WHERE id = ${by.bookingId}::uuid`;
  return found;
}
