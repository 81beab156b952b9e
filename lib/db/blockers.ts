import type pg from "pg";
import { DatabaseBusyError, isSessionWait, type ConnectionOptions } from "./connection.ts";
import { newSession } from "./session.ts";

/**
 * Replaces the error of a statement that waited too long for a session of the pool: the new one names the
 * sessions that block. Other errors stay unchanged, also when the server no longer answers.
 */
export function explainWaits({
  connection,
  waitedMs,
}: {
  connection: ConnectionOptions;
  waitedMs: number;
}): <T>(result: Promise<T>) => Promise<T> {
  // All that wait give up at about the same time: one look is enough for them.
  let looking: Promise<Blocker[]> | undefined;
  const explain = async (error: unknown): Promise<never> => {
    if (!isSessionWait(error)) throw error;
    looking ??= findBlockers(connection).finally(() => (looking = undefined));
    const blockers = await looking.catch(() => undefined);
    if (blockers === undefined) throw error;
    throw new DatabaseBusyError(connection.url, { waitedMs, blockers });
  };
  return (result) => result.catch(explain);
}

/** A session for which others wait. */
export interface Blocker {
  pid: number;
  login: string | null;
  /** Its `application_name`; empty where it has none. */
  name: string;
  /** The tables at which they wait, as text; empty where PostgreSQL does not say. */
  tables: string;
}

/**
 * The sessions that block those of this name, read in a separate session, since the pool has none free. Every
 * role may read this.
 *
 * @throws where the server does not answer
 */
async function findBlockers(options: ConnectionOptions): Promise<Blocker[]> {
  const { applicationName } = options;
  const client = newSession({ ...options, applicationName: `${applicationName}: who blocks` });
  // The current statement reports a session that dies.
  client.on("error", () => undefined);
  try {
    await client.connect();
    return await readBlockers(client, applicationName);
  } finally {
    await client.end();
  }
}

/** The sessions that block those of this name now, also when asked twice in one transaction. */
export async function readBlockers(
  client: Pick<pg.ClientBase, "query">,
  applicationName: string,
): Promise<Blocker[]> {
  await client.query("SELECT pg_stat_clear_snapshot()");
  const { rows } = await client.query<Blocker>(QUERY, [applicationName]);
  return rows;
}

/**
 * A session that waits for a row holds or awaits the lock of its tuple. That lock names the table; the row's
 * lock does not.
 */
const QUERY = `
  SELECT blocker.pid, blocker.usename AS login, blocker.application_name AS name,
         COALESCE(string_agg(DISTINCT lock.relation::regclass::text, ', '), '') AS tables
  FROM pg_stat_activity AS own
    CROSS JOIN LATERAL unnest(pg_blocking_pids(own.pid)) AS blocking (pid)
    JOIN pg_stat_activity AS blocker ON blocker.pid = blocking.pid
    LEFT JOIN pg_locks AS lock ON lock.pid = own.pid AND lock.relation IS NOT NULL
      AND (lock.locktype = 'tuple' OR NOT lock.granted)
  WHERE own.datname = current_database() AND own.application_name = $1
    AND blocker.application_name <> $1
  GROUP BY blocker.pid, blocker.usename, blocker.application_name
  ORDER BY blocker.pid
  LIMIT 5`;
