import { sql } from "../../db/client.ts";
import type { Check } from "../check.ts";

/** Too many counted seats are sold to nobody, too few are sold twice. */
export const seatsMiscounted: Check = {
  name: "seats-miscounted",
  severity: "warning",
  sentence: "Webinars and classes whose counted seats are not those of their bookings and offers",
  rows: () => sql`
    SELECT 'plan' AS subject_type, plan.id::text AS subject_id,
           jsonb_build_object('counted', ARRAY[plan.booked_seats, plan.offered_seats],
                              'found', ARRAY[booked.seats, offered.seats]) AS details
    FROM plans AS plan
    CROSS JOIN LATERAL (
      SELECT COALESCE(sum(seats), 0)::int AS seats FROM bookings
      WHERE plan_id = plan.id AND status <> 'CANCELLED'
    ) AS booked
    CROSS JOIN LATERAL (
      SELECT count(*)::int AS seats FROM waitlist_entries WHERE plan_id = plan.id AND status = 'NOTIFIED'
    ) AS offered
    WHERE plan.capacity IS NOT NULL
      AND (plan.booked_seats, plan.offered_seats) <> (booked.seats, offered.seats)`,
};
