import type { Day } from "../support/calendar.ts";
import { invisibleIn } from "../support/invisible.ts";
import { formatRupees, type Paise } from "../support/money.ts";
import { keptForm } from "./code-form.ts";
import type { Header } from "./header.ts";
import { readAccount, readPan } from "./payee-fields.ts";
import type { Problem } from "./problems.ts";
import type { ReadRules } from "./read-options.ts";
import { RowReader } from "./row-reader.ts";
import { IDENTIFIERS, spreadsheetDamage } from "./spreadsheet.ts";
import { readTaxPapers } from "./tax-papers.ts";
import {
  panStatuses,
  payeeCategories,
  type ConsultantDetails,
  type EarningRow,
  type PanStatus,
  type PayeeCategory,
} from "./types.ts";
import { readCreditDate, readRupees } from "./values.ts";

/** The values of one row; an unreadable value is `undefined` and has a problem. */
export interface RowRead {
  line: number;
  bookingReference: string | undefined;
  consultant: ConsultantDetails | undefined;
  earning: EarningRow | undefined;
  /** Identifiers that look cut by a spreadsheet and were confirmed. */
  accepted: number;
  problems: Problem[];
}

interface RowContext {
  line: number;
  header: Header;
  /** Today in India: a later credit date is refused. */
  today: Day;
  rules: ReadRules;
}

const LONGEST = { consultant: 64, booking_reference: 64, name: 100 } as const;
/** Joiners alone are no name. */
const SEEN = /^(?:[^\S\r\n]|[\u200c\u200d])*[^\s\u200c\u200d][^\r\n]*$/u;

/** Reads and checks one row alone. */
export function readRow(
  cells: readonly string[],
  { line, header, today, rules }: RowContext,
): RowRead {
  const { columns } = header;
  if (cells.length !== columns.length) {
    const returns = cells.some((cell) => cell.includes("\r"))
      ? "; the row holds carriage returns (CR): save the file with lines that end in LF or CRLF"
      : "";
    const message = `${cells.length} values, expected ${columns.length} as in the header${returns}`;
    const problems = [{ line, message }];
    return {
      line,
      bookingReference: undefined,
      consultant: undefined,
      earning: undefined,
      accepted: 0,
      problems,
    };
  }
  const reader = new RowReader(cells, columns, line);
  refuseInvisible(reader);
  const accepted = refuseDamage(reader, rules);
  const consultant = readConsultant(reader, rules);
  const bookingReference = readCode(reader, "booking_reference");
  const creditedOn = readCreditDate(reader, { today, dateFormat: rules.dateFormat });
  const money = readMoney(reader, rules);

  const complete = consultant && bookingReference !== undefined && creditedOn && money;
  const earning = complete
    ? { line, consultantRef: consultant.ref, bookingReference, creditedOn, ...money }
    : undefined;
  return { line, bookingReference, consultant, earning, accepted, problems: reader.problems };
}

/** In any column but a name, invisible characters make two values of one. */
function refuseInvisible(reader: RowReader): void {
  for (const column of reader.columns) {
    const text = reader.text(column);
    const found = invisibleIn(text, { name: column === "name" });
    if (found === undefined) continue;
    // A line break is seen, and has a sentence of its own.
    if (column === "name" && /[\r\n]/.test(text)) continue;
    reader.block(
      column,
      `holds a character that cannot be seen, ${found}; type the value again without it`,
    );
  }
}

/** Returns how many values were taken although a spreadsheet may have cut them. */
function refuseDamage(reader: RowReader, { acceptLongNumbers }: ReadRules): number {
  let accepted = 0;
  for (const column of IDENTIFIERS) {
    const damage = spreadsheetDamage(reader.text(column));
    if (damage === undefined) continue;
    if (damage.certainty === "likely" && acceptLongNumbers) accepted++;
    else reader.block(column, damage.message);
  }
  return accepted;
}

function readConsultant(reader: RowReader, rules: ReadRules): ConsultantDetails | undefined {
  const ref = readCode(reader, "consultant");
  const name = reader.has("name") ? readText(reader, "name") : undefined;
  const category = reader.choice("category", payeeCategories);
  if (category === undefined && !reader.has("category")) reader.missing("category");
  const pan = readPan(reader, category);
  const panStatus = readPanStatus(reader);
  const resident = reader.yesNo("resident");
  const aadhaar = readAadhaar(reader, category);
  const account = readAccount(reader, rules.allowedIfsc);
  const papers = readTaxPapers(reader, { hasPan: reader.has("pan"), rules });
  if (ref === undefined || category === undefined || pan === undefined || account === undefined) {
    return undefined;
  }
  return { ref, name, pan, category, panStatus, resident, aadhaar, account, papers };
}

function readPanStatus(reader: RowReader): PanStatus | undefined {
  const status = reader.choice("pan_status", panStatuses);
  if (status === undefined) return undefined;
  if (reader.has("pan") && status === "missing") {
    reader.refuse("pan_status", "is missing although a PAN is given");
  }
  if (!reader.has("pan") && status !== "missing") {
    reader.refuse("pan_status", `is ${status} although no PAN is given`);
  }
  return status;
}

/** Whether one was furnished. Refused for everybody but an individual: it would lower the tax of a company. */
function readAadhaar(reader: RowReader, category: PayeeCategory | undefined): boolean | undefined {
  const aadhaar = reader.yesNo("aadhaar");
  if (aadhaar === true && category !== undefined && category !== "individual") {
    reader.refuse(
      "aadhaar",
      `is yes for category ${category}; only an individual can have an Aadhaar`,
    );
  }
  return aadhaar;
}

/** In one Unicode form: two forms of one code look the same and would be two payees, or one sale paid twice. */
function readCode(
  reader: RowReader,
  column: "consultant" | "booking_reference",
): string | undefined {
  const code = readText(reader, column);
  return code === undefined ? undefined : keptForm(code);
}

function readText(reader: RowReader, column: keyof typeof LONGEST): string | undefined {
  const text = reader.text(column);
  if (text === "") {
    reader.missing(column);
    return undefined;
  }
  const longest = LONGEST[column];
  if (reader.isBlocked(column)) return undefined;
  if (SEEN.test(text) && Array.from(text).length <= longest) return text;
  reader.refuse(column, `expected at most ${longest} printable characters on one line`);
  return undefined;
}

interface Money {
  grossPaise: Paise;
  platformFeePaise: Paise;
  paidDirectlyPaise: Paise;
  amountPaise: Paise;
}

function readMoney(reader: RowReader, { amounts }: ReadRules): Money | undefined {
  const grossPaise = readRupees(reader, "gross", amounts);
  const platformFeePaise = readRupees(reader, "platform_fee", amounts);
  if (grossPaise === 0n) {
    reader.refuse("gross", "is zero; expected an amount above zero");
    return undefined;
  }
  if (grossPaise === undefined || platformFeePaise === undefined) return undefined;
  const paidDirectlyPaise = reader.has("paid_directly")
    ? readRupees(reader, "paid_directly", amounts)
    : 0n;
  if (paidDirectlyPaise === undefined) return undefined;
  const amountPaise = grossPaise - platformFeePaise - paidDirectlyPaise;
  if (amountPaise > 0n || (amountPaise === 0n && paidDirectlyPaise > 0n))
    return { grossPaise, platformFeePaise, paidDirectlyPaise, amountPaise };
  if (paidDirectlyPaise > 0n) {
    const sums = `${formatRupees(paidDirectlyPaise)} and the fee of ${formatRupees(platformFeePaise)} are more than the gross of ${formatRupees(grossPaise)}`;
    reader.refuse("paid_directly", `${sums}; expected no more than the gross together`);
    return undefined;
  }
  const sums = `${formatRupees(platformFeePaise)} of ${formatRupees(grossPaise)}`;
  reader.refuse("platform_fee", `${sums} leaves nothing to pay; expected less than gross`);
  return undefined;
}
