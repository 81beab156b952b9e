import { isDay, type Day } from "../support/calendar.ts";
import { formatRupees, parseRupees, type Paise } from "../support/money.ts";
import { keptForm } from "./code-form.ts";
import type { ColumnName } from "./columns.ts";
import type { Header } from "./header.ts";
import { readAccount, readPan } from "./payee-fields.ts";
import type { Problem } from "./problems.ts";
import { RowReader } from "./row-reader.ts";
import { readTaxPapers } from "./tax-papers.ts";
import {
  panStatuses,
  payeeCategories,
  type ConsultantDetails,
  type EarningRow,
  type PanStatus,
  type PayeeCategory,
} from "./types.ts";

/** What could be read of one row; what could not is `undefined` and has a problem. */
export interface RowRead {
  line: number;
  bookingReference: string | undefined;
  consultant: ConsultantDetails | undefined;
  earning: EarningRow | undefined;
  problems: Problem[];
}

export interface RowContext {
  line: number;
  header: Header;
  /** Today in India: a later credit date is refused. */
  today: Day;
}

const CODE = /^[^\p{C}]{1,64}$/u;
const NAME = /^[^\p{C}]{1,100}$/u;

/** Reads and checks one row by itself. */
export function readRow(cells: readonly string[], { line, header, today }: RowContext): RowRead {
  const { columns } = header;
  if (cells.length !== columns.length) {
    const message = `${cells.length} values, expected ${columns.length} as in the header`;
    const problems = [{ line, message }];
    return {
      line,
      bookingReference: undefined,
      consultant: undefined,
      earning: undefined,
      problems,
    };
  }
  const reader = new RowReader(cells, columns, line);
  const consultant = readConsultant(reader);
  const bookingReference = readCode(reader, "booking_reference");
  const creditedOn = readCreditDate(reader, today);
  const money = readMoney(reader);

  const complete = consultant && bookingReference !== undefined && creditedOn && money;
  const earning = complete
    ? { line, consultantRef: consultant.ref, bookingReference, creditedOn, ...money }
    : undefined;
  return { line, bookingReference, consultant, earning, problems: reader.problems };
}

function readConsultant(reader: RowReader): ConsultantDetails | undefined {
  const ref = readCode(reader, "consultant");
  const name = reader.has("name") ? readText(reader, "name", NAME) : undefined;
  const category = reader.choice("category", payeeCategories);
  if (category === undefined && !reader.has("category")) reader.missing("category");
  const pan = readPan(reader, category);
  const panStatus = readPanStatus(reader);
  const resident = reader.yesNo("resident");
  const aadhaar = readAadhaar(reader, category);
  const account = readAccount(reader);
  const papers = readTaxPapers(reader, { hasPan: reader.has("pan") });
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
function readCode(reader: RowReader, column: ColumnName): string | undefined {
  const code = readText(reader, column, CODE);
  return code === undefined ? undefined : keptForm(code);
}

function readText(reader: RowReader, column: ColumnName, shape: RegExp): string | undefined {
  const text = reader.text(column);
  if (text === "") {
    reader.missing(column);
    return undefined;
  }
  if (shape.test(text)) return text;
  const longest = column === "name" ? 100 : 64;
  reader.refuse(column, `expected at most ${longest} printable characters on one line`);
  return undefined;
}

function readCreditDate(reader: RowReader, today: Day): Day | undefined {
  const text = reader.text("credit_date");
  if (text === "") {
    reader.missing("credit_date");
    return undefined;
  }
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) {
    const other = /^\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}$/.test(text);
    const why = other ? "day and month cannot be told apart; " : "";
    reader.refuse("credit_date", `${why}expected YYYY-MM-DD, such as 2026-11-16`);
    return undefined;
  }
  const real: boolean = isDay(text);
  if (!real) {
    reader.refuse("credit_date", `${text} is not a day of the calendar`);
    return undefined;
  }
  if (text > today) {
    reader.refuse("credit_date", `${text} is in the future; today in India is ${today}`);
    return undefined;
  }
  return text;
}

interface Money {
  grossPaise: Paise;
  platformFeePaise: Paise;
  paidDirectlyPaise: Paise;
  amountPaise: Paise;
}

function readMoney(reader: RowReader): Money | undefined {
  const grossPaise = readRupees(reader, "gross");
  const platformFeePaise = readRupees(reader, "platform_fee");
  if (grossPaise === 0n) {
    reader.refuse("gross", "is zero; expected an amount above zero");
    return undefined;
  }
  if (grossPaise === undefined || platformFeePaise === undefined) return undefined;
  const paidDirectlyPaise = reader.has("paid_directly") ? readRupees(reader, "paid_directly") : 0n;
  if (paidDirectlyPaise === undefined) return undefined;
  const amountPaise = grossPaise - platformFeePaise - paidDirectlyPaise;
  if (amountPaise > 0n || (amountPaise === 0n && paidDirectlyPaise > 0n))
    return { grossPaise, platformFeePaise, paidDirectlyPaise, amountPaise };
  if (paidDirectlyPaise > 0n) {
    const amounts = `${formatRupees(paidDirectlyPaise)} and the fee of ${formatRupees(platformFeePaise)} are more than the gross of ${formatRupees(grossPaise)}`;
    reader.refuse("paid_directly", `${amounts}; expected no more than the gross together`);
    return undefined;
  }
  const amounts = `${formatRupees(platformFeePaise)} of ${formatRupees(grossPaise)}`;
  reader.refuse("platform_fee", `${amounts} leaves nothing to pay; expected less than gross`);
  return undefined;
}

function readRupees(reader: RowReader, column: ColumnName): Paise | undefined {
  const text = reader.text(column);
  if (text === "") {
    reader.missing(column);
    return undefined;
  }
  const paise = parseRupees(text);
  if (paise !== undefined) return paise;
  const sign = text.startsWith("-") ? "is negative; " : "";
  reader.refuse(
    column,
    `${sign}expected rupees with two decimals or none and no grouping, such as 1234.50`,
  );
  return undefined;
}
