import type pg from "pg";
import { seconds } from "../support/clock.ts";
import { driverAddress } from "./address.ts";
import { startupOf, type SessionPurpose } from "./session-settings.ts";
import { databaseSocket } from "./socket.ts";

export interface ConnectionOptions {
  /** `postgres://user:password@host:port/database` */
  url: string;
  /** Shown in `pg_stat_activity`, so that a database administrator can see which job holds a lock. */
  applicationName: string;
  /** A stray write then fails with an error from Postgres itself. */
  readOnly: boolean;
  /** Default: that of a job. `administration` waits for its own statement, and for a lock, as long as it takes. */
  purpose?: SessionPurpose;
  /** How long a statement waits for a lock, as PostgreSQL writes it. Default: `2s` for a job, else without end. */
  rowWait?: string;
  /** When it fires, every session ends where it is and no new one can be made. */
  cut?: AbortSignal;
  /** A server that has been silent for so long is taken for lost. Default 130 s; no statement takes longer. */
  silenceMs?: number;
}

/** The server ends a statement before this, if it is there. */
const SILENCE_MS = seconds(130);
/** Short enough for a run that is told to stop while it connects. */
const CONNECT_TIMEOUT_MS = 5000;

/**
 * The options of `pg` for a session. The state of the session is not verified here: open one by `newSession` or
 * `newSessionPool` of `session.ts`.
 */
export function connectionConfig({
  url,
  applicationName,
  readOnly,
  purpose = "job",
  rowWait,
  cut,
  silenceMs = purpose === "job" ? SILENCE_MS : 0,
}: ConnectionOptions): pg.ClientConfig {
  return {
    ...startupOf(driverAddress(url), {
      readOnly,
      purpose,
      ...(rowWait === undefined ? {} : { rowWait }),
    }),
    application_name: applicationName,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    stream: () => databaseSocket({ silenceMs, cut }),
  };
}
