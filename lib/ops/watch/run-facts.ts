import type { DbSession } from "../../db/client.ts";
import type { RunFacts } from "./judge.ts";

interface Watch {
  /** The database's clock. */
  now: Date;
  facts: ReadonlyMap<string, RunFacts>;
  /** Since when a job that has never run could have been missed. */
  knownSince: ReadonlyMap<string, Date | null>;
}

/** The run records of each given job, and the clock that wrote them. */
export async function readWatch(
  db: DbSession,
  { names, watchdog }: { names: readonly string[]; watchdog: string },
): Promise<Watch> {
  const rows = await readFacts(db, names);
  const { now, ...known } = await readKnown(db, { names, watchdog });
  return {
    now,
    facts: new Map(rows.map(({ job, ...facts }) => [job, facts])),
    knownSince: new Map(names.map((name) => [name, knownSince(name, { now, ...known })])),
  };
}

/** Each job by a few steps on the index of its runs, however many records there are. */
async function readFacts(
  db: DbSession,
  names: readonly string[],
): Promise<(RunFacts & { job: string })[]> {
  return db.query`
    SELECT watched.name AS job, begun.at AS "lastStartedAt", worked.at AS "lastWorkedAt",
           success.at AS "lastSuccessAt", red.count AS "redInARow", red.reason AS "lastReason",
           skipped.maintenance AS "skippedForMaintenance", skipped.lock AS "skippedForLock"
    FROM unnest(${names}::text[]) AS watched (name)
    LEFT JOIN LATERAL (
      SELECT max(started_at) AS at FROM job_runs WHERE job = watched.name
    ) AS begun ON true
    LEFT JOIN LATERAL (
      SELECT started_at AS at FROM job_runs
      WHERE job = watched.name AND outcome IS DISTINCT FROM 'skipped'
      ORDER BY started_at DESC LIMIT 1
    ) AS worked ON true
    LEFT JOIN LATERAL (
      SELECT started_at AS at FROM job_runs WHERE job = watched.name AND outcome = 'completed'
      ORDER BY started_at DESC LIMIT 1
    ) AS success ON true
    CROSS JOIN LATERAL (
      SELECT count(*)::int AS count,
             (array_agg(COALESCE(reason, outcome) ORDER BY started_at DESC))[1] AS reason
      FROM job_runs
      WHERE job = watched.name AND started_at > COALESCE(success.at, '-infinity')
        AND outcome NOT IN ('completed', 'skipped')
    ) AS red
    CROSS JOIN LATERAL (
      SELECT (count(*) FILTER (WHERE reason = 'maintenance'))::int AS maintenance,
             (count(*) FILTER (WHERE reason = 'lock-held'))::int AS lock
      FROM job_runs
      WHERE job = watched.name AND started_at > COALESCE(worked.at, '-infinity') AND outcome = 'skipped'
    ) AS skipped`;
}

interface Known {
  now: Date;
  /** The first record of any job. */
  firstRunAt: Date | null;
  /** The first run of the watchdog that left its list of jobs. */
  firstWatchAt: Date | null;
  /** By job: the first run of the watchdog whose list holds it. */
  named: ReadonlyMap<string, Date>;
}

async function readKnown(
  db: DbSession,
  { names, watchdog }: { names: readonly string[]; watchdog: string },
): Promise<Known> {
  const [row] = await db.query<Omit<Known, "named">[]>`
    SELECT now() AS now, min(started_at) AS "firstRunAt",
           min(started_at) FILTER (WHERE job = ${watchdog} AND report->'watched' IS NOT NULL)
             AS "firstWatchAt"
    FROM job_runs`;
  const named = await db.query<{ name: string; at: Date }[]>`
    SELECT watched.name, min(run.started_at) AS at
    FROM job_runs AS run
    CROSS JOIN LATERAL jsonb_array_elements_text(run.report->'watched') AS watched (name)
    WHERE run.job = ${watchdog} AND jsonb_typeof(run.report->'watched') = 'array'
      AND watched.name = ANY (${names}::text[])
    GROUP BY watched.name`;
  if (!row) throw new TypeError("an aggregate without a row");
  return { ...row, named: new Map(named.map(({ name, at }) => [name, at])) };
}

/**
 * A job that the watchdog saw from its own beginning is as old as the installation, whose first record of any
 * run is the first proof that schedules fire. One that came later is known since the watchdog first saw it.
 */
function knownSince(name: string, { now, firstRunAt, firstWatchAt, named }: Known): Date | null {
  if (firstWatchAt === null) return firstRunAt;
  const at = named.get(name);
  if (at === undefined) return now;
  return at <= firstWatchAt ? firstRunAt : at;
}
