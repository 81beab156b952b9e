import type { DbSession } from "../../db/client.ts";
import { lostAfterMs, type WatchedJob } from "./judge.ts";

/** A run without an end that has gone on for longer than any run may. */
export interface Unfinished {
  id: string;
  job: string;
  owner: string;
  startedAt: Date;
  /** It holds a lease in PostgreSQL that has not ended. */
  holdsLease: boolean;
}

/** More than ever are left by one day. */
const MOST = 500;

/** Those runs, oldest first. A job that is no longer in the registry has a day. */
export async function readUnfinished(
  db: DbSession,
  jobs: readonly WatchedJob[],
): Promise<Unfinished[]> {
  return db.query`
    SELECT run.id, run.job, run.owner, run.started_at AS "startedAt",
           EXISTS (SELECT 1 FROM job_leases AS lease
                   WHERE lease.owner = run.owner AND lease.expires_at > clock_timestamp()) AS "holdsLease"
    FROM job_runs AS run
    LEFT JOIN unnest(${jobs.map(({ name }) => name)}::text[], ${jobs.map(lostAfterMs)}::bigint[])
      AS watched (name, ms) ON watched.name = run.job
    WHERE run.outcome IS NULL
      AND run.started_at < now() - COALESCE(watched.ms, 86400000) * interval '1 millisecond'
    ORDER BY run.started_at, run.id LIMIT ${MOST}`;
}

/**
 * Writes that a run is lost, unless it has ended or holds its lease after all. Of several at once one does.
 * A process that comes back later changes nothing of it: it writes its end only where there is none.
 */
export async function markLost(db: DbSession, runId: string): Promise<boolean> {
  const hit = await db.execute`
    UPDATE job_runs AS run
    SET outcome = 'lost', reason = 'process-gone', finished_at = now()
    WHERE run.id = ${runId}::uuid AND run.outcome IS NULL
      AND NOT EXISTS (SELECT 1 FROM job_leases AS lease
                      WHERE lease.owner = run.owner AND lease.expires_at > clock_timestamp())`;
  return hit === 1;
}
