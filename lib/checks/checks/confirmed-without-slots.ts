import { sql } from "../../db/client.ts";
import type { Check } from "../check.ts";

/** The buyer is in no meeting, although there are meetings of the booking, or of its webinar or class. */
export const confirmedWithoutSlots: Check = {
  name: "confirmed-without-slots",
  severity: "warning",
  sentence: "Confirmed bookings without a slot in any of their meetings",
  rows: () => sql`
    SELECT 'booking' AS subject_type, booking.id::text AS subject_id,
           jsonb_build_object('bookingReference', booking.reference) AS details
    FROM bookings AS booking JOIN plans AS plan ON plan.id = booking.plan_id
    WHERE booking.status = 'CONFIRMED'
      AND NOT EXISTS (SELECT FROM slots WHERE booking_id = booking.id)
      AND (EXISTS (SELECT FROM appointments WHERE booking_id = booking.id)
           OR plan.capacity IS NOT NULL AND EXISTS (
             SELECT FROM appointments WHERE plan_id = plan.id AND booking_id IS NULL))`,
};
