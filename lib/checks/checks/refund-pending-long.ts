import { sql } from "../../db/client.ts";
import type { Check } from "../check.ts";

export const refundPendingLong: Check = {
  name: "refund-pending-long",
  severity: "warning",
  sentence: "Refunds that are not settled for long",
  rows: ({ refundDays }) => sql`
    SELECT 'refund' AS subject_type, refund.id::text AS subject_id,
           jsonb_build_object('paymentId', refund.payment_id, 'amountPaise', refund.amount_paise::text) AS details
    FROM refunds AS refund
    WHERE refund.status = 'PENDING' AND refund.created_at < now() - make_interval(days => ${refundDays}::int)`,
};
