import { sql } from "../../db/client.ts";
import type { Check } from "../check.ts";

/**
 * A day is left to ask for the refund. One that was asked for is none, also of a part: somebody has decided. So has a
 * person who cancelled and kept the money.
 */
export const bookingCancelledAndPaid: Check = {
  name: "booking-cancelled-and-paid",
  severity: "warning",
  sentence: "Cancelled bookings that are paid, of which nobody asked for a refund",
  rows: () => sql`
    SELECT 'booking' AS subject_type, booking.id::text AS subject_id,
           jsonb_build_object('bookingReference', booking.reference, 'paymentId', payment.id,
                              'paidPaise', payment.amount_paise::text) AS details
    FROM bookings AS booking
    JOIN payments AS payment ON payment.booking_id = booking.id AND payment.status = 'PAID'
    WHERE booking.status = 'CANCELLED' AND booking.updated_at < now() - interval '1 day'
      AND NOT EXISTS (SELECT FROM refunds WHERE payment_id = payment.id)
      AND NOT EXISTS (
        SELECT FROM audit_log AS entry
        WHERE entry.subject_type = 'booking' AND entry.subject_id = booking.id::text
          AND entry.action = 'participation-cancelled' AND entry.detail ->> 'money' = 'keep')`,
};
