import type { Verdict } from "../support/verdict.ts";
import { countWaiting } from "./due.ts";
import type { RunFault } from "./faults.ts";
import type { PayoutPorts } from "./ports.ts";
import type { PayoutRunReport } from "./report.ts";

/** What ended the run, beside having nothing more to do. */
export interface RunEnd {
  fault: RunFault | undefined;
  /** What was thrown, most likely the database's: the run ended, its report stands. */
  error: unknown;
  /** A payout in hand was given up because the run may start nothing more. */
  stopped: boolean;
  /** Payouts that nobody has and this run could not handle. */
  left: number;
}

/** How the run went, from its numbers and from what still waits. */
export async function judge(
  ports: PayoutPorts,
  report: PayoutRunReport,
  { fault, error, stopped, left }: RunEnd,
): Promise<Verdict> {
  if (fault) return failed(fault);
  if (error !== undefined) return { kind: "broken", error };
  const seen = report.processed + report.skipped;
  if (stopped || (ports.signal.aborted && seen < report.found)) return { kind: "interrupted" };

  if (report.processed === 0) {
    const { approved } = await countWaiting(ports.db, ports.runId);
    const waiting = Math.max(approved, left);
    if (waiting > 0) return failed(workLeftBehind(report, waiting));
  }
  if (report.failed + report.unknown + left === 0) return completed(report);
  const parts = [
    ...(report.failed > 0 ? [`${report.failed} failed`] : []),
    ...(report.unknown > 0 ? [`${report.unknown} have an unknown outcome`] : []),
    ...(left > 0 ? [`${left} wait for the next run`] : []),
  ];
  return {
    kind: "partial",
    reason:
      report.unknown > 0
        ? "outcome-unknown"
        : report.failed > 0
          ? "payouts-failed"
          : "payouts-left",
    message: `${report.succeeded} of ${report.found} payouts were sent; ${parts.join(" and ")}.`,
    remedy: [
      ...(report.failed > 0
        ? [
            "Failed payouts moved no money: mend the cause listed below, their earnings are in the next batch.",
          ]
        : []),
      ...(report.unknown > 0
        ? [
            "Unknown ones stay in processing and are never sent again under another key until the provider is asked.",
          ]
        : []),
      ...(left > 0 ? ["What waits is as it was: run again."] : []),
    ].join(" "),
  };
}

/** Nothing went wrong here; what earlier runs left open is said all the same. */
export function completed({ inDoubtBefore, unfinishedBefore }: PayoutRunReport): Verdict {
  const open = inDoubtBefore + unfinishedBefore;
  if (open === 0) return { kind: "completed" };
  return {
    kind: "completed",
    warning: `${open} payouts of earlier runs are still in processing, ${inDoubtBefore} of them with an unknown outcome. They are not paid again; payouts/handle-stuck-payouts asks the provider and settles them.`,
  };
}

/** Zero work while work is waiting: red, with the likely cause. */
function workLeftBehind(report: PayoutRunReport, waiting: number): RunFault {
  const codes = [...new Set(report.items.map(({ code }) => code))];
  const cause =
    codes.length === 0
      ? "they were found and then could no longer be claimed"
      : `each was passed over: ${codes.join(", ")}`;
  return {
    code: "work-left-behind",
    message: `${waiting} payouts wait and none was handled; ${cause}.`,
    remedy:
      "Look for another session that holds the rows (pg_stat_activity), or another run that is still going.",
  };
}

/** The verdict of a run that a fault ended. */
export function failed({ code, message, remedy }: RunFault): Verdict {
  return { kind: "failed", code, message, remedy };
}
