import { keepItem, mostUrgentFirst } from "../../support/kept-items.ts";
import { formatRupees, type Paise } from "../../support/money.ts";
import { countReason, reasonsTable, type ReasonCount } from "../../support/reasons-table.ts";
import type { SummaryTable } from "../../support/summary-table.ts";

/** The result of one late payment. An order that is unpaid at the provider is counted, not listed. */
export type LateOutcome =
  /** All its slots were free: booked again. */
  | "booked"
  /** Not all of them were: its money goes back. */
  | "refunded"
  /** The provider said nothing certain; asked again next time. */
  | "unanswered"
  /** Our record and the provider's differ; a finding is stored. */
  | "differs"
  /** Another run settled it, or other sessions are changing it. */
  | "skipped"
  /** It can neither be booked nor refunded by a job, or an error met it. */
  | "failed";

export interface LateItem {
  paymentId: string;
  bookingId: string;
  outcome: LateOutcome;
  code: string;
  message: string;
  amountPaise: Paise;
}

export interface LateReport {
  dryRun: boolean;
  /** Ended holds whose order was asked about. */
  asked: number;
  /** Captures that the provider told of and that were recorded. */
  captured: number;
  booked: number;
  refunded: number;
  unanswered: number;
  differs: number;
  skipped: number;
  failed: number;
  bookedPaise: Paise;
  refundedPaise: Paise;
  /** Legs of refunds: of late captures of this and of earlier runs. */
  refundsSent: number;
  refundsOpen: number;
  reasons: ReasonCount[];
  items: LateItem[];
  itemsLeftOut: number;
}

export function emptyLateReport(dryRun: boolean): LateReport {
  return {
    dryRun,
    asked: 0,
    captured: 0,
    booked: 0,
    refunded: 0,
    unanswered: 0,
    differs: 0,
    skipped: 0,
    failed: 0,
    bookedPaise: 0n,
    refundedPaise: 0n,
    refundsSent: 0,
    refundsOpen: 0,
    reasons: [],
    items: [],
    itemsLeftOut: 0,
  };
}

export function countLate(report: LateReport, item: LateItem): void {
  report[item.outcome]++;
  if (item.outcome === "booked") report.bookedPaise += item.amountPaise;
  if (item.outcome === "refunded") report.refundedPaise += item.amountPaise;
  countReason(report.reasons, { ...item, id: item.paymentId });
  keepItem(report, item, { rank: urgency });
}

const URGENCY: Readonly<Record<LateOutcome, number>> = {
  differs: 0,
  failed: 0,
  unanswered: 1,
  skipped: 2,
  refunded: 3,
  booked: 3,
};

function urgency({ outcome }: LateItem): number {
  return URGENCY[outcome];
}

/** The report as step outputs. */
export function lateOutputs(report: LateReport): Record<string, string | number> {
  return {
    asked: report.asked,
    captured: report.captured,
    booked: report.booked,
    refunded: report.refunded,
    unanswered: report.unanswered,
    differs: report.differs,
    skipped: report.skipped,
    failed: report.failed,
    booked_paise: report.bookedPaise.toString(),
    refunded_paise: report.refundedPaise.toString(),
    refunds_sent: report.refundsSent,
    refunds_open: report.refundsOpen,
  };
}

/** The report as the tables that a person reads. */
export function lateTables(report: LateReport): SummaryTable[] {
  const will = report.dryRun ? "Would be " : "";
  const counts: [string, string][] = [
    ["Orders asked about", String(report.asked)],
    [`${will}recorded as captured`, String(report.captured)],
    [`${will}booked again`, String(report.booked)],
    [`${will}refunded`, String(report.refunded)],
    ["No certain answer", String(report.unanswered)],
    ["Records differ", String(report.differs)],
    ["Settled by another run", String(report.skipped)],
    ["Failed", String(report.failed)],
    ["Paid by those booked again", formatRupees(report.bookedPaise)],
    ["Going back", formatRupees(report.refundedPaise)],
    ["Refund legs carried out or at the provider", String(report.refundsSent)],
    ["Refund legs open", String(report.refundsOpen)],
  ];
  return [
    { title: "Late captures", columns: ["", "Value"], rows: counts },
    reasonsTable("Reasons", report.reasons),
    {
      title: "Late payments",
      columns: ["Payment", "Booking", "Amount", "Outcome", "Reason", "What was done"],
      rows: mostUrgentFirst(report.items, urgency).map(
        ({ paymentId, bookingId, amountPaise, outcome, code, message }) => [
          paymentId,
          bookingId,
          formatRupees(amountPaise),
          outcome,
          code,
          message,
        ],
      ),
      more: report.itemsLeftOut,
    },
  ];
}
