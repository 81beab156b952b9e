import pg from "pg";
import { openDatabase, type Db } from "../../../lib/db/client.ts";
import { sleep } from "../../../lib/support/clock.ts";
import type { TestDatabase } from "../../support/database.ts";
import { RUN_APPLICATION_NAME } from "../../support/payout-world.ts";

/** Another program's session. `work` may leave a transaction open: it is rolled back in the end. */
export async function inSession<T>(
  database: Pick<TestDatabase, "url">,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({
    connectionString: database.url,
    application_name: "another program",
  });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** A client of its own, as a run has one. */
export async function withDb<T>(
  database: Pick<TestDatabase, "url" | "rowWait">,
  work: (db: Db) => Promise<T>,
): Promise<T> {
  const db = openDatabase({
    url: database.url,
    applicationName: RUN_APPLICATION_NAME,
    readOnly: false,
    connections: 1,
    ...rowWaitOf(database),
  });
  try {
    return await work(db);
  } finally {
    await db.close();
  }
}

/** Resolves once so many sessions of runs wait for a lock that another session holds. */
export async function untilBlocked(database: TestDatabase, sessions = 1): Promise<void> {
  for (;;) {
    const waiting = await database.query(
      `SELECT 1 FROM pg_stat_activity
       WHERE datname = current_database() AND application_name = $1 AND wait_event_type = 'Lock'`,
      [RUN_APPLICATION_NAME],
    );
    if (waiting.length >= sessions) return;
    await sleep(10);
  }
}

/** The same database, for sessions that wait only so long for a locked row. */
export function impatient(
  database: TestDatabase,
  rowWait = "150ms",
): TestDatabase & { rowWait: string } {
  return { ...database, rowWait };
}

/** Ends the sessions of runs, as a restart of the database does. */
export async function endSessions(database: TestDatabase): Promise<void> {
  await database.query(
    `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
     WHERE datname = current_database() AND application_name = $1`,
    [RUN_APPLICATION_NAME],
  );
}

function rowWaitOf({ rowWait }: Pick<TestDatabase, "rowWait">): { rowWait?: string } {
  return rowWait === undefined ? {} : { rowWait };
}
