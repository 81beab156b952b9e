import { formatRupees } from "../support/money.ts";
import type { ImportReport } from "./import-earnings.ts";
import type { EarningTotals } from "./types.ts";

/** A report as lines that a person reads. Problems are not among them. */
export function describeReport(report: ImportReport): string[] {
  const { rows, consultants, earnings, payouts, accountsReplaced, namesKept } = report;
  const lines = [
    HEADLINES[report.outcome],
    line("Rows", rows),
    line("Consultants", `${consultants.new} new, ${consultants.known} known`),
    line("Earnings", `${earnings.new} new, ${earnings.known} already imported`),
    line("In the file", `${amounts(report.fileTotals)}${leftOut(report.rowsLeftOut)}`),
    line("New", amounts(report.newTotals)),
    line("Payouts approved", payoutsText(payouts)),
  ];
  if (accountsReplaced > 0) lines.push(line("Accounts replaced", accountsReplaced));
  if (namesKept > 0) {
    lines.push(line("Names", `${namesKept} differ from the record; the record is kept`));
  }
  if (report.accepted > 0) {
    lines.push(
      line("Long numbers", `${report.accepted} look cut by a spreadsheet and were accepted`),
    );
  }
  for (const codes of firstOf(report.shared.pan))
    lines.push(line("One PAN", `${codes}: taxed together as one person`));
  for (const codes of firstOf(report.shared.account)) lines.push(line("One account", codes));
  return lines;
}

/** How many groups of payees are worth a line of their own. */
const SHOWN_GROUPS = 10;

function firstOf(groups: readonly (readonly string[])[]): string[] {
  const shown = groups.slice(0, SHOWN_GROUPS).map((codes) => codes.join(", "));
  const rest = groups.length - shown.length;
  return rest > 0 ? [...shown, `and ${rest} more`] : shown;
}

function leftOut(rows: number): string {
  if (rows === 0) return "";
  return ` (without ${rows} ${rows === 1 ? "row that has" : "rows that have"} problems)`;
}

const HEADLINES: Record<ImportReport["outcome"], string> = {
  imported: "Imported.",
  planned: "Dry run: nothing was written. An import would bring in:",
  refused: "Refused: nothing was written.",
};

function amounts({ grossPaise, platformFeePaise, amountPaise }: EarningTotals): string {
  return `gross ${formatRupees(grossPaise)}, fee ${formatRupees(platformFeePaise)}, to pay ${formatRupees(amountPaise)}`;
}

function payoutsText({ count, grossPaise, amountPaise }: ImportReport["payouts"]): string {
  if (count === 0) return "0";
  return `${count} (gross ${formatRupees(grossPaise)}, to pay before tax ${formatRupees(amountPaise)})`;
}

function line(label: string, value: string | number): string {
  return `  ${label.padEnd(18)} ${value}`;
}
