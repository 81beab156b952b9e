import { sql } from "../../db/client.ts";
import type { Check } from "../check.ts";

/** A booking older than this was looked at often enough, or is of a time before earnings were brought in here. */
const LOOK_BACK_DAYS = 180;

export const paidWithoutEarning: Check = {
  name: "paid-without-earning",
  severity: "warning",
  sentence: "Paid bookings whose meetings are over and for which no earning was brought in",
  rows: ({ earningDays }) =>
    earningDays === 0
      ? undefined
      : sql`
    SELECT 'booking' AS subject_type, booking.id::text AS subject_id,
           jsonb_build_object('bookingReference', booking.reference, 'paymentId', payment.id,
                              'paidPaise', payment.amount_paise::text) AS details
    FROM bookings AS booking
    JOIN payments AS payment ON payment.booking_id = booking.id AND payment.status = 'PAID'
    CROSS JOIN LATERAL (SELECT max(ends_at) AS at FROM slots WHERE booking_id = booking.id) AS over
    WHERE booking.status = 'CONFIRMED'
      AND over.at < now() - make_interval(days => ${earningDays}::int)
      AND over.at > now() - make_interval(days => ${earningDays + LOOK_BACK_DAYS}::int)
      AND sale_of_booking(booking.reference) IS NULL`,
};
