import { sql } from "../../db/client.ts";
import type { Check } from "../check.ts";

export const refundedAndNotBack: Check = {
  name: "refunded-and-not-back",
  severity: "warning",
  sentence: "Payments that say REFUNDED of which some has not gone back",
  rows: () => sql`
    SELECT 'payment' AS subject_type, payment.id::text AS subject_id,
           jsonb_build_object('bookingReference', booking.reference, 'leftPaise', rest.paise::text) AS details
    FROM payments AS payment
    JOIN bookings AS booking ON booking.id = payment.booking_id
    CROSS JOIN LATERAL (
      SELECT sum(leg.amount_paise - COALESCE((
               SELECT sum(back.amount_paise) FROM refund_legs AS back
               WHERE back.payment_leg_id = leg.id AND back.state = 'PROCESSED'), 0))::bigint AS paise
      FROM payment_legs AS leg WHERE leg.payment_id = payment.id AND leg.released_at IS NULL
    ) AS rest
    WHERE payment.status = 'REFUNDED' AND rest.paise > 0`,
};
