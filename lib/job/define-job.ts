import type { Db } from "../db/client.ts";
import type { EnvironmentSpec } from "../support/environment.ts";
import type { Redactor } from "../support/redact.ts";
import type { RunContext } from "../support/run-context.ts";
import type { CoreResult } from "../support/verdict.ts";
import type { SummaryTable } from "../support/summary-table.ts";

/** A flag of one job, on top of those that every job has. It takes a value. */
export interface JobFlag<Name extends string = string> {
  /** Without the dashes, as `payment-id`. */
  readonly name: Name;
  /** One phrase for `--help`. */
  readonly description: string;
  /**
   * The problem of a value, in words that name the expected form and never the value; undefined: no problem.
   */
  readonly problemWith: (text: string) => string | undefined;
  /** The value of a run that does not give the flag. Default: the flag must be given. */
  readonly default?: string;
}

/** Everything that a job gets from the harness for its core. */
export interface JobContext<Settings, Flag extends string = never> extends RunContext<Settings> {
  /** The values of the job's own flags. */
  readonly flags: Readonly<Record<Flag, string>>;
  /** Warm, and read-only in a dry run. */
  readonly db: Db;
  /** Knows the secrets of this run. */
  readonly redactor: Redactor;
}

export type OutputValue = string | number | bigint | boolean;

/** One job: a declaration, and the core that does the work. */
export interface JobDefinition<Settings, Report, Flag extends string = never> {
  /** `<domain>/<verb-noun>`, or one word where it says all, as the file is named. */
  readonly name: string;
  /** One sentence for `--help` and for the run summary. */
  readonly summary: string;
  /**
   * Five-field cron in UTC; India has no daylight saving, so it names one Indian time. `by-hand`: only a
   * person starts it, for one thing that the flags name.
   */
  readonly schedule: { readonly cron: string } | "by-hand";
  /**
   * A tick that no run followed for this long was missed. Default: twice the time between two ticks, at
   * least 3 hours and at most 2 days, since GitHub drops ticks and runs them late.
   */
  readonly toleranceMs?: number;
  /** Default: none. */
  readonly flags?: readonly JobFlag<Flag>[];
  /**
   * A job that moves money does not run while the maintenance phase is unreadable.
   */
  readonly movesMoney: boolean;
  /**
   * `closed`: without the lock store the job fails. `open`: it warns and runs. `ttlMs` is longer than
   * the deadline, so that a lease can not end under a run whose renewals fail. `none`, only for a job by
   * hand: it changes one row by compare-and-swap, and two of them for two rows must not shut each other out.
   */
  readonly lock: { readonly failMode: "closed" | "open"; readonly ttlMs: number } | "none";
  /** The run is interrupted after this long. */
  readonly deadlineMs: number;
  /** The lowest maintenance phase that stops this job. */
  readonly pausedBy: "degraded" | "offline";
  /** Database sessions for the core; one unless the job has a use for more. */
  readonly connections?: number;
  readonly environment: EnvironmentSpec<Settings>;
  /**
   * Sections of docs/runbooks.md by the reasons with which the core can end. Any other reason leads to the
   * job's own page, and those of the harness are in `HARNESS_RUNBOOKS`. Default: none.
   */
  readonly runbooks?: Readonly<Record<string, string>>;
  /** Loads its core with a dynamic import, so that a skipped run never does. */
  run(context: JobContext<Settings, Flag>): Promise<CoreResult<Report>>;
  /** The job's own outputs, in snake_case, from the report. */
  outputs(report: Report): Record<string, OutputValue>;
  /** Tables for a finance person, from the same report. */
  summarise(report: Report): readonly SummaryTable[];
}

/** The allowed characters of the five fields: no names and no `L`, `W` or `#`, which GitHub does not read. */
const CRON_FIELDS = /^[\d*,/-]+( [\d*,/-]+){4}$/;

/**
 * Checks a declaration when its file is loaded: a job that can't keep its own promises is a bug that
 * should not wait for the night.
 *
 * @throws {RangeError} naming the job and the value that is wrong
 */
export function defineJob<Settings, Report, Flag extends string = never>(
  job: JobDefinition<Settings, Report, Flag>,
): JobDefinition<Settings, Report, Flag> {
  const refuse = (problem: string): never => {
    throw new RangeError(`job ${job.name}: ${problem}`);
  };
  if (!/^[a-z]+(-[a-z]+)*\/[a-z]+(-[a-z]+)*$/.test(job.name))
    refuse("name must be <domain>/<verb-noun>");
  const { schedule, lock, flags = [] } = job;
  if (schedule !== "by-hand" && schedule.cron.trim().split(/\s+/).length !== 5)
    refuse("schedule.cron must have five fields");
  if (schedule !== "by-hand" && !CRON_FIELDS.test(schedule.cron))
    refuse("schedule.cron must be a schedule that GitHub reads, such as 37 15 * * 1");
  if (job.toleranceMs !== undefined && (schedule === "by-hand" || job.toleranceMs <= 0))
    refuse("toleranceMs must be positive, and of a job with a schedule");
  for (const { name, default: fallback, problemWith } of flags) {
    if (!/^[a-z]+(-[a-z]+)*$/.test(name)) refuse("the name of a flag must be in kebab-case");
    if (schedule !== "by-hand" && fallback === undefined)
      refuse(`a schedule gives no flags, so --${name} needs a default`);
    const problem = fallback === undefined ? undefined : problemWith(fallback);
    if (problem !== undefined) refuse(`the default of --${name}: ${problem}`);
  }
  if (job.deadlineMs <= 0) refuse("deadlineMs must be positive");
  if (lock === "none" && schedule !== "by-hand") refuse("only a job by hand runs without a lock");
  if (lock !== "none" && lock.ttlMs <= job.deadlineMs)
    refuse("lock.ttlMs must be longer than deadlineMs");
  if ((job.connections ?? 1) < 1) refuse("connections must be at least 1");
  return job;
}

/** Any job, for code that does not look into settings or reports. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- a registry holds jobs of every type
export type AnyJob = JobDefinition<any, any, string>;
