import type { DbSession } from "../db/client.ts";

/** `running` while a run has no end; `lost` when the watchdog found its process gone. */
export const RUN_OUTCOMES = [
  "running",
  "completed",
  "skipped",
  "partial",
  "failed",
  "interrupted",
  "misconfigured",
  "lost",
] as const;
export type RunOutcome = (typeof RUN_OUTCOMES)[number];

export interface RecordedRun {
  id: string;
  job: string;
  outcome: RunOutcome;
  reason: string | null;
  exitCode: number | null;
  startedAt: Date;
  finishedAt: Date | null;
  /** To its end, or to now while it runs. */
  durationMs: number;
  commit: string | null;
  /** The page of the run at GitHub. */
  runUrl: string | null;
  /** `<iso time>@<host>:<uuid>` */
  owner: string;
  /** The core's report, as stored. */
  report: unknown;
}

interface RunFilter {
  job: string | undefined;
  outcome: RunOutcome | undefined;
  /** Begun at or after. */
  since: Date | undefined;
  limit: number;
}

/** Runs, newest first, and whether there are more than the limit. */
export async function listRuns(
  db: DbSession,
  { job, outcome, since, limit }: RunFilter,
): Promise<{ runs: RecordedRun[]; more: boolean }> {
  const rows = await db.query<RecordedRun[]>`
    SELECT id, job, COALESCE(outcome, 'running') AS outcome, reason, exit_code AS "exitCode",
           started_at AS "startedAt", finished_at AS "finishedAt",
           (extract(epoch FROM COALESCE(finished_at, now()) - started_at) * 1000)::float8 AS "durationMs",
           commit, run_url AS "runUrl", owner, report
    FROM job_runs
    WHERE (${job ?? null}::text IS NULL OR job = ${job ?? null}::text)
      AND (${outcome ?? null}::text IS NULL OR COALESCE(outcome, 'running') = ${outcome ?? null}::text)
      AND (${since ?? null}::timestamptz IS NULL OR started_at >= ${since ?? null}::timestamptz)
    ORDER BY started_at DESC, id DESC LIMIT ${limit + 1}`;
  return { runs: rows.slice(0, limit), more: rows.length > limit };
}

/** The numbers of a report that say anything: its whole numbers but zero. */
export function countsOf(report: unknown): [string, number][] {
  if (typeof report !== "object" || report === null) return [];
  return Object.entries(report).filter(
    (entry): entry is [string, number] => Number.isInteger(entry[1]) && entry[1] !== 0,
  );
}
