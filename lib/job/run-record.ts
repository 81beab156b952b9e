import type pg from "pg";
import { toJson } from "../support/log.ts";
import { exitCodeOf, reasonOf, type Outcome } from "./outcome.ts";
import { isConnectionError } from "../db/sqlstate.ts";

interface RunStart {
  runId: string;
  job: string;
  owner: string;
  fence: bigint | null;
  commit: string | undefined;
  runUrl: string | undefined;
}

/** Writes that the run has begun. A row without an outcome whose process is gone is a lost run. */
export async function recordStart(pool: pg.Pool, start: RunStart): Promise<void> {
  await pool.query(
    `INSERT INTO job_runs (id, job, owner, fence, commit, run_url) VALUES ($1, $2, $3, $4, $5, $6)`,
    [start.runId, start.job, start.owner, start.fence, start.commit, start.runUrl],
  );
}

/**
 * Writes how the run ended, with the numbers of its report. A session that died while the core worked
 * is noticed only here, so a lost connection is tried once more: the second try changes nothing that
 * the first one did.
 */
export async function recordEnd(
  pool: pg.Pool,
  { runId, outcome, report }: { runId: string; outcome: Outcome; report: unknown },
): Promise<void> {
  const values = [
    runId,
    outcome.kind,
    reasonOf(outcome) || null,
    exitCodeOf(outcome),
    report === undefined ? null : toJson(report),
  ];
  const write = (): Promise<unknown> =>
    pool.query(
      `UPDATE job_runs SET outcome = $2, reason = $3, exit_code = $4, report = $5, finished_at = now()
       WHERE id = $1 AND outcome IS NULL`,
      values,
    );
  try {
    await write();
  } catch (error) {
    if (!isConnectionError(error)) throw error;
    await write();
  }
}
