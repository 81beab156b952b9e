import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Db } from "../../../lib/db/client.ts";
import {
  findConsultant,
  payeesWithStatement,
  readStatement,
  StatementDisagreesError,
  type PayeeStatement,
  type StatementLine,
} from "../../../lib/payouts/operate/index.ts";
import { csvLines, harmless } from "../../../lib/support/csv.ts";
import { counted } from "../../../lib/support/counted.ts";
import { toRupees, type Paise } from "../../../lib/support/money.ts";
import { writePrivateFile } from "../../../lib/support/private-file.ts";
import { UsageError } from "../frame/arguments.ts";
import { EXIT } from "../frame/command-line.ts";
import { told, unknown } from "../frame/command.ts";
import { KIND_WORDS, statementHtml } from "./statement-html.ts";

export interface StatementOptions {
  consultant?: string;
  all?: boolean;
  month: string;
  csv?: boolean;
  html?: boolean;
  out?: string;
}

type Wanted = { consultant: string; out: string | undefined } | { folder: string };

/** The request of the options. @throws {UsageError} */
export function wantedStatement(options: StatementOptions): Wanted {
  const { consultant, all = false, csv = false, html = false, out } = options;
  if (csv === html) throw new UsageError("give --csv or --html. Nothing was written");
  if (all === (consultant !== undefined))
    throw new UsageError("give --consultant or --all. Nothing was written");
  if (consultant !== undefined) return { consultant, out };
  if (out === undefined)
    throw new UsageError("--all needs --out with a folder. Nothing was written");
  return { folder: out };
}

/** One statement to a file or to standard output, or one file for each payee into a folder. */
export async function writeStatements(
  db: Db,
  wanted: Wanted,
  { month, html = false }: StatementOptions,
): Promise<void> {
  const written = html ? statementHtml : statementCsv;
  if ("consultant" in wanted) {
    const consultant = await findConsultant(db, wanted.consultant);
    if (!consultant) throw unknown("consultant", wanted.consultant);
    const text = written(await readStatement(db, { consultantId: consultant.id, month }));
    if (wanted.out === undefined) process.stdout.write(text);
    else writePrivateFile(wanted.out, text);
    return;
  }
  const { folder } = wanted;
  mkdirSync(folder, { recursive: true });
  let files = 0;
  for (const consultantId of await payeesWithStatement(db, month)) {
    try {
      const statement = await readStatement(db, { consultantId, month });
      const name = fileNameOf(statement, html ? "html" : "csv");
      writePrivateFile(join(folder, name), written(statement));
      files += 1;
    } catch (error) {
      if (!(error instanceof StatementDisagreesError)) throw error;
      console.error(`error: ${told(error)}`);
      process.exitCode = EXIT.notDone;
    }
  }
  console.log(`${counted(files, "statement")} of ${month} written to ${folder}`);
}

/** References are any text, and two may differ by case alone: the id keeps the files apart. */
function fileNameOf({ payee, month }: PayeeStatement, ending: string): string {
  const ref = payee.ref.replace(/[^A-Za-z0-9-]+/g, "_").slice(0, 60);
  return `${month}-${ref}-${payee.id.slice(0, 8)}.${ending}`;
}

const COLUMNS: Readonly<Record<string, (line: StatementLine) => string>> = {
  Day: ({ on }) => on,
  What: ({ kind }) => KIND_WORDS[kind],
  Booking: ({ bookingReference }) => harmless(bookingReference),
  "Credited on": ({ creditedOn }) => creditedOn,
  Gross: ({ grossPaise }) => rupees(grossPaise),
  "Platform fee": ({ feePaise }) => rupees(feePaise),
  "Paid directly": ({ paidDirectlyPaise }) => rupees(paidDirectlyPaise),
  Tax: ({ taxPaise }) => rupees(taxPaise),
  Section: ({ section }) => section ?? "",
  Net: ({ netPaise }) => rupees(netPaise),
  Owed: ({ owedPaise }) => toRupees(owedPaise),
  Payout: ({ payoutId }) => payoutId ?? "",
  UTR: ({ utr }) => harmless(utr ?? ""),
  "Recovered for": ({ recoveredFor }) => harmless(recoveredFor ?? ""),
};

/** The balances stand in the column of amounts owed, so that the column adds up to its last cell. */
function statementCsv({ month, openingPaise, closingPaise, lines }: PayeeStatement): string {
  const headings = Object.keys(COLUMNS);
  const balance = (what: string, paise: Paise): string[] =>
    headings.map((heading) => {
      if (heading === "Day") return month;
      if (heading === "What") return what;
      return heading === "Owed" ? toRupees(paise) : "";
    });
  return csvLines([
    headings,
    balance("Owed when the month began", openingPaise),
    ...lines.map((line) => Object.values(COLUMNS).map((cell) => cell(line))),
    balance("Owed when the month ended", closingPaise),
  ]);
}

function rupees(paise: Paise | null): string {
  return paise === null ? "" : toRupees(paise);
}
