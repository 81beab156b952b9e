import type { Verdict } from "../support/verdict.ts";
import { countWaiting } from "./due.ts";
import type { RunFault } from "./faults.ts";
import type { PayoutPorts } from "./ports.ts";
import type { PayoutRunReport } from "./report.ts";

/** How the run went, from its numbers and from what still waits. */
export async function judge(
  ports: PayoutPorts,
  report: PayoutRunReport,
  fault: RunFault | undefined,
): Promise<Verdict> {
  if (fault) return failed(fault);
  const seen = report.processed + report.skipped;
  if (ports.signal.aborted && seen < report.found) return { kind: "interrupted" };
  if (ports.signal.aborted && report.items.some(({ code }) => code === "STOPPING"))
    return { kind: "interrupted" };

  if (report.processed === 0) {
    const { approved } = await countWaiting(ports.db, ports.runId);
    if (approved > 0) return failed(workLeftBehind(report, approved));
  }
  if (report.failed + report.unknown === 0) return { kind: "completed" };
  const parts = [
    ...(report.failed > 0 ? [`${report.failed} failed`] : []),
    ...(report.unknown > 0 ? [`${report.unknown} have an unknown outcome`] : []),
  ];
  return {
    kind: "partial",
    reason: report.unknown > 0 ? "outcome-unknown" : "payouts-failed",
    message: `${report.succeeded} of ${report.found} payouts were sent; ${parts.join(" and ")}.`,
    remedy:
      "Failed payouts moved no money: mend the cause listed below, their earnings are in the next batch. Unknown ones stay in processing and are never sent again under another key until the provider is asked.",
  };
}

/** Zero work while work is waiting: red, with the likely cause. */
function workLeftBehind(report: PayoutRunReport, approved: number): RunFault {
  const codes = [...new Set(report.items.map(({ code }) => code))];
  const cause =
    codes.length === 0
      ? "they were found and then could no longer be claimed"
      : `each was passed over: ${codes.join(", ")}`;
  return {
    code: "work-left-behind",
    message: `${approved} approved payouts wait and none was handled; ${cause}.`,
    remedy:
      "Look for another session that holds the rows (pg_stat_activity), or another run that is still going.",
  };
}

/** The verdict of a run that a fault ended. */
export function failed({ code, message, remedy }: RunFault): Verdict {
  return { kind: "failed", code, message, remedy };
}
