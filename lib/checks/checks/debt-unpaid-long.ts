import { sql } from "../../db/client.ts";
import type { Check } from "../check.ts";

export const debtUnpaidLong: Check = {
  name: "debt-unpaid-long",
  severity: "warning",
  sentence: "Debts of consultants for refunded sales that no earnings have covered for long",
  rows: ({ debtDays }) => sql`
    SELECT 'recovery' AS subject_type, recovery.id::text AS subject_id,
           jsonb_build_object('consultant', consultant.external_ref, 'currency', earning.currency,
                              'bookingReference', earning.booking_reference,
                              'owedPaise', (recovery.amount_paise - recovery.recovered_amount_paise)::text) AS details
    FROM earning_recoveries AS recovery
    JOIN earnings AS earning ON earning.id = recovery.earning_id
    JOIN consultants AS consultant ON consultant.id = recovery.consultant_id
    WHERE recovery.recovered_amount_paise < recovery.amount_paise
      AND recovery.created_at < now() - make_interval(days => ${debtDays}::int)`,
};
