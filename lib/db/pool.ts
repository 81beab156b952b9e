import type pg from "pg";
import { seconds } from "../support/clock.ts";
import { AfterhoursError } from "../support/errors.ts";
import {
  DatabasePermissionError,
  DatabaseUnreachableError,
  isPermissionDenied,
  isWorthAnotherTry,
  type ConnectionOptions,
} from "./connection.ts";
import { connectWithRetry, type ConnectRetryPorts } from "./connect-retry.ts";
import { newSessionPool } from "./session.ts";

/**
 * Each of its statements touches one row and waits at most 10 s for it. Against a server that fell
 * silent without closing the connection nothing else would ever end a renewal, nor the run behind it.
 */
const QUERY_TIMEOUT_MS = seconds(15);

/**
 * A pool of one session for the steps around a core: maintenance phase, lock, run record. It is apart from the
 * core's session, so that a lease is renewed during a long transaction. It is a pool, so that a session lost to
 * a restart of the database is replaced.
 *
 * @throws {DatabaseUnreachableError} after three attempts, or at once when the login or a certificate is refused
 * @throws {DatabasePermissionError} at once when the role may not connect to the database
 * @throws {DatabaseSessionError} at once when the session's settings are not allowed
 */
export async function openControlPool(
  options: ConnectionOptions,
  retry: ConnectRetryPorts,
): Promise<pg.Pool> {
  const pool = newSessionPool(options, {
    max: 1,
    idleTimeoutMillis: 0,
    query_timeout: QUERY_TIMEOUT_MS,
  });
  try {
    // To connect is to ask: the settings of the session are read back.
    const client = await connectWithRetry(() => pool.connect(), {
      ...retry,
      isWorthRetrying: (error) => isWorthAnotherTry(error) && !(error instanceof AfterhoursError),
    });
    client.release();
    return pool;
  } catch (error) {
    await pool.end();
    if (error instanceof AfterhoursError) throw error;
    if (isPermissionDenied(error)) throw new DatabasePermissionError(options.url, error);
    throw new DatabaseUnreachableError(options.url, error);
  }
}
