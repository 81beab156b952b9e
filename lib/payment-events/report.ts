import type { Paise } from "../support/money.ts";
import { reasonsTable } from "../support/reasons-table.ts";
import {
  keptTable,
  noteItem,
  nothingNoted,
  reportCounters,
  would,
  type CountedBy,
  type NotedItems,
  type OutcomeOf,
} from "../support/run-report.ts";
import type { SummaryTable } from "../support/summary-table.ts";

const counters = reportCounters({
  refundsRead: { label: "Refunds on the provider's list" },
  /** Made outside: in the provider's dashboard. */
  booked: { label: would("booked: refunds made outside"), outcome: "booked", rank: 2 },
  disputesRead: { label: "Disputes asked about or on the list" },
  /** New, or changed since the last run. */
  disputed: { label: "Disputes that are open", outcome: "disputed", rank: 1 },
  /** Won or closed: the money stays. */
  kept: { label: would("ended: disputes won or closed"), outcome: "kept", rank: 2 },
  lost: { label: would("booked: lost disputes"), outcome: "lost", rank: 1 },
  /** Left for the next run: a refund of ours is not settled yet. */
  waiting: { label: "Wait for a refund of ours", outcome: "waiting", rank: 2 },
  /** Fits no payment; a finding is stored. */
  unmatched: { label: "Fit no payment", outcome: "unmatched" },
  unanswered: { label: "No certain answer", outcome: "unanswered", rank: 1 },
  failed: { label: "Failed", outcome: "failed" },
  bookedPaise: { label: "Refunded outside", unit: "paise" },
  lostPaise: { label: "Taken for lost disputes", unit: "paise" },
  /** Critical ones of this job, whenever they were stored. */
  openFindings: { label: "Critical findings that are open" },
});

/** One refund or dispute at the provider. */
export interface EventItem {
  /** `rfnd_…` or `disp_…` */
  id: string;
  /** Ours; null where there is none. */
  paymentId: string | null;
  outcome: OutcomeOf<typeof counters>;
  code: string;
  message: string;
  amountPaise: Paise;
}

export interface PaymentEventReport extends CountedBy<typeof counters>, NotedItems<EventItem> {}

export function emptyEventReport(dryRun: boolean): PaymentEventReport {
  return { ...counters.empty(dryRun), ...nothingNoted<EventItem>() };
}

export function countEvent(report: PaymentEventReport, item: EventItem): void {
  const { outcome, id, amountPaise } = item;
  counters.count(report, outcome);
  if (outcome === "booked") report.bookedPaise += amountPaise;
  if (outcome === "lost") report.lostPaise += amountPaise;
  noteItem(report, item, { id, amountPaise, rank: counters.rank });
}

export const paymentEventOutputs = counters.outputs;

export function paymentEventTables(report: PaymentEventReport): SummaryTable[] {
  return [
    { title: "Payments at the provider", columns: ["", "Value"], rows: counters.rows(report) },
    reasonsTable("Reasons", report.reasons),
    keptTable(
      "Refunds and disputes",
      {
        "Provider's id": "id",
        Payment: ({ paymentId }) => paymentId ?? "",
        Amount: "amountPaise",
        Outcome: "outcome",
        Reason: "code",
        "What was done": "message",
      },
      { report, rank: counters.rank },
    ),
  ];
}
