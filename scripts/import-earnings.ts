import { createReadStream } from "node:fs";
import { CommanderError } from "commander";
import pg from "pg";
import {
  DatabaseNotMigratedError,
  DatabasePermissionError,
  DatabaseUnreachableError,
  isConnectionError,
  isMissingSchema,
  isPermissionDenied,
} from "../lib/db/connection.ts";
import {
  describeReport,
  formatProblems,
  importEarnings,
  readEarningsFile,
  type EarningsFile,
  type ImportOptions,
} from "../lib/earnings/index.ts";
import { newSession } from "../lib/db/session.ts";
import { systemClock } from "../lib/support/clock.ts";
import { AfterhoursError, errorCode, toError } from "../lib/support/errors.ts";
import { newCommand } from "./command-line.ts";

const EXIT = { fine: 0, refused: 1, misconfigured: 2 } as const;

/** The import can't begin: a wrong argument, file or setting. */
class MisconfiguredError extends Error {}

process.exitCode = await main(process.argv);

async function main(argv: readonly string[]): Promise<number> {
  const command = newCommand("import:earnings")
    .description("Brings earnings from a finance export (CSV) into the database.")
    .argument("<file>", "the CSV file; its columns are described in docs/importing-earnings.md")
    .option("--dry-run", "check everything, also against the database, and write nothing")
    .option("--approve", "put the file's earnings into approved payouts, one for each consultant")
    .option("--update-accounts", "accept changed bank details as the consultant's new account")
    .exitOverride();
  try {
    command.parse(argv);
    const [path = ""] = command.args;
    return await importFile(path, command.opts<ImportOptions>());
  } catch (error) {
    if (error instanceof CommanderError)
      return error.exitCode === 0 ? EXIT.fine : EXIT.misconfigured;
    return describeFailure(error);
  }
}

async function importFile(path: string, options: ImportOptions): Promise<number> {
  const url = databaseUrl();
  const file = await readFile(path);
  // With no good row there is nothing to compare with the database.
  if (file.rows.length === 0) {
    printProblems(path, file.problems);
    return EXIT.refused;
  }

  const client = newSession({
    url,
    applicationName: "afterhours import-earnings",
    readOnly: options.dryRun ?? false,
  });
  // A session that breaks is reported by the statement that it breaks, not as an uncaught event.
  client.on("error", () => undefined);
  try {
    await client.connect();
    const report = await importEarnings(client, file, options);
    printProblems(path, report.problems);
    console.log(describeReport(report).join("\n"));
    return report.outcome === "refused" ? EXIT.refused : EXIT.fine;
  } catch (error) {
    printProblems(path, file.problems);
    if (isConnectionError(error)) throw new DatabaseUnreachableError(url, error);
    if (isMissingSchema(error)) throw new DatabaseNotMigratedError(url, error);
    if (isPermissionDenied(error)) throw new DatabasePermissionError(url, error);
    throw error;
  } finally {
    await client.end().catch(() => undefined);
  }
}

function databaseUrl(): string {
  const url = process.env["DATABASE_URL"];
  if (url === undefined || url === "") {
    throw new MisconfiguredError(
      "DATABASE_URL is not set; expected postgres://user:password@host:port/database",
    );
  }
  const protocol = URL.canParse(url) ? new URL(url).protocol : "";
  if (protocol !== "postgres:" && protocol !== "postgresql:") {
    throw new MisconfiguredError(
      "DATABASE_URL is not an address such as postgres://user:password@host:port/database; special characters of a password are percent-encoded, such as %40 for @ and %23 for #",
    );
  }
  return url;
}

async function readFile(path: string): Promise<EarningsFile> {
  try {
    return await readEarningsFile(createReadStream(path), { clock: systemClock });
  } catch (error) {
    const code = errorCode(error);
    if (code === "ENOENT") throw new MisconfiguredError(`${path}: there is no such file`);
    if (code === "EISDIR")
      throw new MisconfiguredError(`${path}: is a folder; expected a CSV file`);
    if (code === "EACCES")
      throw new MisconfiguredError(`${path}: may not be read (permission denied)`);
    throw error;
  }
}

function printProblems(path: string, problems: EarningsFile["problems"]): void {
  if (problems.length === 0) return;
  for (const line of formatProblems(path, problems)) console.error(line);
  console.error(
    `${problems.length} ${problems.length === 1 ? "problem" : "problems"}; nothing was imported.`,
  );
}

/** Database errors are shown by code and table alone: their detail quotes rows. */
function describeFailure(error: unknown): number {
  if (error instanceof MisconfiguredError) {
    console.error(`error: ${error.message}`);
    return EXIT.misconfigured;
  }
  if (error instanceof AfterhoursError) {
    console.error(`error: ${error.message}`);
    if (error.remedy !== undefined) console.error(error.remedy);
    const isSetUpWrong =
      error.code === "MISCONFIGURED" || error instanceof DatabaseNotMigratedError;
    return isSetUpWrong ? EXIT.misconfigured : EXIT.refused;
  }
  if (error instanceof pg.DatabaseError) {
    const place = [error.table, error.constraint].filter((part) => part !== undefined).join(" ");
    console.error(
      `error: the database refused the import (${error.code ?? "no code"} ${place}); nothing was imported`,
    );
    return EXIT.refused;
  }
  console.error(`error: ${toError(error).message}`);
  return EXIT.refused;
}
