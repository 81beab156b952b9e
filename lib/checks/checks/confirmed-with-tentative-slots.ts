import { sql } from "../../db/client.ts";
import type { Check } from "../check.ts";

/** The very finding of slots/cleanup-tentative-slots, which meets only those that are old enough to be released. */
export const confirmedWithTentativeSlots: Check = {
  name: "confirmed-with-tentative-slots",
  severity: "warning",
  sentence: "Confirmed bookings with slots that are held as if they were unpaid",
  rows: () => sql`
    SELECT 'booking' AS subject_type, booking.id::text AS subject_id, '{}'::jsonb AS details
    FROM bookings AS booking
    WHERE booking.status = 'CONFIRMED'
      AND booking.id IN (SELECT booking_id FROM slots WHERE tentative AND updated_at < now() - interval '1 hour')`,
};
