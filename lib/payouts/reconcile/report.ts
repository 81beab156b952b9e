import type { FindingSeverity } from "../../findings/index.ts";
import { inFlightOutputs, type InFlight } from "../../ledger/in-flight.ts";
import type { StatementReport } from "../../statement/index.ts";
import { keepItem, type KeptItems } from "../../support/kept-items.ts";
import {
  fieldRows,
  keptTable,
  reportCounters,
  would,
  type CountedBy,
} from "../../support/run-report.ts";
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

const counters = reportCounters({
  /** Payouts on the provider's list of the period. */
  read: { label: "On the provider's list" },
  /** Our record and the provider's say the same. */
  same: { label: "The same on both sides" },
  /** The provider's list is behind our record; nothing moves back. */
  behind: { label: "Provider's list behind our record" },
  /** Moved forward to the provider's final state. */
  settled: { label: would("settled as the provider says") },
  /** Recorded by this run as being at the provider, which has not finished. */
  atProvider: { label: "Recorded as at the provider, not finished" },
  /** Money that came back, booked back. */
  reversed: { label: would("booked back: the money came back") },
  /** Of those: the payee is on hold, so that no batch takes the earnings. */
  reversedHeld: { label: "of which the payee is on hold: in no batch until that ends" },
  /** Payouts by which the provider collected its fees, on a current account. */
  feeCollections: { output: false },
  /** Another run was settling it. */
  skipped: { label: "Settled by another run" },
  /** Ours that the list did not show, asked for one by one. */
  askedFor: { label: "Not on the list, asked for one by one" },
  /** Open findings that this run saw. */
  critical: { label: "Critical findings" },
  warnings: { label: "Warnings" },
  /** Differences that a person has resolved as they are. */
  resolvedBefore: { label: "Differences resolved before" },
});

export interface ReconcileReport extends CountedBy<typeof counters>, KeptItems<ReconcileItem> {
  /** When the run ended: sent or perhaps sent, and not final here. */
  inFlight: InFlight;
  statement: StatementReport | undefined;
}

export function emptyReconcileReport(dryRun: boolean): ReconcileReport {
  const inFlight = { count: 0, paise: 0n };
  return { ...counters.empty(dryRun), inFlight, statement: undefined, items: [], itemsLeftOut: 0 };
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

export function reconcileOutputs(report: ReconcileReport): Record<string, string | number> {
  const { statement, inFlight } = report;
  return {
    ...counters.outputs(report),
    ...inFlightOutputs(inFlight),
    transactions_read: statement?.transactionsRead ?? 0,
    days_closed: statement?.daysClosed ?? 0,
    provider_balance_paise: statement?.balancePaise?.toString() ?? "",
  };
}

const ACCOUNT = {
  "Transactions read for the first time": "transactionsRead",
  "Days closed": "daysClosed",
  "Balance at the provider": "balancePaise",
} as const;

export function reconcileTables(report: ReconcileReport): SummaryTable[] {
  const { statement, inFlight } = report;
  return [
    {
      title: "Payouts compared with the provider",
      columns: ["", "Count"],
      rows: [...counters.rows(report), ["In flight now", String(inFlight.count)]],
    },
    {
      title: "Account at the provider",
      columns: ["", "Value"],
      rows: statement === undefined ? [["Account", "not read"]] : fieldRows(ACCOUNT, statement),
    },
    keptTable(
      "Changed or found",
      { Payee: "payee", Payout: "payoutId", Outcome: "outcome", "What was said": "message" },
      { report, rank: urgency },
    ),
  ];
}
