import type { FindingSeverity } from "../../findings/index.ts";
import type { StatementReport } from "../../statement/index.ts";
import { formatRupees } from "../../support/money.ts";
import type { SummaryTable } from "../../support/summary-table.ts";

/** One payout of which something was done or found. */
export interface ReconcileItem {
  /** Ours, or the provider's where there is none of ours. */
  payoutId: string;
  /** `settled`, `reversed`, or the kind of a finding. */
  outcome: string;
  message: string;
}

export interface ReconcileReport {
  dryRun: boolean;
  /** Payouts on the provider's list of the period. */
  read: number;
  /** Our record and the provider's say the same. */
  same: number;
  /** The provider's list is behind our record; nothing moves back. */
  behind: number;
  /** Moved forward to the provider's final state. */
  settled: number;
  /** Recorded as being at the provider, which has not finished. */
  inFlight: number;
  /** Money that came back, booked back. */
  reversed: number;
  /** Payouts by which the provider collected its fees, on a current account. */
  feeCollections: number;
  /** Another run was settling it. */
  skipped: number;
  /** Ours that the list did not show, asked for one by one. */
  askedFor: number;
  /** Open findings that this run saw. */
  critical: number;
  warnings: number;
  /** Differences that a person has resolved as they are. */
  resolvedBefore: number;
  statement: StatementReport | undefined;
  items: ReconcileItem[];
  itemsLeftOut: number;
}

const MOST_ITEMS = 1000;

export function emptyReconcileReport(dryRun: boolean): ReconcileReport {
  return {
    dryRun,
    read: 0,
    same: 0,
    behind: 0,
    settled: 0,
    inFlight: 0,
    reversed: 0,
    feeCollections: 0,
    skipped: 0,
    askedFor: 0,
    critical: 0,
    warnings: 0,
    resolvedBefore: 0,
    statement: undefined,
    items: [],
    itemsLeftOut: 0,
  };
}

export function addItem(report: ReconcileReport, item: ReconcileItem): void {
  if (report.items.length < MOST_ITEMS) report.items.push(item);
  else report.itemsLeftOut++;
}

/** Counts a finding; one that was resolved as it is counts for itself and is not listed. */
export function countFinding(
  report: ReconcileReport,
  { severity, isOpen, item }: { severity: FindingSeverity; isOpen: boolean; item: ReconcileItem },
): void {
  if (!isOpen) {
    report.resolvedBefore++;
    return;
  }
  report[severity === "critical" ? "critical" : "warnings"]++;
  addItem(report, item);
}

/** The report as step outputs. */
export function reconcileOutputs(report: ReconcileReport): Record<string, string | number> {
  const { statement } = report;
  return {
    read: report.read,
    same: report.same,
    behind: report.behind,
    settled: report.settled,
    in_flight: report.inFlight,
    reversed: report.reversed,
    skipped: report.skipped,
    asked_for: report.askedFor,
    critical: report.critical,
    warnings: report.warnings,
    resolved_before: report.resolvedBefore,
    transactions_read: statement?.transactionsRead ?? 0,
    days_closed: statement?.daysClosed ?? 0,
    provider_balance_paise: statement?.balancePaise?.toString() ?? "",
  };
}

/** The report as the tables that a finance person reads. */
export function reconcileTables(report: ReconcileReport): SummaryTable[] {
  const { statement } = report;
  const will = report.dryRun ? "Would be " : "";
  const counts: [string, number | string][] = [
    ["On the provider's list", report.read],
    ["The same on both sides", report.same],
    ["Provider's list behind our record", report.behind],
    [`${will}settled as the provider says`, report.settled],
    ["In flight at the provider", report.inFlight],
    [`${will}booked back: the money came back`, report.reversed],
    ["Settled by another run", report.skipped],
    ["Not on the list, asked for one by one", report.askedFor],
    ["Critical findings", report.critical],
    ["Warnings", report.warnings],
    ["Differences resolved before", report.resolvedBefore],
  ];
  const account: [string, string][] =
    statement === undefined
      ? [["Account", "not read"]]
      : [
          ["Transactions read for the first time", String(statement.transactionsRead)],
          ["Days closed", String(statement.daysClosed)],
          [
            "Balance at the provider",
            statement.balancePaise === undefined ? "" : formatRupees(statement.balancePaise),
          ],
        ];
  return [
    {
      title: "Payouts compared with the provider",
      columns: ["", "Count"],
      rows: counts.map(([label, count]) => [label, String(count)]),
    },
    { title: "Account at the provider", columns: ["", ""], rows: account },
    {
      title: "Changed or found",
      columns: ["Payout", "Outcome", "What was said"],
      rows: report.items.map(({ payoutId, outcome, message }) => [payoutId, outcome, message]),
    },
  ];
}
