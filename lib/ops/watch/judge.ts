import { hours, minutes } from "../../support/clock.ts";
import { intervalMs, lastTick } from "../../support/cron.ts";

/** The parts of a job's declaration by which its runs are judged. */
export interface WatchedJob {
  readonly name: string;
  readonly schedule: { readonly cron: string } | "by-hand";
  readonly toleranceMs?: number;
  readonly lock: { readonly ttlMs: number } | "none";
  readonly deadlineMs: number;
}

/** The run records of one job. */
export interface RunFacts {
  /** The last run that began, with any result. */
  lastStartedAt: Date | null;
  /** The last run that was not skipped. */
  lastWorkedAt: Date | null;
  lastSuccessAt: Date | null;
  /** Red runs since the last success. */
  redInARow: number;
  /** Why the last of them was red. */
  lastReason: string | null;
  /** Runs since the last that worked which did nothing, by reason. */
  skippedForMaintenance: number;
  skippedForLock: number;
}

export type FaultKind =
  /** A tick has passed, with its tolerance, and no run has begun since. */
  | "missed"
  /** It was due, and no run has ever ended well. */
  | "never-succeeded"
  /** Its last runs were all red. */
  | "failing"
  /** Runs begin and are skipped, for longer than the tolerance. */
  | "skipped"
  /** A run without an end whose process is gone. */
  | "lost"
  /** A run without an end that has gone on for longer than it may, and still holds its lock. */
  | "stuck";

export interface Fault {
  job: string;
  kind: FaultKind;
  /** The tick that was missed, or when the run began. */
  since: Date | null;
  /** One phrase for a person. */
  detail: string;
}

/** The runner's clock fired the tick, and the database's clock wrote down the run. */
const CLOCKS_APART_MS = minutes(1);

/** How late a run may be before its tick counts as missed. */
export function toleranceOf(job: WatchedJob, now: Date): number {
  if (job.schedule === "by-hand") return Infinity;
  if (job.toleranceMs !== undefined) return job.toleranceMs;
  const twice = 2 * intervalMs(job.schedule.cron, now);
  return Math.min(Math.max(twice, hours(3)), hours(48));
}

/**
 * The problems of the runs of one job. A run counts for every tick before it, so a tick that GitHub dropped is
 * no fault once the next one has run. A run that was skipped or failed did begin, and is judged as such.
 *
 * A job that has never begun is not due before `knownSince`: a fresh installation, or a job just added, has no
 * tick yet.
 *
 * @param now the database's clock, as the times of the records are
 */
export function judgeJob(
  job: WatchedJob,
  facts: RunFacts,
  { now, knownSince }: { now: Date; knownSince: Date | null },
): Fault[] {
  if (job.schedule === "by-hand") return [];
  const { cron } = job.schedule;
  const due = lastTick(cron, new Date(now.getTime() - toleranceOf(job, now)));
  const fault = (kind: FaultKind, detail: string): Fault[] => [
    { job: job.name, kind, since: due, detail },
  ];
  const since = (at: Date | null): boolean =>
    at !== null && at.getTime() >= due.getTime() - CLOCKS_APART_MS;
  const isKnown = facts.lastStartedAt !== null || (knownSince !== null && knownSince <= due);
  const { lastSuccessAt, redInARow, lastReason } = facts;

  if (isKnown && !since(facts.lastStartedAt)) {
    if (facts.lastStartedAt === null) return fault("never-succeeded", "it has never been run");
    return fault(
      "missed",
      `no run has begun since; the last one began ${iso(facts.lastStartedAt)}`,
    );
  }
  if (isKnown && !since(facts.lastWorkedAt)) {
    const { skippedForMaintenance, skippedForLock } = facts;
    return fault(
      "skipped",
      `every run since was skipped: ${skippedForMaintenance} for maintenance, ${skippedForLock} for its lock`,
    );
  }
  // One red run already alerts; this judges only repeated failure.
  const enough = intervalMs(cron, now) >= hours(24) ? 2 : 3;
  if (redInARow >= enough) {
    const kind = lastSuccessAt === null ? "never-succeeded" : "failing";
    return fault(kind, `${redInARow} red runs in a row, the last one ${lastReason ?? "unknown"}`);
  }
  return [];
}

/** After so long a run without an end that holds no lock has lost its process. */
export function lostAfterMs({ lock, deadlineMs }: WatchedJob): number {
  return (lock === "none" ? deadlineMs : lock.ttlMs) + deadlineMs;
}

function iso(at: Date): string {
  return at.toISOString();
}
