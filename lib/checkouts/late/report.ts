import type { Paise } from "../../support/money.ts";
import { reasonsTable } from "../../support/reasons-table.ts";
import {
  keptTable,
  noteItem,
  nothingNoted,
  reportCounters,
  would,
  type CountedBy,
  type NotedItems,
  type OutcomeOf,
} from "../../support/run-report.ts";
import type { SummaryTable } from "../../support/summary-table.ts";

const counters = reportCounters({
  /** Open checkouts and ended holds whose order was asked about. */
  asked: { label: "Orders asked about" },
  /** Captures that the provider told of and that were recorded. */
  captured: { label: would("recorded as captured") },
  /** Paid while its checkout was open, without a report. */
  confirmed: { label: would("confirmed: paid, and not reported"), outcome: "confirmed", rank: 3 },
  /** All its slots were free: booked again. */
  booked: { label: would("booked again"), outcome: "booked", rank: 3 },
  /** Not all of them were: its money goes back. */
  refunded: { label: would("refunded"), outcome: "refunded", rank: 3 },
  /** The provider said nothing certain; asked again next time. */
  unanswered: { label: "No certain answer", outcome: "unanswered", rank: 1 },
  /** Our record and the provider's differ; a finding is stored. */
  differs: { label: "Records differ", outcome: "differs" },
  /** Another run settled it, or other sessions are changing it. */
  skipped: { label: "Settled by another run", outcome: "skipped", rank: 2 },
  /** It can neither be booked nor refunded by a job, or an error met it. */
  failed: { label: "Failed", outcome: "failed" },
  confirmedPaise: { label: "Paid by those confirmed", unit: "paise" },
  bookedPaise: { label: "Paid by those booked again", unit: "paise" },
  refundedPaise: { label: "Going back", unit: "paise" },
  /** Legs of refunds: of late captures of this and of earlier runs. */
  refundsSent: { label: "Refund legs carried out or at the provider" },
  refundsOpen: { label: "Refund legs open" },
});

/** One late payment. An order that is unpaid at the provider is counted, not listed. */
export interface LateItem {
  paymentId: string;
  bookingId: string;
  outcome: OutcomeOf<typeof counters>;
  code: string;
  message: string;
  amountPaise: Paise;
}

export interface LateReport extends CountedBy<typeof counters>, NotedItems<LateItem> {}

export function emptyLateReport(dryRun: boolean): LateReport {
  return { ...counters.empty(dryRun), ...nothingNoted<LateItem>() };
}

export function countLate(report: LateReport, item: LateItem): void {
  const { outcome, paymentId: id, amountPaise } = item;
  counters.count(report, outcome);
  if (outcome === "confirmed") report.confirmedPaise += amountPaise;
  if (outcome === "booked") report.bookedPaise += amountPaise;
  if (outcome === "refunded") report.refundedPaise += amountPaise;
  noteItem(report, item, { id, amountPaise, rank: counters.rank });
}

export const lateOutputs = counters.outputs;

export function lateTables(report: LateReport): SummaryTable[] {
  return [
    { title: "Late captures", columns: ["", "Value"], rows: counters.rows(report) },
    reasonsTable("Reasons", report.reasons),
    keptTable(
      "Late payments",
      {
        Payment: "paymentId",
        Booking: "bookingId",
        Amount: "amountPaise",
        Outcome: "outcome",
        Reason: "code",
        "What was done": "message",
      },
      { report, rank: counters.rank },
    ),
  ];
}
