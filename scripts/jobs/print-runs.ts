import { countsOf, type RecordedRun } from "../../lib/ops/history.ts";
import { createRedactor } from "../../lib/support/redact.ts";
import { istMinute, oneLine, section, table } from "../payouts/print.ts";

const redactor = createRedactor();

/** A run as `--json` prints it. */
export function shownRun(run: RecordedRun): unknown {
  return { ...run, durationMs: Math.round(run.durationMs), report: redactor.value(run.report) };
}

export function runsLines(runs: readonly RecordedRun[]): string[] {
  return table(
    ["Began (IST)", "Job", "Outcome", "Reason", "Took", "Counts", "Commit", "Run"],
    runs.map((run) => [
      istMinute(run.startedAt),
      run.job,
      run.outcome,
      run.reason ?? "",
      duration(run.durationMs),
      countsOf(run.report)
        .map(([name, count]) => `${name} ${count}`)
        .join(", "),
      run.commit?.slice(0, 8) ?? "",
      run.runUrl ?? run.id,
    ]),
  );
}

export function runLines(run: RecordedRun): string[] {
  const facts: [string, string][] = [
    ["Run", run.id],
    ["Outcome", run.reason === null ? run.outcome : `${run.outcome} (${run.reason})`],
    ["Exit code", run.exitCode === null ? "-" : String(run.exitCode)],
    ["Began", `${istMinute(run.startedAt)} IST`],
    ["Ended", run.finishedAt === null ? "-" : `${istMinute(run.finishedAt)} IST`],
    ["Took", duration(run.durationMs)],
    ["Owner", run.owner],
    ["Commit", run.commit ?? "-"],
    ["Page", run.runUrl ?? "-"],
  ];
  return [
    run.job,
    ...facts.map(([label, value]) => `  ${label.padEnd(9)}  ${oneLine(value)}`),
    ...section("Report", reportLines(run.report)),
  ];
}

function reportLines(report: unknown): string[] {
  const masked = redactor.value(report);
  if (typeof masked !== "object" || masked === null) return [];
  return table(
    ["What", "Value"],
    Object.entries(masked).map(([name, value]) => [
      name,
      typeof value === "string" ? value : JSON.stringify(value),
    ]),
  );
}

/** `0.4 s`, `12 s`, `3 min 5 s`. */
function duration(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
}
