import type { Db } from "../../db/client.ts";
import { toError } from "../../support/errors.ts";
import type { RunContext } from "../../support/run-context.ts";
import type { CoreResult, Verdict } from "../../support/verdict.ts";
import { judgeJob, type Fault, type WatchedJob } from "./judge.ts";
import type { WatchReport } from "./report.ts";
import { readWatch } from "./run-facts.ts";
import type { TaxWatchSettings } from "./settings.ts";
import { describeTaxDue, readTaxDue } from "./tax-due.ts";
import { markLost, readUnfinished, type Unfinished } from "./unfinished.ts";

export interface WatchPorts extends Pick<
  RunContext<TaxWatchSettings>,
  "dryRun" | "settings" | "log" | "signal"
> {
  readonly db: Db;
  readonly jobs: readonly WatchedJob[];
  /** The watchdog's own name: its records say since when it has known a job. */
  readonly name: string;
  /** The holder of a job's lock in a store other than the database; undefined where the lock is free. */
  readonly holderOf: (job: string) => Promise<string | undefined>;
}

/**
 * Compares the run records with each job's schedule, and writes down which runs were lost. Red with a list: see
 * docs/jobs/watchdog.md. Says which tax is to be deposited soon, or should have been. All on the database's clock.
 */
export async function watchJobs(ports: WatchPorts): Promise<CoreResult<WatchReport>> {
  const { db, jobs, name, settings, signal } = ports;
  const watched = jobs.map((job) => job.name);
  const report: WatchReport = { watched, markedLost: 0, faults: [], tax: [] };
  try {
    for (const run of await readUnfinished(db, jobs)) {
      if (signal.aborted) return { verdict: { kind: "interrupted" }, report };
      report.faults.push(await judgeUnfinished(ports, { run, report }));
    }
    report.faults.push(...(await judgeAll(db, { jobs, watchdog: name })));
    report.tax.push(...(await readTaxDue(db, settings)));
  } catch (error) {
    return { verdict: { kind: "broken", error }, report };
  }
  return { verdict: judge(report), report };
}

/** The problems of the runs of these jobs; reads only. */
export async function judgeAll(
  db: Db,
  { jobs, watchdog }: { jobs: readonly WatchedJob[]; watchdog: string },
): Promise<Fault[]> {
  const names = jobs.map(({ name }) => name);
  const { now, facts, knownSince } = await readWatch(db, { names, watchdog });
  return jobs.flatMap((job) => {
    const ofJob = facts.get(job.name);
    return ofJob === undefined
      ? []
      : judgeJob(job, ofJob, { now, knownSince: knownSince.get(job.name) ?? null });
  });
}

async function judgeUnfinished(
  { db, dryRun, holderOf, log }: WatchPorts,
  { run, report }: { run: Unfinished; report: WatchReport },
): Promise<Fault> {
  const fault = (kind: "lost" | "stuck", detail: string): Fault => {
    return { job: run.job, kind, since: run.startedAt, detail: `run ${run.id} ${detail}` };
  };
  if (run.holdsLease) return fault("stuck", "has not ended and still renews its lock");
  try {
    if ((await holderOf(run.job)) === run.owner) {
      return fault("stuck", "has not ended and still renews its lock");
    }
  } catch (error) {
    log.error({ job: run.job, err: toError(error) }, "the holder of the lock is unknown");
    return fault(
      "stuck",
      "has not ended, and the lock store can not say whether it holds its lock",
    );
  }
  if (!dryRun && (await markLost(db, run.id))) report.markedLost++;
  return fault("lost", "has no end, and its process is gone");
}

function judge({ watched, faults, tax }: WatchReport): Verdict {
  const overdue = tax.filter(({ isOverdue }) => isOverdue);
  const said = describeTaxDue(tax);
  if (faults.length > 0) {
    const list = faults.map(({ job, kind }) => `${job} ${kind}`).join(", ");
    return {
      kind: "failed",
      code: "jobs-missed",
      message: `Of ${watched.length} jobs some need a look: ${list}.${said === "" ? "" : ` ${said}.`}`,
      remedy:
        "The table lists each with its reason; docs/jobs/watchdog.md has the meaning and the first step of each.",
    };
  }
  if (overdue.length > 0) {
    return {
      kind: "failed",
      code: "tax-overdue",
      message: `${said}. Interest runs for each month or part of it.`,
      remedy:
        "Deposit the tax and record it: `npm run tds -- deposit --help`. `npm run tds -- challans` shows every month.",
    };
  }
  return said === "" ? { kind: "completed" } : { kind: "completed", warning: `${said}.` };
}
