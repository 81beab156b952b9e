import { CommanderError, InvalidArgumentError, type Command } from "commander";
import { openDatabase, type Db } from "../../../lib/db/client.ts";
import { AfterhoursError, errorCode, toError } from "../../../lib/support/errors.ts";
import { eachOnOneLine } from "../../../lib/support/one-line.ts";
import { redactor } from "./redactor.ts";
import { requireDatabaseUrl } from "./database-url.ts";
import { UsageError, whoDoesIt } from "./arguments.ts";
import { EXIT, exitOf, newCommand } from "./command-line.ts";
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

/** Exit statuses of a command that looks at things and changes them. */
export const EXIT_STATUS = "\nExit status: 0 done; 1 something was not done; 2 used wrongly.";

interface Operator<Reason> {
  by: string;
  reason: Reason;
}

/** The end of a change: whether it was made, its line, and the advice beside it. */
export interface Changed {
  done: boolean;
  line: string;
  note?: string;
}

/** A command of operators: its arguments, the database of `DATABASE_URL`, and how it ends. */
export interface OperatorCommand {
  program: Command;
  /** Work on the database that changes nothing. */
  reading: (work: (db: Db) => Promise<void>) => Promise<void>;
  /**
   * A change by a named person, with the given reason. Prints its line, and sets the exit status.
   * Work on several things tells each change itself.
   */
  changing: Changing;
  /** Reads the arguments, runs the command, and names the reason of a failure. */
  run: () => Promise<void>;
}

interface Changing {
  (
    options: { by?: string; reason: string },
    work: (db: Db, operator: Operator<string>) => Promise<Changed> | Promise<void>,
  ): Promise<void>;
  (
    options: { by?: string; reason?: string },
    work: (db: Db, operator: Operator<string | null>) => Promise<Changed> | Promise<void>,
  ): Promise<void>;
}

export function operatorCommand(name: string, description: string): OperatorCommand {
  const program = newCommand(name).description(description).exitOverride();
  const withDatabase = databaseFor(`afterhours ${name}`);
  return {
    program,
    reading: (work) => withDatabase({ readOnly: true }, work),
    changing: async (
      { by, reason }: { by?: string; reason?: string },
      work: (db: Db, operator: Operator<string>) => Promise<Changed> | Promise<void>,
    ) => {
      // Where a reason is required, commander has asked for it.
      const operator = { by: whoDoesIt(by, process.env), reason: reason ?? null };
      await withDatabase({ readOnly: false }, async (db) => {
        const changed = await work(db, operator as Operator<string>);
        if (changed) tellChange(changed);
      });
    },
    run: async () => {
      try {
        await program.parseAsync();
      } catch (thrown) {
        process.exitCode = describeFailure(thrown);
      }
    },
  };
}

/** Prints the end of a change. */
export function tellChange({ done, line, note }: Changed): void {
  console.log(line);
  if (note !== undefined) console.error(note);
  if (!done) process.exitCode = EXIT.notDone;
}

type WithDatabase = (
  options: { readOnly: boolean },
  work: (db: Db) => Promise<void>,
) => Promise<void>;

/** Opens the database of `DATABASE_URL` for one piece of work, and says so when it can't. */
function databaseFor(applicationName: string): WithDatabase {
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
    throw explained(error, url);
  } finally {
    await db.close();
  }
}

/** An error of the database becomes one with a remedy; any other stays as it is. */
export function explained(error: unknown, url: string): unknown {
  if (isMissingSchema(error)) return new DatabaseNotMigratedError(url, error);
  if (isReadOnly(error)) return new DatabaseReadOnlyError(url, error);
  if (isPermissionDenied(error)) return new DatabasePermissionError(url, error);
  if (isConnectionError(error)) return new DatabaseUnreachableError(url, error);
  return error;
}

export function unknown(what: string, name: string): AfterhoursError {
  return new AfterhoursError(`UNKNOWN_${what.toUpperCase()}`, `there is no ${what} ${name}`);
}

/** Prints the error; returns the exit status. */
function describeFailure(thrown: unknown): number {
  // A reader that has seen enough, such as `head`, is no fault.
  if (errorCode(thrown) === "EPIPE") return EXIT.done;
  if (thrown instanceof CommanderError && !(thrown instanceof InvalidArgumentError)) {
    return exitOf(thrown);
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
