import type { Verdict } from "../../support/verdict.ts";
import type { LateReport } from "./report.ts";

/** How a run went that came to its end, and whose refunds went as they should. */
export function judgeLate(report: LateReport): Verdict {
  if (report.differs > 0) {
    return {
      kind: "failed",
      code: "records-differ",
      message: `${report.differs} captures have another amount than our order.`,
      remedy:
        "Look at the findings: nothing was booked or refunded for these until a person has decided.",
    };
  }
  if (report.failed > 0) {
    return {
      kind: "partial",
      reason: "late-payments-failed",
      message: `${report.failed} late payments could neither be booked nor refunded.`,
      remedy: "Their money is with us. Look at the reasons listed below; the next run tries again.",
    };
  }
  if (report.unanswered > 0) {
    return {
      kind: "partial",
      reason: "provider-unanswered",
      message: `The provider gave no certain answer about ${report.unanswered} of ${report.asked} orders.`,
      remedy: "The next run asks again. The reasons are listed below.",
    };
  }
  return { kind: "completed" };
}
