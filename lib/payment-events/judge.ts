import type { DbSession } from "../db/client.ts";
import { failed, type Verdict } from "../support/verdict.ts";
import type { PaymentEventReport } from "./report.ts";

/** Critical findings of this job that nobody has resolved, whichever run stored them. */
export async function countOpenFindings(
  db: DbSession,
): Promise<{ unmatched: number; disputes: number }> {
  const [row] = await db.query<{ unmatched: number; disputes: number }[]>`
    SELECT (count(*) FILTER (WHERE kind IN ('outside-refund-unmatched', 'dispute-unmatched')))::int AS unmatched,
           (count(*) FILTER (WHERE kind IN ('payment-disputed', 'dispute-lost')))::int AS disputes
    FROM findings
    WHERE resolved_at IS NULL AND severity = 'critical'
      AND kind IN ('outside-refund-unmatched', 'dispute-unmatched', 'payment-disputed', 'dispute-lost')`;
  return row ?? { unmatched: 0, disputes: 0 };
}

/** How a run went that came to its end. */
export function judgeEvents(
  report: PaymentEventReport,
  open: { unmatched: number; disputes: number },
): Verdict {
  if (open.unmatched > 0) {
    return failed({
      code: "records-differ",
      message: `${open.unmatched} refunds or disputes at the provider fit no payment of ours.`,
      remedy:
        "Look at the findings: nothing was booked for these, and no consultant was charged, until a person has decided.",
    });
  }
  if (report.failed > 0) {
    return {
      kind: "partial",
      reason: "events-failed",
      message: `${report.failed} refunds or disputes could not be written.`,
      remedy: "The log has the errors. Nothing of these was changed; the next run tries again.",
    };
  }
  if (open.disputes > 0) {
    return failed({
      code: "payments-disputed",
      message: `${open.disputes} disputes of payments have an open finding.`,
      remedy:
        "Answer each on the provider's dashboard before its time is over (respondBy), or accept it; then resolve its finding.",
    });
  }
  if (report.unanswered > 0) {
    return {
      kind: "partial",
      reason: "provider-unanswered",
      message: `The provider gave no certain answer about ${report.unanswered} refunds or disputes.`,
      remedy: "The next run asks again. The reasons are listed below.",
    };
  }
  if (report.booked > 0) {
    return {
      kind: "completed",
      warning: `${report.booked} refunds were made outside; the consultants bear their shares.`,
    };
  }
  return { kind: "completed" };
}
