/** Looks at the jobs and runs them: `npm run jobs -- <command>`. See docs/operations.md. */
import { InvalidArgumentError } from "commander";
import { jobs } from "../../jobs/registry.ts";
import type { AnyJob } from "../../lib/job/index.ts";
import { listRuns, RUN_OUTCOMES, type RunOutcome } from "../../lib/ops/history.ts";
import { systemClock } from "../../lib/support/clock.ts";
import { AfterhoursError } from "../../lib/support/errors.ts";
import { CSV_LIST, JSON_LIST, LIMIT, oneOf } from "./frame/arguments.ts";
import { EXIT } from "./frame/command-line.ts";
import { operatorCommand } from "./frame/command.ts";
import { printList, printOne, type ListFormat } from "./frame/print.ts";
import { checkJobs } from "./jobs/check/check.ts";
import { checkLines } from "./jobs/check/finding.ts";
import { JOB_COLUMNS, listed, listLines } from "./jobs/list.ts";
import { RUN_COLUMNS, runLines, runsLines, shownRun } from "./jobs/print-runs.ts";
import { runJobFile } from "./jobs/run.ts";

const { program, reading, run } = operatorCommand(
  "jobs",
  "Lists the jobs, checks what they need, runs one, and shows what they did.",
);
program
  .addHelpText("after", "\nExit status: 0 done; 1 something is wrong; 2 used wrongly.")
  .enablePositionalOptions();

program
  .command("list")
  .description("every job: schedule, next time, lock, what pauses it")
  .addOption(JSON_LIST)
  .addOption(CSV_LIST)
  .action((format: ListFormat) => {
    const rows = jobs.map((job) => listed(job, systemClock.now()));
    printList(rows, { format, columns: JOB_COLUMNS, none: "No jobs.", lines: listLines });
  });

program
  .command("check")
  .description(
    "workflows, environment, database, locks, provider, mail server, clocks and missed runs; changes nothing",
  )
  .argument("[names...]", "only these jobs", jobNames)
  .option("--offline", "only what needs neither variables nor network")
  .option("--json", "one JSON array")
  .action(async (names: AnyJob[], options: { offline?: boolean; json?: boolean }) => {
    const findings = await checkJobs({
      named: names,
      offline: options.offline ?? false,
      env: process.env,
    });
    printOne(findings, { json: options.json, lines: () => checkLines(findings) });
    if (findings.some(({ state }) => state === "wrong")) process.exitCode = EXIT.notDone;
  });

program
  .command("run")
  .description(
    "runs one job as its schedule does; what follows the name is handed on, such as --dry-run",
  )
  .argument("<name>", "the job", jobNamed)
  .argument("[flags...]", "flags of the job")
  .passThroughOptions()
  .allowUnknownOption()
  .action(async (job: AnyJob, flags: string[]) => {
    process.exitCode = await runJobFile(job.name, flags);
  });

program
  .command("history")
  .description("runs, newest first")
  .option("--job <name>", "only of this job", jobNamed)
  .option("--outcome <outcome>", `only these: ${RUN_OUTCOMES.join(", ")}`, oneOf(RUN_OUTCOMES))
  .option("--since <time>", "only begun since: a day or a time, as 2026-11-25T18:00Z", since)
  .option(...LIMIT)
  .addOption(JSON_LIST)
  .addOption(CSV_LIST)
  .action(
    async (
      options: {
        job?: AnyJob;
        outcome?: RunOutcome;
        since?: Date;
        limit: number;
      } & ListFormat,
    ) => {
      const { job, outcome, since: from, limit } = options;
      await reading(async (db) => {
        const filter = { job: job?.name, outcome, since: from, limit };
        const { runs, more } = await listRuns(db, filter);
        printList(runs, {
          format: options,
          columns: RUN_COLUMNS,
          none: "No runs.",
          lines: runsLines,
          shown: shownRun,
          more,
          limit,
        });
      });
    },
  );

program
  .command("last")
  .description("everything about the last run of a job")
  .argument("<name>", "the job", jobNamed)
  .option("--json", "one JSON object")
  .action(async (job: AnyJob, { json }: { json?: boolean }) => {
    await reading(async (db) => {
      const filter = { job: job.name, outcome: undefined, since: undefined, limit: 1 };
      const [last] = (await listRuns(db, filter)).runs;
      if (!last) throw new AfterhoursError("NO_RUN", `${job.name} has no recorded run`);
      printOne(shownRun(last), { json, lines: () => runLines(last) });
    });
  });

await run();

function jobNamed(name: string): AnyJob {
  const found = jobs.find((job) => job.name === name);
  if (!found) {
    throw new InvalidArgumentError(
      `expected the name of a job, such as payouts/process-payouts; \`jobs -- list\` has them.`,
    );
  }
  return found;
}

function jobNames(name: string, earlier: readonly AnyJob[] | undefined): AnyJob[] {
  return [...new Set([...(earlier ?? []), jobNamed(name)])];
}

function since(text: string): Date {
  const at = new Date(text);
  const isTime = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2}))?$/.test(
    text,
  );
  if (!isTime || Number.isNaN(at.getTime())) {
    throw new InvalidArgumentError("expected a day, or a time with its zone: 2026-11-25T18:00Z.");
  }
  return at;
}
