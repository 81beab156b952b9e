import { reportCounters, type CountedBy } from "../../support/run-report.ts";
import type { SummaryTable } from "../../support/summary-table.ts";
import type { KeepReason, Released } from "../release-hold.ts";

const counters = reportCounters({
  slotsReleased: { label: "Slots freed" },
  seatsOffered: { label: "Seats offered to people who wait" },
  creditPaise: { label: "Referral credit given back", unit: "paise" },
  walletPaise: { label: "Wallet money given back", unit: "paise" },
});

export interface CancelReport extends CountedBy<typeof counters> {
  paymentId: string;
  result: "cancelled" | "not-found" | "conflict";
  /** Of a conflict. */
  why: KeepReason | null;
  /** Whether the provider's order now says that it is not to be paid; best effort. */
  orderAnnotated: boolean;
}

export function cancelReport(
  { dryRun, paymentId }: { dryRun: boolean; paymentId: string },
  result: Pick<CancelReport, "result"> & Partial<Pick<CancelReport, "why" | "orderAnnotated">>,
  released: Partial<Pick<Released, "slots" | "seatsOffered" | "creditPaise" | "walletPaise">> = {},
): CancelReport {
  const { slots: slotsReleased = 0, ...rest } = released;
  const { seatsOffered = 0, creditPaise = 0n, walletPaise = 0n } = rest;
  const counts = { slotsReleased, seatsOffered, creditPaise, walletPaise };
  return { dryRun, ...counts, paymentId, why: null, orderAnnotated: false, ...result };
}

export function cancelOutputs(report: CancelReport): Record<string, string | number | boolean> {
  return {
    payment_id: report.paymentId,
    result: report.result,
    why: report.why ?? "",
    ...counters.outputs(report),
    order_annotated: report.orderAnnotated,
  };
}

export function cancelTables(report: CancelReport): SummaryTable[] {
  return [
    {
      title: "Checkout",
      columns: ["", "Value"],
      rows: [
        ["Payment", report.paymentId],
        [report.dryRun ? "Would be" : "Result", report.result],
        ["Why", report.why ?? ""],
        ...counters.rows(report),
        ["Provider's order annotated", report.orderAnnotated ? "yes" : "no"],
      ],
    },
  ];
}
