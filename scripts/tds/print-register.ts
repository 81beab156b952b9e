import { stringify } from "csv-stringify/sync";
import type { Challan, RegisterLine } from "../../lib/tds/returns/index.ts";
import { formatRupees, type Paise } from "../../lib/support/money.ts";
import { oneLine, table } from "../payouts/print.ts";

export type Format = "csv" | "table";

const REGISTER_COLUMNS = [
  "Payee",
  "Name",
  "PAN",
  "Section",
  "Code",
  "Credited on",
  "Gross",
  "Rate %",
  "Tax",
  "Deposit by",
  "Reason",
] as const;

/** As text for a spreadsheet: amounts in rupees with two decimals, days as YYYY-MM-DD. */
export function registerCsv(lines: readonly RegisterLine[], options: { unmask: boolean }): string {
  return csv(
    lines.map((line) => {
      const { payeeRef, payeeName } = line;
      const texts = { payeeRef: harmless(payeeRef), payeeName: harmless(payeeName) };
      return cells({ ...line, ...texts }, options, plainRupees);
    }),
    undefined,
  );
}

export function registerCsvHeader(): string {
  return csv([], REGISTER_COLUMNS);
}

export function registerTable(
  lines: readonly RegisterLine[],
  options: { unmask: boolean },
): string[] {
  return table(
    [...REGISTER_COLUMNS],
    lines.map((line) => cells(line, options, formatRupees).map(oneLine)),
  );
}

function cells(
  line: RegisterLine,
  { unmask }: { unmask: boolean },
  rupees: (paise: Paise) => string,
): string[] {
  return [
    line.payeeRef,
    line.payeeName,
    line.pan === null ? "none" : unmask ? line.pan : maskPan(line.pan),
    line.section,
    line.code,
    line.creditedOn,
    rupees(line.grossPaise),
    percent(line.rateBps),
    rupees(line.taxPaise),
    line.depositDueOn,
    line.isReversal ? `taken back (${line.reason})` : line.reason,
  ];
}

/** Enough to tell two payees apart beside their reference, and no more. */
export function maskPan(pan: string): string {
  return `${pan.slice(0, 2)}XXXXXXX${pan.slice(-1)}`;
}

export function challanTable(challans: readonly Challan[]): string[] {
  return table(
    ["Month", "Section", "Code", "Withheld", "Deposited", "Due", "Deposit by", ""],
    challans.map((challan) => [
      challan.month,
      challan.section,
      challan.code,
      formatRupees(challan.withheldPaise),
      formatRupees(challan.depositedPaise),
      formatRupees(challan.duePaise),
      challan.dueOn,
      remarkOn(challan),
    ]),
  );
}

export function challanCsv(challans: readonly Challan[]): string {
  return csv(
    challans.map((challan) => [
      challan.month,
      challan.section,
      challan.code,
      plainRupees(challan.withheldPaise),
      plainRupees(challan.depositedPaise),
      plainRupees(challan.duePaise),
      challan.dueOn,
      remarkOn(challan),
    ]),
    ["Month", "Section", "Code", "Withheld", "Deposited", "Due", "Deposit by", "Remark"],
  );
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

function plainRupees(paise: Paise): string {
  const sign = paise < 0n ? "-" : "";
  const absolute = paise < 0n ? -paise : paise;
  return `${sign}${absolute / 100n}.${(absolute % 100n).toString().padStart(2, "0")}`;
}

/** Basis points as a percentage: 10 is 0.1. */
function percent(basisPoints: number): string {
  return (basisPoints / 100).toString();
}
