import { stringify } from "csv-stringify/sync";
import type {
  Challan,
  ChallansOf,
  DepositedChallan,
  RegisterLine,
} from "../../../lib/tax-returns/index.ts";
import { harmless } from "../../../lib/support/csv.ts";
import { formatRupees, sumPaise, toRupees, type Paise } from "../../../lib/support/money.ts";
import { textTable } from "../../../lib/support/text-table.ts";

export type Format = "csv" | "table";

/** How the lines of a register are shown. */
interface RegisterPrint {
  unmask: boolean;
  challansOf: ChallansOf;
}

type Rupees = (paise: Paise) => string;
type Columns<Row> = Readonly<Record<string, (row: Row, rupees: Rupees) => string>>;

/** The columns by their headings. */
function registerColumns({ unmask, challansOf }: RegisterPrint): Columns<RegisterLine> {
  const each = (line: RegisterLine, text: (challan: DepositedChallan) => string): string =>
    challansOf(line).map(text).join("; ");
  return {
    Payee: ({ payeeRef }) => payeeRef,
    Name: ({ payeeName }) => payeeName,
    PAN: ({ pan }) => (pan === null ? "none" : unmask ? pan : maskPan(pan)),
    "Deductee code": ({ deducteeCode }) => deducteeCode,
    Section: ({ section }) => section,
    Code: ({ code }) => code,
    Booking: ({ bookingReference }) => bookingReference,
    "Credited on": ({ creditedOn }) => creditedOn,
    Gross: ({ grossPaise }, rupees) => rupees(grossPaise),
    "Rate %": ({ rateBps }) => percent(rateBps),
    Tax: ({ taxPaise }, rupees) => rupees(taxPaise),
    Status: ({ status }) => status,
    "Deducted on": ({ deductedOn }) => deductedOn ?? "",
    Payout: ({ payoutId }) => payoutId ?? "",
    "Deposit by": ({ depositDueOn }) => depositDueOn,
    Challan: (line) => each(line, ({ reference }) => reference),
    "BSR code": (line) => each(line, ({ bsrCode }) => bsrCode ?? "unknown"),
    "Challan date": (line) => each(line, ({ depositedOn }) => depositedOn),
    "Challan serial": (line) => each(line, ({ serial }) => serial ?? "unknown"),
    Certificate: ({ certificateNumber }) => certificateNumber ?? "",
    Reason: ({ isReversal, reason }) => (isReversal ? `taken back (${reason})` : reason),
  };
}

function cellsOf<Row>(columns: Columns<Row>, row: Row, rupees: Rupees): string[] {
  return Object.values(columns).map((cell) => cell(row, rupees));
}

/** As text for a spreadsheet: amounts in rupees with two decimals, days as YYYY-MM-DD. */
export function registerCsv(lines: readonly RegisterLine[], print: RegisterPrint): string {
  const columns = registerColumns(print);
  return stringify(
    lines.map((line) => {
      const texts = {
        payeeRef: harmless(line.payeeRef),
        payeeName: harmless(line.payeeName),
        bookingReference: harmless(line.bookingReference),
      };
      return cellsOf(columns, { ...line, ...texts }, toRupees);
    }),
  );
}

export function registerCsvHeader(print: RegisterPrint): string {
  return stringify([Object.keys(registerColumns(print))]);
}

export function registerTable(lines: readonly RegisterLine[], print: RegisterPrint): string[] {
  const columns = registerColumns(print);
  return textTable(
    Object.keys(columns),
    lines.map((line) => cellsOf(columns, line, formatRupees)),
  );
}

/** Enough to tell two payees apart beside their reference, and no more. */
function maskPan(pan: string): string {
  return `${pan.slice(0, 2)}XXXXXXX${pan.slice(-1)}`;
}

const CHALLAN_COLUMNS: Columns<Challan> = {
  Month: ({ month }) => month,
  Section: ({ section }) => section,
  Code: ({ code }) => code,
  Withheld: ({ withheldPaise }, rupees) => rupees(withheldPaise),
  Accrued: ({ accruedPaise }, rupees) => rupees(accruedPaise),
  Deposited: ({ depositedPaise }, rupees) => rupees(depositedPaise),
  Due: ({ duePaise }, rupees) => rupees(duePaise),
  "Deposit by": ({ dueOn }) => dueOn,
};

export function challanTable(challans: readonly Challan[]): string[] {
  const rows = challans.map((challan) => challanCells(challan, formatRupees));
  return textTable([...Object.keys(CHALLAN_COLUMNS), ""], [...rows, totals(challans)]);
}

export function challanCsv(challans: readonly Challan[]): string {
  const heading = [...Object.keys(CHALLAN_COLUMNS), "Remark"];
  return stringify([heading, ...challans.map((challan) => challanCells(challan, toRupees))]);
}

function challanCells(challan: Challan, rupees: Rupees): string[] {
  return [...cellsOf(CHALLAN_COLUMNS, challan, rupees), remarkOn(challan)];
}

/** For a person; a spreadsheet can add up on its own. */
function totals(challans: readonly Challan[]): string[] {
  const sum = (of: (challan: Challan) => Paise): string => formatRupees(sumPaise(challans.map(of)));
  return [
    "together",
    "",
    "",
    sum(({ withheldPaise }) => withheldPaise),
    sum(({ accruedPaise }) => accruedPaise),
    sum(({ depositedPaise }) => depositedPaise),
    sum(({ duePaise }) => duePaise),
    "",
    "",
  ];
}

function remarkOn({ duePaise, isOverdue }: Challan): string {
  if (isOverdue) return "overdue";
  return duePaise < 0n ? "more deposited than withheld" : "";
}

/** Basis points as a percentage: 10 is 0.1. */
function percent(basisPoints: number): string {
  return (basisPoints / 100).toString();
}
