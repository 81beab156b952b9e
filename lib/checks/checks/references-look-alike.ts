import { sql } from "../../db/client.ts";
import type { Check } from "../check.ts";

/** Bookings, or earnings, of one form: a refund charges nobody where it cannot tell which sale is meant. */
export const referencesLookAlike: Check = {
  name: "references-look-alike",
  severity: "warning",
  sentence:
    "References of bookings or earnings that differ only by case, white space or Unicode form",
  rows: () => sql`
    SELECT 'booking-reference' AS subject_type, form AS subject_id,
           jsonb_build_object('bookings', bookings, 'earnings', earnings) AS details
    FROM (
      SELECT reference_key(reference) AS form, array_agg(reference ORDER BY reference) AS bookings
      FROM bookings GROUP BY 1
    ) AS booked
    FULL JOIN (
      SELECT reference_key(booking_reference) AS form, array_agg(booking_reference ORDER BY booking_reference) AS earnings
      FROM earnings GROUP BY 1
    ) AS earned USING (form)
    WHERE cardinality(bookings) > 1 OR cardinality(earnings) > 1`,
};
