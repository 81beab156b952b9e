import type pg from "pg";

/** Sessions that hold up others, for a message to an operator. */
export interface LockHolders {
  /** `session 4711 (login asha, program "psql")`; empty where they have ended since. */
  names: string;
  /** The statement that ends them. */
  command: string;
}

/** A table whose rows or whole are locked, or the number of an advisory lock below 2^32. */
type Locked = { table: string } | { advisory: bigint };

/**
 * The sessions that hold a lock on the table. Readers block nobody and are left out. Every login may read this;
 * ask outside of the transaction that waited in vain.
 */
export async function findLockHolders(
  client: Pick<pg.ClientBase, "query">,
  locked: Locked,
): Promise<LockHolders> {
  const [condition, value] =
    "table" in locked
      ? ["lock.relation = to_regclass($1) AND lock.mode <> 'AccessShareLock'", locked.table]
      : [
          "lock.locktype = 'advisory' AND lock.classid = 0 AND lock.objid::bigint = $1::bigint AND lock.objsubid = 1",
          locked.advisory.toString(),
        ];
  const { rows } = await client.query<Session>(
    `SELECT DISTINCT lock.pid, session.usename AS login, session.application_name AS name
     FROM pg_locks AS lock JOIN pg_stat_activity AS session ON session.pid = lock.pid
     WHERE lock.granted AND lock.pid <> pg_backend_pid()
       AND lock.database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND ${condition}
     ORDER BY lock.pid LIMIT 5`,
    [value],
  );
  return describeHolders(rows);
}

interface Session {
  pid: number;
  login: string | null;
  /** Its `application_name`. */
  name: string;
}

export function describeHolders(sessions: readonly Session[]): LockHolders {
  return {
    names: sessions
      .map(
        ({ pid, login, name }) => `session ${pid} (login ${login ?? "unknown"}, program "${name}")`,
      )
      .join(", "),
    command: sessions.map(({ pid }) => `SELECT pg_terminate_backend(${pid});`).join(" "),
  };
}
