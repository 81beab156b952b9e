import { sql } from "../../db/client.ts";
import type { Check } from "../check.ts";

/** One finding for each plan. A day is left for whoever ends the waitlist after the start. */
export const waitingForPastPlan: Check = {
  name: "waiting-for-past-plan",
  severity: "warning",
  sentence: "Webinars and classes that have begun and for which people still wait",
  rows: () => sql`
    SELECT 'plan' AS subject_type, plan.id::text AS subject_id, '{}'::jsonb AS details
    FROM plans AS plan
    WHERE plan.starts_at < now() - interval '1 day'
      AND EXISTS (SELECT FROM waitlist_entries AS entry WHERE entry.plan_id = plan.id AND entry.status = 'WAITING')`,
};
