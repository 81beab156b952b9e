import { sql } from "../../db/client.ts";
import type { Check } from "../check.ts";

/** A seat that somebody else could have. A refund after the meeting is none. */
export const bookingConfirmedAndRefunded: Check = {
  name: "booking-confirmed-and-refunded",
  severity: "warning",
  sentence: "Confirmed bookings with a meeting ahead whose payment goes back, or went back",
  rows: () => sql`
    SELECT 'booking' AS subject_type, booking.id::text AS subject_id,
           jsonb_build_object('bookingReference', booking.reference, 'paymentId', payment.id) AS details
    FROM bookings AS booking
    JOIN payments AS payment ON payment.booking_id = booking.id AND payment.status IN ('REFUNDING', 'REFUNDED')
    WHERE booking.status = 'CONFIRMED'
      AND EXISTS (SELECT FROM slots WHERE booking_id = booking.id AND ends_at > now())
      AND EXISTS (SELECT FROM refunds WHERE payment_id = payment.id AND of_sale)
      AND NOT EXISTS (SELECT FROM payments AS paid WHERE paid.booking_id = booking.id AND paid.status = 'PAID')`,
};
