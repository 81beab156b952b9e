import { hours } from "../../support/clock.ts";
import type { Verdict } from "../../support/verdict.ts";
import type { CleanupReport } from "./report.ts";
import type { CleanupSettings } from "./settings.ts";

/** How a run went that came to its end. */
export function judgeCleanup(
  { alarmMs }: Pick<CleanupSettings, "alarmMs">,
  report: CleanupReport,
): Verdict {
  if (report.differs > 0) {
    return {
      kind: "failed",
      code: "records-differ",
      message: `${report.differs} captures have another amount than our order.`,
      remedy: "Look at the findings; the holds stay unchanged until a person has decided.",
    };
  }
  if (report.overdue > 0) {
    const alarmHours = Math.round(alarmMs / hours(1));
    return {
      kind: "failed",
      code: "authorized-too-long",
      message: `${report.overdue} payments have been authorized for more than ${alarmHours} hours without a capture.`,
      remedy:
        "Capture them on the provider's dashboard, or let them lapse there: the next run then books or releases.",
    };
  }
  if (report.failed > 0) {
    return {
      kind: "partial",
      reason: "holds-failed",
      message: `${report.failed} of ${report.found} holds met an error and stay as they are.`,
      remedy: "The log has the error of each. Mend its cause; the next run tries again.",
    };
  }
  if (report.unanswered > 0) {
    return {
      kind: "partial",
      reason: "provider-unanswered",
      message: `The provider gave no certain answer about ${report.unanswered} of ${report.found} holds, which stay.`,
      remedy: "The next run asks again. The reasons are listed below.",
    };
  }
  const confirmed = report.reasons
    .filter(({ code }) => code === "confirmed")
    .reduce((sum, { count }) => sum + count, 0);
  return confirmed === 0
    ? { kind: "completed" }
    : {
        kind: "completed",
        warning: `${confirmed} confirmed bookings have tentative slots; see the findings.`,
      };
}
