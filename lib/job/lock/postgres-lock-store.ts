import type pg from "pg";
import { LockUnavailableError, type Acquisition, type LockStore } from "./lock-store.ts";

/**
 * Locks as rows of `job_leases`, on the database's clock. Uses `clock_timestamp()` and not `now()`: a statement
 * that waited for the row must compare with the time after the wait.
 *
 * The caller owns `pool` and ends it.
 */
export function createPostgresLockStore(pool: pg.Pool): LockStore {
  const query = async <Row extends pg.QueryResultRow>(
    sql: string,
    values: unknown[],
  ): Promise<Row[]> => {
    try {
      return (await pool.query<Row>(sql, values)).rows;
    } catch (error) {
      throw new LockUnavailableError("PostgreSQL", error);
    }
  };

  return {
    async acquire({ key, owner, ttlMs }): Promise<Acquisition> {
      // A second try only when the row was freed between the two statements.
      for (;;) {
        const [taken] = await query<{ fence: string }>(
          `INSERT INTO job_leases AS lease (key, owner, fence, acquired_at, expires_at)
           VALUES ($1, $2, 1, clock_timestamp(), clock_timestamp() + make_interval(secs => $3 / 1000.0))
           ON CONFLICT (key) DO UPDATE
             SET owner = $2, fence = lease.fence + 1, acquired_at = clock_timestamp(),
                 expires_at = clock_timestamp() + make_interval(secs => $3 / 1000.0)
             WHERE lease.owner IS NULL OR lease.expires_at <= clock_timestamp()
           RETURNING fence`,
          [key, owner, ttlMs],
        );
        if (taken) return { kind: "acquired", fence: BigInt(taken.fence) };
        const [held] = await query<{ owner: string; expires_at: Date }>(
          `SELECT owner, expires_at FROM job_leases WHERE key = $1 AND owner IS NOT NULL`,
          [key],
        );
        if (held) return { kind: "held", owner: held.owner, expiresAt: held.expires_at };
      }
    },

    async extend({ key, owner, ttlMs }) {
      const rows = await query(
        `UPDATE job_leases SET expires_at = clock_timestamp() + make_interval(secs => $3 / 1000.0)
         WHERE key = $1 AND owner = $2 AND expires_at > clock_timestamp()
         RETURNING key`,
        [key, owner, ttlMs],
      );
      return rows.length === 1 ? "extended" : "lost";
    },

    async release({ key, owner }) {
      const rows = await query(
        `UPDATE job_leases SET owner = NULL, expires_at = NULL WHERE key = $1 AND owner = $2 RETURNING key`,
        [key, owner],
      );
      return rows.length === 1 ? "released" : "not-held";
    },

    close: () => Promise.resolve(),
  };
}
