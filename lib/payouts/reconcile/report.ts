import type { FindingSeverity } from "../../findings/index.ts";
import type { StatementReport } from "../../statement/index.ts";
import type { InFlight } from "../../ledger/in-flight.ts";
import { keepItem, mostUrgentFirst } from "../../support/kept-items.ts";
import { formatRupees } from "../../support/money.ts";
import type { SummaryTable } from "../../support/summary-table.ts";

/** One payout of which something was done or found. */
export interface ReconcileItem {
  /** Ours, or the provider's where there is none of ours. */
  payoutId: string;
  /** The payee's code, where it is ours; written at the end of the run. */
  payee?: string;
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
  /** Recorded by this run as being at the provider, which has not finished. */
  atProvider: number;
  /** When the run ended: sent or perhaps sent, and not final here. */
  inFlight: InFlight;
  /** Money that came back, booked back. */
  reversed: number;
  /** Of those: the payee is on hold, so that no batch takes the earnings. */
  reversedHeld: number;
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

export function emptyReconcileReport(dryRun: boolean): ReconcileReport {
  return {
    dryRun,
    read: 0,
    same: 0,
    behind: 0,
    settled: 0,
    atProvider: 0,
    inFlight: { count: 0, paise: 0n },
    reversed: 0,
    reversedHeld: 0,
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
  keepItem(report, item, { rank: urgency });
}

/** Findings first, then returned money; settled payouts last. */
function urgency({ outcome }: ReconcileItem): number {
  if (outcome === "settled") return 2;
  return outcome === "reversed" ? 1 : 0;
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
    at_provider: report.atProvider,
    in_flight: report.inFlight.count,
    in_flight_paise: report.inFlight.paise.toString(),
    reversed: report.reversed,
    reversed_held: report.reversedHeld,
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
    ["Recorded as at the provider, not finished", report.atProvider],
    [`${will}booked back: the money came back`, report.reversed],
    ["of which the payee is on hold: in no batch until that ends", report.reversedHeld],
    ["Settled by another run", report.skipped],
    ["Not on the list, asked for one by one", report.askedFor],
    ["Critical findings", report.critical],
    ["Warnings", report.warnings],
    ["Differences resolved before", report.resolvedBefore],
    ["In flight now", report.inFlight.count],
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
    { title: "Account at the provider", columns: ["", "Value"], rows: account },
    {
      title: "Changed or found",
      columns: ["Payee", "Payout", "Outcome", "What was said"],
      rows: mostUrgentFirst(report.items, urgency).map(
        ({ payee = "", payoutId, outcome, message }) => [payee, payoutId, outcome, message],
      ),
      more: report.itemsLeftOut,
    },
  ];
}
