import pg from "pg";
import {
  connectionConfig,
  DatabaseUnreachableError,
  type ConnectionOptions,
} from "./connection.ts";
import { connectWithRetry, type ConnectRetryPorts } from "./connect-retry.ts";

/**
 * A pool of one session for what surrounds a job: maintenance phase, lock, run record. Apart from the
 * core's own session, so that a lease is renewed while the core is in a long transaction; and a pool,
 * so that a session lost to a restart of the database is replaced.
 *
 * @throws {DatabaseUnreachableError} after three attempts
 */
export async function openControlPool(
  options: ConnectionOptions,
  retry: ConnectRetryPorts,
): Promise<pg.Pool> {
  const pool = new pg.Pool({ ...connectionConfig(options), max: 1, idleTimeoutMillis: 0 });
  // A session that dies while idle is replaced by the next query, which reports what it finds.
  pool.on("error", () => undefined);
  try {
    await connectWithRetry(() => pool.query("SELECT 1"), retry);
    return pool;
  } catch (error) {
    await pool.end();
    throw new DatabaseUnreachableError(options.url, error);
  }
}
