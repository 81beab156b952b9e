import { mostUrgentFirst } from "../support/kept-items.ts";
import { formatRupees } from "../support/money.ts";
import { reasonsTable } from "../support/reasons-table.ts";
import type { SummaryTable } from "../support/summary-table.ts";
import { urgency, type RefundRunReport } from "./report.ts";

/** The report as step outputs. */
export function refundOutputs(report: RefundRunReport): Record<string, string | number> {
  return {
    found: report.found,
    due: report.due,
    processed: report.processed,
    pending: report.pending,
    failed: report.failed,
    unknown: report.unknown,
    waiting: report.waiting,
    due_again: report.dueAgain,
    unanswered: report.unanswered,
    conflicts: report.conflicts,
    skipped: report.skipped,
    left: report.left,
    planned: report.planned,
    card_paise: report.cardPaise.toString(),
    wallet_paise: report.walletPaise.toString(),
    credit_paise: report.creditPaise.toString(),
    pending_paise: report.pendingPaise.toString(),
    overdue: report.overdue,
    overdue_paise: report.overduePaise.toString(),
    refunds_processed: report.refundsProcessed,
    refunds_failed: report.refundsFailed,
  };
}

/** The report as the tables that a finance person reads. */
export function refundTables(report: RefundRunReport): SummaryTable[] {
  const will = report.dryRun ? "Would be " : "";
  const counts: [string, number][] = [
    ["Open legs", report.found],
    ["of which were due", report.due],
    ...(report.dryRun ? [["Would be sent or credited", report.planned] as [string, number]] : []),
    [`${will}processed`, report.processed],
    ["Pending at the provider", report.pending],
    [`${will}failed`, report.failed],
    ["Sent, outcome unknown", report.unknown],
    ["Not found yet, too soon to be sure", report.waiting],
    [`${will}due again: never accepted`, report.dueAgain],
    ["No usable answer", report.unanswered],
    ["Records differ", report.conflicts],
    ["Left as they were", report.skipped + report.left],
    ["Held by another run", report.elsewhere],
    ["Open for too long", report.overdue],
    ["Refunds finished", report.refundsProcessed],
    ["Refunds that a person has to look at", report.refundsFailed],
  ];
  const amounts: [string, bigint][] = [
    ["To cards", report.cardPaise],
    ["To wallets", report.walletPaise],
    ["To referral credit", report.creditPaise],
    ["Pending at the provider", report.pendingPaise],
    ["Open for too long", report.overduePaise],
  ];
  return [
    {
      title: "Refunds",
      columns: ["", "Legs"],
      rows: counts.map(([label, count]) => [label, String(count)]),
    },
    {
      title: "Amounts",
      columns: ["", "Rupees"],
      rows: amounts.map(([label, paise]) => [label, formatRupees(paise)]),
    },
    reasonsTable("Reasons", report.reasons),
    {
      title: "To look at",
      columns: ["Refund", "By", "Amount", "Hours", "Outcome", "Reason", "What was said"],
      rows: mostUrgentFirst(report.items, urgency).map((item) => [
        item.refundId,
        item.kind,
        formatRupees(item.amountPaise),
        (item.ageMs / 3_600_000).toFixed(1),
        item.overdue ? `${item.outcome}, overdue` : item.outcome,
        item.code,
        item.message,
      ]),
      more: report.itemsLeftOut,
    },
  ];
}
