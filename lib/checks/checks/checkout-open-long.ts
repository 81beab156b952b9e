import { sql } from "../../db/client.ts";
import type { Check } from "../check.ts";

export const checkoutOpenLong: Check = {
  name: "checkout-open-long",
  severity: "warning",
  sentence: "Checkouts that are open for long, neither paid nor released",
  rows: ({ checkoutDays }) => sql`
    SELECT 'payment' AS subject_type, payment.id::text AS subject_id,
           jsonb_build_object('bookingReference', booking.reference) AS details
    FROM payments AS payment JOIN bookings AS booking ON booking.id = payment.booking_id
    WHERE payment.status = 'PENDING' AND payment.created_at < now() - make_interval(days => ${checkoutDays}::int)`,
};
