import type pg from "pg";
import { seconds } from "../support/clock.ts";
import { AfterhoursError, errorCode } from "../support/errors.ts";
import { DatabaseSessionError } from "./session-errors.ts";
import { startupOf, type SessionPurpose } from "./session-settings.ts";
import {
  describeServerFault,
  faultOfCode,
  layersOf,
  mayPass,
  messageOf,
  postgresFault,
  sqlStateOf,
} from "../support/server-fault/index.ts";
import { decoded } from "../support/server-url.ts";
import { driverAddress, hostOf } from "./address.ts";
import { databaseSocket } from "./socket.ts";

export { sqlStateOf };

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

/** `host:port/database` of an address: enough to recognise it, and no password. */
export function describeAddress(url: string): string {
  try {
    const { port, pathname } = new URL(url);
    return `${hostOf(url)}:${port || "5432"}${pathname}`;
  } catch {
    return "an address that is not a URL";
  }
}

/** No session could be had, or it was lost: the message says whether the database answered, and how. */
export class DatabaseUnreachableError extends AfterhoursError {
  override readonly name = "DatabaseUnreachableError";

  constructor(url: string, cause: unknown) {
    const name = `the database at ${describeAddress(url)}`;
    const { message, remedy } = describeServerFault(postgresFault(cause), {
      name,
      type: "postgres",
    });
    super("DB_UNREACHABLE", message, { cause, remedy });
  }
}

/** The database answers, and has no room left for a statement: memory, disk or connections. */
export class DatabaseFullError extends AfterhoursError {
  override readonly name = "DatabaseFullError";

  constructor(url: string, cause: unknown) {
    const name = `the database at ${describeAddress(url)}`;
    const { message, remedy } = describeServerFault(postgresFault(cause), {
      name,
      type: "postgres",
    });
    super("DB_FULL", message, { cause, remedy: `${remedy} What was not written is as it was.` });
  }
}

/** The database answers, but has not the tables that this version needs. */
export class DatabaseNotMigratedError extends AfterhoursError {
  override readonly name = "DatabaseNotMigratedError";

  constructor(url: string, cause: unknown) {
    super(
      "DB_NOT_MIGRATED",
      `the database at ${describeAddress(url)} lacks a table or column of this version`,
      {
        cause,
        remedy: "Run `npm run db:migrate` against it.",
      },
    );
  }
}

/** The database answers, and takes no writes. */
export class DatabaseReadOnlyError extends AfterhoursError {
  override readonly name = "DatabaseReadOnlyError";

  constructor(url: string, cause: unknown) {
    super(
      "DB_READ_ONLY",
      `the database at ${describeAddress(url)} takes no writes (read-only transaction)`,
      {
        cause,
        remedy:
          "Is it a standby, is its login one for dry runs, or did its host make it read-only, as when its disk is full? DATABASE_URL must lead to the primary. What was not written is as it was. In a dry run this is a bug: something tried to write.",
      },
    );
  }
}

/** The database answers, and refuses something to the role that asks. */
export class DatabasePermissionError extends AfterhoursError {
  override readonly name = "DatabasePermissionError";

  constructor(url: string, cause: unknown) {
    super(
      "DB_PERMISSION_DENIED",
      `the database at ${describeAddress(url)} refuses this to ${describeRole(url)}: ${refusalOf(cause) ?? "permission denied"}`,
      {
        cause,
        remedy:
          "Run `npm run db:roles` as the owner of the database: prisma/roles.sql says what each role may do, and has to be run again after a migration. The login has to be a member of afterhours_jobs, or for a dry run of afterhours_readonly. People: afterhours_payees imports, afterhours_approvers approves, rejects and holds, afterhours_tax records deposits, certificates and reliefs, afterhours_operators does all of it. What was not written is as it was.",
      },
    );
  }
}

/** The database answers, and for a minute none of the run's own sessions was free to ask it something. */
export class DatabaseBusyError extends AfterhoursError {
  override readonly name = "DatabaseBusyError";

  constructor(
    url: string,
    {
      waitedMs,
      blockers,
    }: {
      waitedMs: number;
      blockers: readonly { pid: number; name: string; tables: string }[];
    },
  ) {
    const held = blockers.map(
      ({ pid, name, tables }) =>
        `${tables === "" ? "rows" : `rows or all of ${tables}`} held by session ${pid} (${name === "" ? "unnamed" : name})`,
    );
    super(
      "DB_BUSY",
      `the database at ${describeAddress(url)} is up, and no session of this run was free for ${waitedMs / 1000} s: ${
        held.length === 0 ? "nobody can say for what they wait" : `they wait for ${held.join("; ")}`
      }`,
      {
        remedy: END_THE_BLOCKER,
      },
    );
  }
}

/** The database answers, and another session holds a row or table that the whole run needs. */
export class DatabaseLockedError extends AfterhoursError {
  override readonly name = "DatabaseLockedError";

  constructor(url: string, cause: unknown) {
    super(
      "DB_BUSY",
      `the database at ${describeAddress(url)} is up, and another session holds a row or a table that this run needs`,
      { cause, remedy: END_THE_BLOCKER },
    );
  }
}

const END_THE_BLOCKER =
  "Look for that session (pg_stat_activity, pg_blocking_pids); let it finish, or end it with pg_terminate_backend(pid). Then run again: what was not written is as it was.";

/** Whether no session of the run's own pool was free in time; it is no statement about the server. */
export function isSessionWait(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.message === "timeout exceeded when trying to connect";
}

/** The refusal in the words of Postgres. They name a table, schema, function or database and no value. */
function refusalOf(thrown: unknown): string | undefined {
  for (const layer of layersOf(thrown)) {
    const said = /(?:permission denied|must be owner)[^\n`]*/.exec(messageOf(layer));
    if (said) return said[0].trim();
  }
  return undefined;
}

/** The user of an address. */
function describeRole(url: string): string {
  const user = URL.canParse(url) ? new URL(url).username : "";
  return user === "" ? "its login" : `role "${decoded(user)}"`;
}

/** Whether Postgres refused the login, or knows no such database or refuses it: to ask again is no use. */
export function isLoginRefused(thrown: unknown): boolean {
  return /^(28|3D)/.test(sqlStateOf(thrown) ?? "") || isPermissionDenied(thrown);
}

/** Whether a connection that failed may come about in some seconds: not where the login or a certificate is wrong. */
export function isWorthAnotherTry(thrown: unknown): boolean {
  return !isLoginRefused(thrown) && mayPass(postgresFault(thrown));
}

/** Whether Postgres had no memory, disk or connection left for it. */
export function isFull(thrown: unknown): boolean {
  return /^53/.test(sqlStateOf(thrown) ?? "");
}

/** Whether Postgres refused something to the role of the session. */
export function isPermissionDenied(thrown: unknown): boolean {
  return sqlStateOf(thrown) === "42501";
}

/** Whether Postgres said that a table or column does not exist. */
export function isMissingSchema(thrown: unknown): boolean {
  return ["42P01", "42703", "42704"].includes(sqlStateOf(thrown) ?? "");
}

/** Whether Postgres refused to write because the session, or all of it, is read-only. */
export function isReadOnly(thrown: unknown): boolean {
  return sqlStateOf(thrown) === "25006";
}

/**
 * Whether Postgres ended the statement because of another session: it waited too long for a row, or the
 * two waited for each other. The transaction was rolled back, and may be tried again.
 */
export function isLockConflict(thrown: unknown): boolean {
  return ["55P03", "40P01", "40001"].includes(sqlStateOf(thrown) ?? "");
}

/** Whether the error means that the session is gone or was never made, rather than that a statement failed. */
export function isConnectionError(thrown: unknown): boolean {
  // 08: connection exception; 57P: the server is shutting down or starting up; 28, 3D: login, database.
  const state = sqlStateOf(thrown);
  if (state !== undefined)
    return (/^(08|57P|28|3D)/.test(state) || state === "53300") && !isOfStatement(thrown);
  for (const layer of layersOf(thrown)) {
    if (faultOfCode(errorCode(layer) ?? "") !== undefined) return true;
    if (LOST_SESSION.test(messageOf(layer))) return true;
  }
  return false;
}

/**
 * Whether Postgres raised the error at a statement and continues the session: a trigger that uses a third server
 * reports that server's states. An error that ends or refuses a session is FATAL.
 */
function isOfStatement(thrown: unknown): boolean {
  for (const layer of layersOf(thrown)) {
    if (layer instanceof Error && "severity" in layer) return layer.severity === "ERROR";
  }
  return false;
}

/**
 * Whether the next row would meet the error as well: the session is gone, or is not to be had, or may not
 * write. Ends a run at once.
 */
export function isForEveryRow(thrown: unknown): boolean {
  return (
    isConnectionError(thrown) ||
    isPermissionDenied(thrown) ||
    isReadOnly(thrown) ||
    thrown instanceof DatabaseSessionError ||
    thrown instanceof DatabaseBusyError
  );
}

/** Messages of `pg` for errors without a code. */
const LOST_SESSION =
  /connection terminated|connection error and is not queryable|timeout exceeded when trying to connect|connection timeout|query read timeout|server does not support SSL|establishing an SSL connection/i;
