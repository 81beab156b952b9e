import { formatRupees } from "../support/money.ts";
import type { RunFault, Verdict } from "../support/verdict.ts";
import type { RefundRunReport } from "./report.ts";

/** The reason for the end of the run, other than no more work. */
export interface RefundRunEnd {
  fault: RunFault | undefined;
  /** The thrown error, most likely of the database: the run ended, and its report is kept. */
  error: unknown;
  /** Told to stop, or no longer sure to be the only one. */
  stopped: boolean;
}

/** How the run went. `waiting`: legs that are due still and that no other run holds. */
export function judge(
  report: RefundRunReport,
  { fault, error, stopped }: RefundRunEnd,
  waiting: number,
): Verdict {
  if (fault) return { kind: "failed", ...fault };
  if (error !== undefined) return { kind: "broken", error };
  if (report.conflicts > 0) {
    return {
      kind: "failed",
      code: "records-differ",
      message: `${report.conflicts} refunds differ between our record and the provider's.`,
      remedy: "Look at the findings; nothing was changed for these refunds, and nothing is sent.",
    };
  }
  if (stopped) return { kind: "interrupted" };
  if (waiting > 0 && report.due > 0 && handled(report) === 0) {
    return {
      kind: "failed",
      code: "work-left-behind",
      message: `${waiting} legs of refunds wait and none was handled.`,
      remedy:
        "Look for another session that holds the rows (pg_stat_activity), or another run that is still going.",
    };
  }
  if (report.overdue > 0) {
    return {
      kind: "failed",
      code: "refunds-overdue",
      message: `${report.overdue} legs of refunds (${formatRupees(report.overduePaise)}) have been without a final answer for too long.`,
      remedy: "Ask the provider's support about the refunds listed below; nothing is sent twice.",
    };
  }
  return partial(report) ?? completed(report);
}

function handled({ processed, pending, failed, unknown }: RefundRunReport): number {
  return processed + pending + failed + unknown;
}

function partial(report: RefundRunReport): Verdict | undefined {
  const { failed, unknown, unanswered, left } = report;
  const parts = [
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(unknown > 0 ? [`${unknown} have an unknown outcome`] : []),
    ...(unanswered > 0 ? [`for ${unanswered} the provider gave no usable answer`] : []),
    ...(left > 0 ? [`${left} could not be written`] : []),
  ];
  if (parts.length === 0) return undefined;
  return {
    kind: "partial",
    reason:
      failed > 0
        ? "refunds-failed"
        : unknown > 0
          ? "outcome-unknown"
          : left > 0
            ? "refunds-left"
            : "provider-unanswered",
    message: `Of ${report.found} open legs of refunds ${parts.join(" and ")}.`,
    remedy: [
      ...(failed > 0
        ? [
            "Failed refunds moved no money: fix the cause listed below and request the refund again.",
          ]
        : []),
      ...(unknown + unanswered > 0
        ? ["The next run looks up refunds with an unknown outcome before it sends anything again."]
        : []),
      ...(left > 0 ? ["Unwritten rows are unchanged; the log has the error."] : []),
    ].join(" "),
  };
}

function completed({ waiting, disputed }: RefundRunReport): Verdict {
  const warnings = [
    ...(waiting > 0
      ? [
          `${waiting} legs of refunds are in doubt: the provider does not have them yet, and it is too soon to send them again.`,
        ]
      : []),
    ...(disputed > 0
      ? [
          `${disputed} legs of refunds are not sent while a dispute of their payment is open: a lost dispute gives the buyer the money as well.`,
        ]
      : []),
  ];
  return warnings.length === 0
    ? { kind: "completed" }
    : { kind: "completed", warning: warnings.join(" ") };
}
