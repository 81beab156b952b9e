import type pg from "pg";
import { AfterhoursError, errorCode } from "../support/errors.ts";

export interface ConnectionOptions {
  /** `postgres://user:password@host:port/database` */
  url: string;
  /** Shown in `pg_stat_activity`, so that a database administrator can see which job holds a lock. */
  applicationName: string;
  /** A stray write then fails with an error from Postgres itself. */
  readOnly: boolean;
}

/** How long a statement waits for a row that another session has locked. */
const LOCK_TIMEOUT_MS = 10_000;
/** No statement of a job is meant to take longer; one that does is stuck. */
const STATEMENT_TIMEOUT_MS = 120_000;
const CONNECT_TIMEOUT_MS = 10_000;

/** Settings of a `pg` client or pool for a job's session. */
export function connectionConfig({
  url,
  applicationName,
  readOnly,
}: ConnectionOptions): pg.ClientConfig {
  const settings = [
    `lock_timeout=${LOCK_TIMEOUT_MS}`,
    `statement_timeout=${STATEMENT_TIMEOUT_MS}`,
    "timezone=UTC",
    ...(readOnly ? ["default_transaction_read_only=on"] : []),
  ];
  return {
    connectionString: url,
    application_name: applicationName,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    options: settings.map((setting) => `-c ${setting}`).join(" "),
  };
}

/** `host:port/database` of an address: enough to recognise it, and no password. */
export function describeAddress(url: string): string {
  try {
    const { hostname, port, pathname } = new URL(url);
    return `${hostname || "localhost"}:${port || "5432"}${pathname}`;
  } catch {
    return "an address that is not a URL";
  }
}

/** The database did not answer, or refused the login. */
export class DatabaseUnreachableError extends AfterhoursError {
  override readonly name = "DatabaseUnreachableError";

  constructor(url: string, cause: unknown) {
    super(
      "DB_UNREACHABLE",
      `the database at ${describeAddress(url)} cannot be reached (${errorCode(cause) ?? "no answer"})`,
      {
        cause,
        remedy:
          "Check that it is up, that this machine may connect, and the user, password and name in DATABASE_URL.",
      },
    );
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

/** Whether Postgres said that a table or column does not exist. */
export function isMissingSchema(thrown: unknown): boolean {
  return ["42P01", "42703", "42704"].includes(errorCode(thrown) ?? "");
}

const UNREACHABLE = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ETIMEDOUT",
]);

/** Whether the error means that the session is gone or was never made, rather than that a statement failed. */
export function isConnectionError(thrown: unknown): boolean {
  for (let error: unknown = thrown, depth = 0; error !== undefined && depth < 5; depth++) {
    const code = errorCode(error) ?? "";
    // 08: connection exception; 57P: the server is shutting down or starting up; 28, 3D: login, database.
    if (UNREACHABLE.has(code) || /^(08|57P|28|3D)/.test(code) || code === "53300") return true;
    if (
      error instanceof Error &&
      /connection terminated|timeout exceeded when trying to connect|connection timeout/i.test(
        error.message,
      )
    ) {
      return true;
    }
    error = error instanceof Error ? error.cause : undefined;
  }
  return false;
}
