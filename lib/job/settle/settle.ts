import { present } from "../../support/environment.ts";
import { toError } from "../../support/errors.ts";
import type { OutputValue } from "../define-job.ts";
import { runOrigin } from "../environment.ts";
import { exitCodeOf, explain, reasonOf, type Outcome } from "../outcome.ts";
import { recordEnd, recordStart } from "../run-record.ts";
import type { Run } from "../run.ts";
import { reportToGithub } from "./github.ts";
import { sendHeartbeat } from "./heartbeat.ts";
import { writeReportFile } from "./report-file.ts";
import { runbookFor } from "./runbooks.ts";
import { renderMarkdown, renderPlain, type SummaryInput } from "./summary.ts";
import type { SummaryTable } from "../../support/summary-table.ts";

/**
 * Every step after the core, for any outcome: run record, outputs, summary, annotations, report file, release,
 * monitor. Each step runs even if others fail. A failure is logged and changes neither the outcome nor the
 * report.
 */
export async function settle<Settings, Report>(
  run: Run<Settings, Report>,
  outcome: Outcome,
): Promise<void> {
  const { log, job, io, control, report } = run;
  run.terminal.finish();

  const step = async (what: string, action: () => unknown): Promise<void> => {
    try {
      await action();
    } catch (error) {
      log.error({ err: toError(error) }, `${what} failed; the run itself is not changed by this`);
    }
  };

  const own: OwnReport = { outputs: {}, tables: [] };
  if (report !== undefined) {
    await step(
      "making the job's outputs",
      () => void (own.outputs = redactedOutputs(run, job.outputs(report))),
    );
    await step("making the job's summary", () => void (own.tables = job.summarise(report)));
  }
  logOutcome(run, outcome, own);

  if (control && !run.options.dryRun) {
    await step("the run record", async () => {
      if (!run.recordStarted)
        await recordStart(control, { ...run, job: job.name, ...runOrigin(io.env) });
      await recordEnd(control, { runId: run.runId, outcome, report: run.redactor.value(report) });
    });
  }

  const summary = summaryOf(run, outcome, own);
  await step("the report to GitHub Actions", async () => {
    const failures = await reportToGithub(io.env, {
      outputs: outputsOf(run, outcome, own),
      summaryMarkdown: renderMarkdown(summary),
      annotations: annotationsOf(outcome, summary),
    });
    for (const failure of failures)
      log.error({ err: failure }, "a report to GitHub Actions is incomplete");
  });
  const reportFile = present(io.env, "REPORT_FILE");
  if (reportFile !== undefined) {
    await step("the report file", () =>
      writeReportFile(reportFile, {
        summary,
        origin: runOrigin(io.env),
        exitCode: exitCodeOf(outcome),
        outputs: own.outputs,
        report: run.redactor.value(report),
      }),
    );
  }
  await step("the summary", () => io.stdout.write(renderPlain(summary)));

  for (const { what, release } of run.releasers.reverse())
    await step(`releasing the ${what}`, release);

  // Last, since it may take seconds: nothing is held while it does.
  const heartbeatUrl = run.harness?.heartbeatUrl;
  if (heartbeatUrl && !run.options.dryRun && outcome.kind !== "skipped") {
    const beat = exitCodeOf(outcome) === 0 ? "success" : "fail";
    const failure = await sendHeartbeat(heartbeatUrl, {
      beat,
      runId: run.runId,
      hurry: outcome.kind === "interrupted",
    });
    if (failure) log.warn({ err: failure }, "the monitor was not told of the end");
  }
}

/** The job's own part of the report. */
interface OwnReport {
  outputs: Record<string, OutputValue>;
  tables: readonly SummaryTable[];
}

/** An output is one value of its own name: amounts are kept, as in a log. */
function redactedOutputs<S, R>(
  run: Run<S, R>,
  outputs: Record<string, OutputValue>,
): Record<string, OutputValue> {
  return run.redactor.value(outputs) as Record<string, OutputValue>;
}

function logOutcome<S, R>(run: Run<S, R>, outcome: Outcome, own: OwnReport): void {
  const fields = {
    outcome: outcome.kind,
    reason: reasonOf(outcome),
    ...(run.report === undefined ? {} : { report: own.outputs }),
    ...(outcome.kind === "failed" && outcome.error ? { err: outcome.error } : {}),
  };
  const { message } = explain(outcome, run.options);
  if (exitCodeOf(outcome) === 0) run.log.info(fields, message);
  else run.log.error(fields, message);
}

function outputsOf<S, R>(
  run: Run<S, R>,
  outcome: Outcome,
  own: OwnReport,
): Record<string, OutputValue> {
  return {
    ...own.outputs,
    outcome: outcome.kind,
    reason: reasonOf(outcome),
    success: exitCodeOf(outcome) === 0,
    dry_run: run.options.dryRun,
    run_id: run.runId,
  };
}

function summaryOf<S, R>(run: Run<S, R>, outcome: Outcome, own: OwnReport): SummaryInput {
  const { message, remedy } = explain(outcome, run.options);
  const isOpen = outcome.kind === "completed" && outcome.warning !== undefined;
  const needsPerson = exitCodeOf(outcome) !== 0 || isOpen;
  return {
    job: run.job.name,
    dryRun: run.options.dryRun,
    runId: run.runId,
    outcome: outcome.kind,
    reason: reasonOf(outcome),
    message: run.redactor.text(message),
    remedy: remedy === undefined ? undefined : run.redactor.text(remedy),
    runbook: needsPerson ? runbookFor(run.job, reasonOf(outcome), run.io.env) : undefined,
    tables: own.tables.map((table) => ({
      ...table,
      rows: table.rows.map((row) => row.map((cell) => run.redactor.text(cell))),
    })),
  };
}

/** One annotation for a red run: the class of the problem. Details are in the summary. */
function annotationsOf(
  outcome: Outcome,
  { job, message, remedy, runbook }: SummaryInput,
): { level: "error" | "warning"; title: string; message: string }[] {
  if (outcome.kind === "completed" && outcome.warning !== undefined) {
    return [{ level: "warning", title: job, message }];
  }
  if (exitCodeOf(outcome) === 0) return [];
  const reason = reasonOf(outcome);
  const title = `${job}: ${outcome.kind}${reason === "" || reason === outcome.kind ? "" : ` (${reason})`}`;
  return [
    {
      level: "error",
      title,
      message: [message, remedy, runbook?.url].filter((part) => part !== undefined).join("\n"),
    },
  ];
}
