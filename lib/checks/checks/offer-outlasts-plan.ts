import { sql } from "../../db/client.ts";
import type { Check } from "../check.ts";

export const offerOutlastsPlan: Check = {
  name: "offer-outlasts-plan",
  severity: "warning",
  sentence: "Offers of a seat that last beyond the start of their webinar or class",
  rows: () => sql`
    SELECT 'waitlist-entry' AS subject_type, entry.id::text AS subject_id,
           jsonb_build_object('planId', plan.id) AS details
    FROM waitlist_entries AS entry JOIN plans AS plan ON plan.id = entry.plan_id
    WHERE entry.status = 'NOTIFIED' AND entry.expires_at > plan.starts_at`,
};
