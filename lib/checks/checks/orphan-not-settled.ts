import { sql } from "../../db/client.ts";
import type { Check } from "../check.ts";

/** The buyer has paid, has no booking, and gets nothing back. `payments/reconcile-late-captures` settles it in a run. */
export const orphanNotSettled: Check = {
  name: "orphan-not-settled",
  severity: "critical",
  sentence:
    "Captured payments without a booking that were neither booked nor refunded for two days",
  rows: () => sql`
    SELECT 'payment' AS subject_type, payment.id::text AS subject_id,
           jsonb_build_object('bookingReference', booking.reference,
                              'paidPaise', payment.amount_paise::text) AS details
    FROM payments AS payment JOIN bookings AS booking ON booking.id = payment.booking_id
    WHERE payment.status = 'ORPHANED' AND payment.updated_at < now() - interval '2 days'`,
};
