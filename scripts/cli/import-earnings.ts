import { createReadStream } from "node:fs";
import { basename } from "node:path";
import { InvalidArgumentError, Option } from "commander";
import pg from "pg";
import {
  AMOUNT_FORMATS,
  DATE_FORMATS,
  describeReport,
  formatProblems,
  IFSC_SHAPE,
  importEarnings,
  readEarningsFile,
  type AmountFormat,
  type DateFormat,
  type EarningsFile,
  type Importer,
  type ImportOptions,
  type ReadOptions,
} from "../../lib/earnings/index.ts";
import { newSession } from "../../lib/db/session.ts";
import { systemClock } from "../../lib/support/clock.ts";
import { AfterhoursError, errorCode } from "../../lib/support/errors.ts";
import { BY, UsageError, whoDoesIt, WHY } from "./frame/arguments.ts";
import { EXIT } from "./frame/command-line.ts";
import { explained, operatorCommand } from "./frame/command.ts";
import { requireDatabaseUrl } from "./frame/database-url.ts";
import { requirePolicy } from "./frame/approval-policy.ts";

interface Options extends ImportOptions {
  by?: string;
  reason?: string;
  dateFormat?: DateFormat;
  amounts?: AmountFormat;
  allowIfsc?: string[];
  acceptLongNumbers?: boolean;
}

const { program, run } = operatorCommand(
  "import:earnings",
  "Brings earnings from a finance export (CSV) into the database.",
);
program
  .argument("<file>", "the CSV file; its columns are described in docs/importing-earnings.md")
  .option("--dry-run", "check everything, also against the database, and write nothing")
  .option("--approve", "put the file's earnings into approved payouts, one for each consultant")
  .option("--update-accounts", "accept changed bank details as the consultant's new account")
  .option(
    "--although-refunded",
    "take sales of which some has gone back to the buyer: the file has them net, or they are owed all the same",
  )
  .addOption(
    new Option("--date-format <format>", "how days are written")
      .choices(DATE_FORMATS)
      .default("yyyy-mm-dd"),
  )
  .addOption(
    new Option("--amounts <format>", "how rupees are written: 123456.00, or also 1,23,456.00")
      .choices(AMOUNT_FORMATS)
      .default("plain"),
  )
  .option(
    "--allow-ifsc <code>",
    "take this branch although it is not in our list; once for each",
    allowedIfsc,
  )
  .option(
    "--accept-long-numbers",
    "take identifiers that look cut by a spreadsheet: you have compared them with the source",
  )
  .option(...BY)
  .option(...WHY)
  .action(importFile);
await run();

function allowedIfsc(text: string, earlier: readonly string[] | undefined): string[] {
  const code = text.trim().toUpperCase();
  if (!IFSC_SHAPE.test(code)) {
    throw new InvalidArgumentError("expected four letters, a zero and six letters or digits.");
  }
  return [...(earlier ?? []), code];
}

async function importFile(path: string, options: Options): Promise<void> {
  const url = requireDatabaseUrl(process.env);
  if (options.approve === true && requirePolicy(process.env) === "four-eyes") {
    throw new UsageError(
      "PAYOUTS_APPROVAL is four-eyes: who imports can not approve. Import without --approve; another person approves the payouts",
    );
  }
  const importer = importerOf(path, options);
  const file = await readFile(path, options);
  warnOfUnusedCodes(path, file, options);
  // With no good row there is nothing to compare with the database.
  if (file.rows.length === 0) {
    printProblems(path, file.problems);
    process.exitCode = EXIT.notDone;
    return;
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
    const report = await importEarnings(client, file, { ...options, importer });
    for (const warning of formatProblems(path, report.warnings))
      console.error(`warning: ${warning}`);
    printProblems(path, report.problems);
    console.log(describeReport(report).join("\n"));
    if (report.outcome === "refused") process.exitCode = EXIT.notDone;
  } catch (error) {
    printProblems(path, file.problems);
    const known = explained(error, url);
    throw known instanceof pg.DatabaseError ? refused(known) : known;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** A dry run is nobody's. */
function importerOf(path: string, options: Options): Importer {
  const by = options.dryRun === true ? "dry run" : whoDoesIt(options.by, process.env);
  const said = {
    approve: options.approve ?? false,
    updateAccounts: options.updateAccounts ?? false,
    ...(options.althoughRefunded === true ? { althoughRefunded: true } : {}),
    ...(options.allowIfsc === undefined ? {} : { allowIfsc: options.allowIfsc }),
    ...(options.acceptLongNumbers === true ? { acceptLongNumbers: true } : {}),
  };
  return { by, reason: options.reason ?? null, file: basename(path), said };
}

/** A code with a slip in it allows nothing. */
function warnOfUnusedCodes(path: string, file: EarningsFile, { allowIfsc = [] }: Options): void {
  const used = new Set(
    [...file.consultants.values()].map(({ details: { account } }) =>
      account.kind === "bank_account" ? account.ifsc : "",
    ),
  );
  for (const code of allowIfsc) {
    if (!used.has(code)) console.error(`warning: ${path}: --allow-ifsc ${code} is in no good row`);
  }
}

async function readFile(path: string, options: ReadOptions): Promise<EarningsFile> {
  try {
    return await readEarningsFile(createReadStream(path), { ...options, clock: systemClock });
  } catch (error) {
    const code = errorCode(error);
    if (code === "ENOENT") throw new UsageError(`${path}: there is no such file`);
    if (code === "EISDIR") throw new UsageError(`${path}: is a folder; expected a CSV file`);
    if (code === "EACCES") throw new UsageError(`${path}: may not be read (permission denied)`);
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
function refused({ code, table, constraint }: pg.DatabaseError): AfterhoursError {
  const place = [table, constraint].filter((part) => part !== undefined).join(" ");
  return new AfterhoursError(
    "IMPORT_REFUSED",
    `the database refused the import (${code ?? "no code"} ${place}); nothing was imported`,
  );
}
