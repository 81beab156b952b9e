import { errorCode } from "../support/errors.ts";
import {
  faultOfCode,
  layersOf,
  mayPass,
  messageOf,
  postgresFault,
  sqlStateOf,
} from "../support/server-fault/index.ts";
import { DatabaseBusyError, DatabaseSessionError } from "./errors.ts";

export { sqlStateOf };

/** The states that other files ask for by name. */
export const SQLSTATE = {
  exclusionViolation: "23P01",
  lockNotAvailable: "55P03",
  readOnlyTransaction: "25006",
  uniqueViolation: "23505",
} as const;

/** Whether no session of the run's own pool was free in time; it is no statement about the server. */
export function isSessionWait(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.message === "timeout exceeded when trying to connect";
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

/** Whether Postgres does not let the session change a setting; any other error is no matter of settings. */
export function isSettingRefused(thrown: unknown): boolean {
  return ["42501", "22023", "55P02"].includes(sqlStateOf(thrown) ?? "");
}

/** Whether Postgres said that a table or column does not exist. */
export function isMissingSchema(thrown: unknown): boolean {
  return ["42P01", "42703", "42704"].includes(sqlStateOf(thrown) ?? "");
}

/** Whether Postgres refused to write because the session, or all of it, is read-only. */
export function isReadOnly(thrown: unknown): boolean {
  return sqlStateOf(thrown) === SQLSTATE.readOnlyTransaction;
}

/**
 * Whether Postgres ended the statement because of another session: it waited too long for a row, or the
 * two waited for each other. The transaction was rolled back, and may be tried again.
 */
export function isLockConflict(thrown: unknown): boolean {
  return [SQLSTATE.lockNotAvailable, "40P01", "40001"].includes(sqlStateOf(thrown) ?? "");
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

/**
 * A refusal by PostgreSQL in words that hold no value of a row: its code, and the table, constraint and function
 * that it names. The message itself may hold any value, and is for the log alone.
 */
export function describeRowError(thrown: unknown): string {
  const state = sqlStateOf(thrown);
  if (state === undefined) return `an unexpected error (${errorCode(thrown) ?? nameOf(thrown)})`;
  const { table, constraint, where } = fieldsOf(thrown);
  const named = [
    ...(table === undefined ? [] : [`table ${table}`]),
    ...(constraint === undefined ? [] : [`constraint ${constraint}`]),
    ...(where === undefined ? [] : [`function ${where}`]),
  ];
  return `the database refused it (SQLSTATE ${[state, ...named].join(", ")})`;
}

function nameOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.name : typeof thrown;
}

/** Names of objects only. Of the context, which may quote a statement, the innermost function. */
function fieldsOf(thrown: unknown): Partial<Record<"table" | "constraint" | "where", string>> {
  if (typeof thrown !== "object" || thrown === null) return {};
  const text = (field: string): string | undefined => {
    const value = (thrown as Record<string, unknown>)[field];
    return typeof value === "string" && value !== "" ? value : undefined;
  };
  const table = text("table");
  const constraint = text("constraint");
  const where = /^PL\/pgSQL function ([\w."]+)\(/m.exec(text("where") ?? "")?.[1];
  return {
    ...(table === undefined ? {} : { table }),
    ...(constraint === undefined ? {} : { constraint }),
    ...(where === undefined ? {} : { where }),
  };
}
