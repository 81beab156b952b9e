import { sql } from "../../db/client.ts";
import type { Check } from "../check.ts";

/** After a refund that failed its finding says so; this finds those where nothing says anything. */
export const refundingAndNotAsked: Check = {
  name: "refunding-and-not-asked",
  severity: "warning",
  sentence: "Payments of which all is to go back, of which nothing is on its way",
  rows: () => sql`
    SELECT 'payment' AS subject_type, payment.id::text AS subject_id,
           jsonb_build_object('bookingReference', booking.reference) AS details
    FROM payments AS payment JOIN bookings AS booking ON booking.id = payment.booking_id
    WHERE payment.status = 'REFUNDING' AND payment.updated_at < now() - interval '1 day'
      AND NOT EXISTS (SELECT FROM refunds WHERE payment_id = payment.id AND status = 'PENDING')
      AND NOT EXISTS (
        SELECT FROM refunds AS refund JOIN findings AS finding ON finding.subject_id = refund.id::text
        WHERE refund.payment_id = payment.id AND finding.kind = 'refund-failed'
          AND finding.subject_type = 'refund' AND finding.resolved_at IS NULL)`,
};
