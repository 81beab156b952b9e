import { keepItem, mostUrgentFirst } from "../../support/kept-items.ts";
import { formatRupees, type Paise } from "../../support/money.ts";
import { countReason, reasonsTable, type ReasonCount } from "../../support/reasons-table.ts";
import type { SummaryTable } from "../../support/summary-table.ts";

/** The result of one booking with an old hold. */
type CleanupOutcome =
  /** Its slots are free again. */
  | "released"
  /** The provider had its money: it is recorded, and the booking confirmed or an orphan. */
  | "captured"
  /** The bank has set money aside; it stays. */
  | "authorized"
  /** The provider said nothing certain; it stays. */
  | "unanswered"
  /** Paid, renewed or ended while the run went on, or not to be released by a job. */
  | "kept"
  /** Our record and the provider's differ; a finding is stored. */
  | "differs"
  /** An error met this one; it stays. */
  | "failed";

export interface CleanupItem {
  bookingId: string;
  paymentId: string | null;
  outcome: CleanupOutcome;
  code: string;
  message: string;
  ageMs: number;
  /** Authorized for longer than the alarm allows. */
  overdue: boolean;
}

export interface CleanupReport {
  dryRun: boolean;
  found: number;
  released: number;
  captured: number;
  authorized: number;
  unanswered: number;
  kept: number;
  differs: number;
  failed: number;
  overdue: number;
  slotsReleased: number;
  seatsOffered: number;
  creditPaise: Paise;
  walletPaise: Paise;
  /** Of all that were not released. */
  reasons: ReasonCount[];
  items: CleanupItem[];
  itemsLeftOut: number;
}

export function emptyCleanupReport(dryRun: boolean): CleanupReport {
  return {
    dryRun,
    found: 0,
    released: 0,
    captured: 0,
    authorized: 0,
    unanswered: 0,
    kept: 0,
    differs: 0,
    failed: 0,
    overdue: 0,
    slotsReleased: 0,
    seatsOffered: 0,
    creditPaise: 0n,
    walletPaise: 0n,
    reasons: [],
    items: [],
    itemsLeftOut: 0,
  };
}

export function countCleanup(report: CleanupReport, item: CleanupItem): void {
  report[item.outcome]++;
  if (item.overdue) report.overdue++;
  const { bookingId: id, outcome, code } = item;
  if (outcome !== "released") countReason(report.reasons, { id, outcome, code });
  keepItem(report, item, { rank: urgency });
}

const URGENCY: Readonly<Record<CleanupOutcome, number>> = {
  differs: 0,
  failed: 0,
  unanswered: 1,
  authorized: 2,
  kept: 3,
  captured: 3,
  released: 4,
};

function urgency({ outcome, overdue }: CleanupItem): number {
  return overdue ? 0 : URGENCY[outcome];
}

/** The report as step outputs. */
export function cleanupOutputs(report: CleanupReport): Record<string, string | number> {
  return {
    found: report.found,
    released: report.released,
    captured: report.captured,
    authorized: report.authorized,
    unanswered: report.unanswered,
    kept: report.kept,
    differs: report.differs,
    failed: report.failed,
    overdue: report.overdue,
    slots_released: report.slotsReleased,
    seats_offered: report.seatsOffered,
    credit_paise: report.creditPaise.toString(),
    wallet_paise: report.walletPaise.toString(),
  };
}

/** The report as the tables that a person reads. */
export function cleanupTables(report: CleanupReport): SummaryTable[] {
  const will = report.dryRun ? "Would be " : "";
  const counts: [string, string][] = [
    ["Bookings with an old hold", String(report.found)],
    [`${will}released`, String(report.released)],
    [`${will}recorded as captured`, String(report.captured)],
    ["Authorized, stays", String(report.authorized)],
    ["of which for too long", String(report.overdue)],
    ["No certain answer, stays", String(report.unanswered)],
    ["Kept: paid, renewed or ended meanwhile", String(report.kept)],
    ["Records differ", String(report.differs)],
    ["Failed, stays", String(report.failed)],
    [`Slots ${report.dryRun ? "that would be " : ""}freed`, String(report.slotsReleased)],
    ["Seats offered to people who wait", String(report.seatsOffered)],
    ["Referral credit given back", formatRupees(report.creditPaise)],
    ["Wallet money given back", formatRupees(report.walletPaise)],
  ];
  const stay = mostUrgentFirst(
    report.items.filter(({ outcome }) => outcome !== "released"),
    urgency,
  );
  const allThatStay = report.reasons.reduce((sum, { count }) => sum + count, 0);
  return [
    { title: "Old holds", columns: ["", "Value"], rows: counts },
    reasonsTable("Reasons", report.reasons),
    {
      title: "Not released",
      columns: ["Booking", "Payment", "Hours", "Outcome", "Reason", "What was said"],
      rows: stay.map(({ bookingId, paymentId, ageMs, outcome, code, message }) => [
        bookingId,
        paymentId ?? "",
        (ageMs / 3_600_000).toFixed(1),
        outcome,
        code,
        message,
      ]),
      more: allThatStay - stay.length,
    },
  ];
}
