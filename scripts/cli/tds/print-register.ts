import { stringify } from "csv-stringify/sync";
import type {
  Challan,
  ChallansOf,
  DepositedChallan,
  RegisterLine,
} from "../../../lib/tds/returns/index.ts";
import { formatRupees, sumPaise, toRupees, type Paise } from "../../../lib/support/money.ts";
import { textTable } from "../../../lib/support/text-table.ts";

export type Format = "csv" | "table";

/** How the lines of a register are shown. */
export interface RegisterPrint {
  unmask: boolean;
  challansOf: ChallansOf;
}

const REGISTER_COLUMNS = [
  "Payee",
  "Name",
  "PAN",
  "Deductee code",
  "Section",
  "Code",
  "Booking",
  "Credited on",
  "Gross",
  "Rate %",
  "Tax",
  "Status",
  "Deducted on",
  "Payout",
  "Deposit by",
  "Challan",
  "BSR code",
  "Challan date",
  "Challan serial",
  "Certificate",
  "Reason",
] as const;

/** As text for a spreadsheet: amounts in rupees with two decimals, days as YYYY-MM-DD. */
export function registerCsv(lines: readonly RegisterLine[], print: RegisterPrint): string {
  return csv(
    lines.map((line) => {
      const { payeeRef, payeeName, bookingReference } = line;
      const texts = {
        payeeRef: harmless(payeeRef),
        payeeName: harmless(payeeName),
        bookingReference: harmless(bookingReference),
      };
      return cells({ ...line, ...texts }, print, toRupees);
    }),
    undefined,
  );
}

export function registerCsvHeader(): string {
  return csv([], REGISTER_COLUMNS);
}

export function registerTable(lines: readonly RegisterLine[], print: RegisterPrint): string[] {
  return textTable(
    [...REGISTER_COLUMNS],
    lines.map((line) => cells(line, print, formatRupees)),
  );
}

function cells(
  line: RegisterLine,
  { unmask, challansOf }: RegisterPrint,
  rupees: (paise: Paise) => string,
): string[] {
  const challans = challansOf(line);
  const each = (text: (challan: DepositedChallan) => string): string =>
    challans.map(text).join("; ");
  return [
    line.payeeRef,
    line.payeeName,
    line.pan === null ? "none" : unmask ? line.pan : maskPan(line.pan),
    line.deducteeCode,
    line.section,
    line.code,
    line.bookingReference,
    line.creditedOn,
    rupees(line.grossPaise),
    percent(line.rateBps),
    rupees(line.taxPaise),
    line.status,
    line.deductedOn ?? "",
    line.payoutId ?? "",
    line.depositDueOn,
    each(({ reference }) => reference),
    each(({ bsrCode }) => bsrCode ?? "unknown"),
    each(({ depositedOn }) => depositedOn),
    each(({ serial }) => serial ?? "unknown"),
    line.certificateNumber ?? "",
    line.isReversal ? `taken back (${line.reason})` : line.reason,
  ];
}

/** Enough to tell two payees apart beside their reference, and no more. */
export function maskPan(pan: string): string {
  return `${pan.slice(0, 2)}XXXXXXX${pan.slice(-1)}`;
}

const CHALLAN_COLUMNS = [
  "Month",
  "Section",
  "Code",
  "Withheld",
  "Accrued",
  "Deposited",
  "Due",
  "Deposit by",
] as const;

export function challanTable(challans: readonly Challan[]): string[] {
  return textTable(
    [...CHALLAN_COLUMNS, ""],
    [...challans.map((challan) => challanCells(challan, formatRupees)), totals(challans)],
  );
}

export function challanCsv(challans: readonly Challan[]): string {
  return csv(
    challans.map((challan) => challanCells(challan, toRupees)),
    [...CHALLAN_COLUMNS, "Remark"],
  );
}

function challanCells(challan: Challan, rupees: (paise: Paise) => string): string[] {
  return [
    challan.month,
    challan.section,
    challan.code,
    rupees(challan.withheldPaise),
    rupees(challan.accruedPaise),
    rupees(challan.depositedPaise),
    rupees(challan.duePaise),
    challan.dueOn,
    remarkOn(challan),
  ];
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

function csv(rows: readonly string[][], columns: readonly string[] | undefined): string {
  return stringify(columns === undefined ? [...rows] : [[...columns], ...rows]);
}

/** A text that begins like a formula must be none to a spreadsheet. */
function harmless(text: string): string {
  return /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
}

/** Basis points as a percentage: 10 is 0.1. */
function percent(basisPoints: number): string {
  return (basisPoints / 100).toString();
}
