import { jobs } from "../../../jobs/registry.ts";
import { plainTable } from "../../../lib/job/settle/summary.ts";
import type { AnyJob } from "../../../lib/job/define-job.ts";
import { countsOf, type RecordedRun } from "../../../lib/ops/history.ts";
import { redactor } from "../frame/redactor.ts";
import { countsInWords, revived, tablesOf } from "./stored-report.ts";
import { istMinute } from "../../../lib/support/calendar.ts";
import { textTable } from "../../../lib/support/text-table.ts";
import { page, section, type Columns, type Fact } from "../frame/print.ts";

export const RUN_COLUMNS: Columns<RecordedRun> = {
  id: true,
  job: true,
  outcome: true,
  reason: true,
  exitCode: true,
  startedAt: true,
  finishedAt: true,
  durationMs: true,
  commit: true,
  runUrl: true,
  owner: true,
  report: true,
};

function jobOf({ job }: RecordedRun): AnyJob | undefined {
  return jobs.find(({ name }) => name === job);
}

/** A run as `--json` prints it. Amounts of the report are bigints again, so that they are printed in rupees. */
export function shownRun(run: RecordedRun): unknown {
  const report = revived(redactor.value(run.report));
  return { ...run, durationMs: Math.round(run.durationMs), report };
}

export function runsLines(runs: readonly RecordedRun[]): string[] {
  return textTable(
    ["Began (IST)", "Job", "Outcome", "Reason", "Took", "Counts", "Commit", "Run"],
    runs.map((run) => [
      istMinute(run.startedAt),
      run.job,
      run.outcome,
      run.reason ?? "",
      duration(run.durationMs),
      countsInWords(jobOf(run), run.report).join(", "),
      run.commit?.slice(0, 8) ?? "",
      run.runUrl ?? run.id,
    ]),
  );
}

export function runLines(run: RecordedRun): string[] {
  const facts: Fact[] = [
    ["Run", run.id],
    [
      "Outcome",
      run.reason === null || run.reason === run.outcome
        ? run.outcome
        : `${run.outcome} (${run.reason})`,
    ],
    ["Exit code", run.exitCode === null ? "-" : String(run.exitCode)],
    ["Began", `${istMinute(run.startedAt)} IST`],
    ["Ended", run.finishedAt === null ? "-" : `${istMinute(run.finishedAt)} IST`],
    ["Took", duration(run.durationMs)],
    ["Owner", run.owner],
    ["Commit", run.commit ?? "-"],
    ["Page", run.runUrl ?? "-"],
  ];
  return [...page(run.job, facts), ...reportLines(run)];
}

/** The run's own tables. A report of another version of the job is shown by its counts alone. */
function reportLines(run: RecordedRun): string[] {
  const tables = tablesOf(jobOf(run), run.report);
  if (tables === undefined) {
    const counts = countsOf(run.report).map(([name, count]) => [name, String(count)]);
    return section("Report", textTable(["", "Count"], counts));
  }
  return tables.flatMap((each) =>
    plainTable({
      ...each,
      rows: each.rows.map((row) => row.map((cell) => redactor.text(cell))),
    }),
  );
}

/** `0.4 s`, `12 s`, `3 min 5 s`. */
function duration(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
}
