import { CommanderError, InvalidArgumentError } from "commander";
import { openDatabase, type Db } from "../../../lib/db/client.ts";
import { AfterhoursError, errorCode, toError } from "../../../lib/support/errors.ts";
import { eachOnOneLine } from "../../../lib/support/one-line.ts";
import { redactor } from "./redactor.ts";
import { requireDatabaseUrl } from "./database-url.ts";
import { UsageError } from "./arguments.ts";
import {
  DatabaseNotMigratedError,
  DatabasePermissionError,
  DatabaseReadOnlyError,
  DatabaseUnreachableError,
} from "../../../lib/db/errors.ts";
import {
  isConnectionError,
  isMissingSchema,
  isPermissionDenied,
  isReadOnly,
} from "../../../lib/db/sqlstate.ts";

export const EXIT = { done: 0, notDone: 1, usage: 2 } as const;

/** Options of every command that changes something. */
export const BY = [
  "--by <name>",
  "who does it (default: GITHUB_ACTOR, else USER, else the login)",
] as const;
export const WHY = ["--reason <text>", "why; it is kept in the audit log"] as const;

type WithDatabase = (
  options: { readOnly: boolean },
  work: (db: Db) => Promise<void>,
) => Promise<void>;

/** Opens the database of `DATABASE_URL` for one piece of work, and says so when it can't. */
export function databaseFor(applicationName: string): WithDatabase {
  return async ({ readOnly }, work) => {
    const url = requireDatabaseUrl(process.env);
    const db = openDatabase({ url, applicationName, readOnly, connections: 1 });
    await onDatabase(db, url, work);
  };
}

/** One piece of work on a database, which is closed at its end; says so when it can't be done. */
export async function onDatabase(
  db: Db,
  url: string,
  work: (db: Db) => Promise<void>,
): Promise<void> {
  try {
    await work(db);
  } catch (error) {
    if (isMissingSchema(error)) throw new DatabaseNotMigratedError(url, error);
    if (isReadOnly(error)) throw new DatabaseReadOnlyError(url, error);
    if (isPermissionDenied(error)) throw new DatabasePermissionError(url, error);
    if (isConnectionError(error)) throw new DatabaseUnreachableError(url, error);
    throw error;
  } finally {
    await db.close();
  }
}

export function unknown(what: string, name: string): AfterhoursError {
  return new AfterhoursError(`UNKNOWN_${what.toUpperCase()}`, `there is no ${what} ${name}`);
}

/** Prints the error; returns the exit status. */
export function describeFailure(thrown: unknown): number {
  // A reader that has seen enough, such as `head`, is no fault.
  if (errorCode(thrown) === "EPIPE") return EXIT.done;
  if (thrown instanceof CommanderError && !(thrown instanceof InvalidArgumentError)) {
    return thrown.exitCode === 0 ? EXIT.done : EXIT.usage;
  }
  if (thrown instanceof AfterhoursError) {
    printError(`error: ${thrown.message}`);
    if (thrown.remedy !== undefined) printError(thrown.remedy);
    const isUsage = thrown.code === "MISCONFIGURED" || thrown instanceof DatabaseNotMigratedError;
    return isUsage ? EXIT.usage : EXIT.notDone;
  }
  if (thrown instanceof UsageError || thrown instanceof InvalidArgumentError) {
    printError(`error: ${thrown.message}`);
    return EXIT.usage;
  }
  printError(`error: ${briefly(thrown)}`);
  return EXIT.notDone;
}

function printError(text: string): void {
  console.error(eachOnOneLine(redactor.text(text)));
}

/** The error and its remedy, on one line. */
export function told(thrown: unknown): string {
  if (!(thrown instanceof AfterhoursError) || thrown.remedy === undefined) return briefly(thrown);
  return redactor.text(`${thrown.message}. ${thrown.remedy}`);
}

/** The last line is the database's message; the earlier ones quote the query. */
export function briefly(thrown: unknown): string {
  const lines = toError(thrown).message.trim().split("\n");
  return redactor.text(lines.at(-1) ?? "no message");
}
