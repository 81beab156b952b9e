import { formatRupees } from "../support/money.ts";
import type { EndedApproval } from "./ended-approvals.ts";
import type { ImportReport } from "./import-earnings.ts";
import type { HeldConsultant } from "./plan.ts";
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
  for (const ended of firstOf(report.endedApprovals.map(endedText)))
    lines.push(line("Approval ended", ended));
  if (namesKept > 0) {
    lines.push(line("Names", `${namesKept} differ from the record; the record is kept`));
  }
  if (report.accepted > 0) {
    lines.push(
      line("Long numbers", `${report.accepted} look cut by a spreadsheet and were accepted`),
    );
  }
  for (const held of firstOf(report.onHold.map(heldText))) lines.push(line("On hold", held));
  const { pan, account } = report.shared;
  for (const codes of firstOf(pan.map((group) => group.join(", "))))
    lines.push(line("One PAN", `${codes}: taxed together as one person`));
  for (const codes of firstOf(account.map((group) => group.join(", "))))
    lines.push(line("One account", codes));
  return lines;
}

/** How many payees, or groups of them, are worth a line of their own. */
const SHOWN_GROUPS = 10;

/** The earnings wait, also where the import approves. A refused account needs another one. */
function heldText({ ref, holds }: HeldConsultant): string {
  const isRefused = holds.includes("refused_account");
  const remedy = isRefused
    ? "; the provider refused this account: get another one from the payee and import it with --update-accounts"
    : "";
  return `${ref} (${holds.join(", ")}): the earnings stay READY, and no payout is made${remedy}`;
}

/** Nothing is sent to an account that nobody approved. */
function endedText({ payoutId, consultantRef, amountPaise }: EndedApproval): string {
  return `${consultantRef}, payout ${payoutId}, ${formatRupees(amountPaise)}: approved for the account before; the next pay run takes it back to PENDING, or approve it again now`;
}

function firstOf(groups: readonly string[]): string[] {
  const shown = groups.slice(0, SHOWN_GROUPS);
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
