import type { Released, KeepReason } from "../release-hold.ts";
import { formatRupees, type Paise } from "../../support/money.ts";
import type { SummaryTable } from "../../support/summary-table.ts";

export interface CancelReport {
  dryRun: boolean;
  paymentId: string;
  result: "cancelled" | "not-found" | "conflict";
  /** Of a conflict. */
  why: KeepReason | null;
  slotsReleased: number;
  seatsOffered: number;
  creditPaise: Paise;
  walletPaise: Paise;
  /** Whether the provider's order now says that it is not to be paid; best effort. */
  orderAnnotated: boolean;
}

export function cancelReport(
  { dryRun, paymentId }: { dryRun: boolean; paymentId: string },
  result: Pick<CancelReport, "result"> & Partial<Pick<CancelReport, "why" | "orderAnnotated">>,
  released: Partial<Pick<Released, "slots" | "seatsOffered" | "creditPaise" | "walletPaise">> = {},
): CancelReport {
  return {
    dryRun,
    paymentId,
    result: result.result,
    why: result.why ?? null,
    slotsReleased: released.slots ?? 0,
    seatsOffered: released.seatsOffered ?? 0,
    creditPaise: released.creditPaise ?? 0n,
    walletPaise: released.walletPaise ?? 0n,
    orderAnnotated: result.orderAnnotated ?? false,
  };
}

/** The report as step outputs. */
export function cancelOutputs(report: CancelReport): Record<string, string | number | boolean> {
  return {
    payment_id: report.paymentId,
    result: report.result,
    why: report.why ?? "",
    slots_released: report.slotsReleased,
    seats_offered: report.seatsOffered,
    credit_paise: report.creditPaise.toString(),
    wallet_paise: report.walletPaise.toString(),
    order_annotated: report.orderAnnotated,
  };
}

/** The report as the table that a person reads. */
export function cancelTables(report: CancelReport): SummaryTable[] {
  return [
    {
      title: "Checkout",
      columns: ["", "Value"],
      rows: [
        ["Payment", report.paymentId],
        [report.dryRun ? "Would be" : "Result", report.result],
        ["Why", report.why ?? ""],
        ["Slots freed", String(report.slotsReleased)],
        ["Seats offered to people who wait", String(report.seatsOffered)],
        ["Referral credit given back", formatRupees(report.creditPaise)],
        ["Wallet money given back", formatRupees(report.walletPaise)],
        ["Provider's order annotated", report.orderAnnotated ? "yes" : "no"],
      ],
    },
  ];
}
