import type { AnyJob } from "../../../lib/job/index.ts";
import { cronInWords } from "../../../lib/support/cron-in-words.ts";
import { nextTick } from "../../../lib/support/cron.ts";
import { istMinute } from "../../../lib/support/calendar.ts";
import { textTable } from "../../../lib/support/text-table.ts";
import type { Columns } from "../frame/print.ts";

interface ListedJob {
  name: string;
  summary: string;
  /** Five fields in UTC; null for a job by hand. */
  cron: string | null;
  schedule: string;
  nextAt: Date | null;
  /** `closed`: does not run without its lock; `open`: runs all the same. */
  lock: "closed" | "open" | "none";
  lockMinutes: number | null;
  /** The lowest maintenance phase that stops it. */
  pausedBy: "degraded" | "offline";
  movesMoney: boolean;
}

export const JOB_COLUMNS: Columns<ListedJob> = {
  name: true,
  summary: true,
  cron: true,
  schedule: true,
  nextAt: true,
  lock: true,
  lockMinutes: true,
  pausedBy: true,
  movesMoney: true,
};

export function listed(job: AnyJob, now: Date): ListedJob {
  const { schedule, lock } = job;
  const cron = schedule === "by-hand" ? null : schedule.cron;
  return {
    name: job.name,
    summary: job.summary,
    cron,
    schedule: cron === null ? "by hand" : `${cronInWords(cron)} (UTC)`,
    nextAt: cron === null ? null : nextTick(cron, now),
    lock: lock === "none" ? "none" : lock.failMode,
    lockMinutes: lock === "none" ? null : lock.ttlMs / 60_000,
    pausedBy: job.pausedBy,
    movesMoney: job.movesMoney,
  };
}

export function listLines(jobs: readonly ListedJob[]): string[] {
  return textTable(
    ["Job", "Schedule", "Next (IST)", "Lock", "Paused by"],
    jobs.map((job) => [
      job.name,
      job.schedule,
      job.nextAt === null ? "" : istMinute(job.nextAt),
      job.lockMinutes === null ? "none" : `${job.lock}, ${job.lockMinutes} min`,
      job.pausedBy === "degraded" ? "degraded, offline" : "offline",
    ]),
  );
}
