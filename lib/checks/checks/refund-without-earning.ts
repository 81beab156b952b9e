import { sql } from "../../db/client.ts";
import type { Check } from "../check.ts";

/** The very finding that the refund stores when it is settled: lib/refunds/settle-refund.ts. */
export const refundWithoutEarning: Check = {
  name: "refund-without-earning",
  severity: "warning",
  sentence: "Settled refunds of sales for which no consultant was charged: no earning is on record",
  rows: () => sql`
    SELECT 'refund' AS subject_type, refund.id::text AS subject_id,
           jsonb_build_object('paymentId', refund.payment_id, 'bookingReference', booking.reference,
                              'backPaise', back.paise::text) AS details
    FROM refunds AS refund
    JOIN payments AS payment ON payment.id = refund.payment_id
    JOIN bookings AS booking ON booking.id = payment.booking_id
    CROSS JOIN LATERAL (
      SELECT sum(leg.amount_paise)::bigint AS paise FROM refund_legs AS leg
      WHERE leg.refund_id = refund.id AND leg.state = 'PROCESSED'
    ) AS back
    WHERE refund.status <> 'PENDING' AND refund.of_sale AND back.paise > 0
      AND sale_of_booking(booking.reference) IS NULL`,
};
