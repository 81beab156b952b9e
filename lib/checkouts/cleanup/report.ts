import { reasonsTable } from "../../support/reasons-table.ts";
import {
  inHours,
  keptTable,
  noteItem,
  nothingNoted,
  reportCounters,
  WENT_WELL,
  would,
  type CountedBy,
  type NotedItems,
  type OutcomeOf,
} from "../../support/run-report.ts";
import type { SummaryTable } from "../../support/summary-table.ts";

const counters = reportCounters({
  found: { label: "Bookings with an old hold" },
  /** Its slots are free again. */
  released: { label: would("released"), outcome: "released", rank: WENT_WELL },
  /** The provider had its money: it is recorded, and the booking confirmed or an orphan. */
  captured: { label: would("recorded as captured"), outcome: "captured", rank: 3 },
  /** The bank has set money aside; it stays. */
  authorized: { label: "Authorized, stays", outcome: "authorized", rank: 2 },
  overdue: { label: "of which for too long" },
  /** The provider said nothing certain; it stays. */
  unanswered: { label: "No certain answer, stays", outcome: "unanswered", rank: 1 },
  /** Paid, renewed or ended while the run went on, or not to be released by a job. */
  kept: { label: "Kept: paid, renewed or ended meanwhile", outcome: "kept", rank: 3 },
  /** Our record and the provider's differ; a finding is stored. */
  differs: { label: "Records differ", outcome: "differs" },
  /** An error met this one; it stays. */
  failed: { label: "Failed, stays", outcome: "failed" },
  slotsReleased: { label: { run: "Slots freed", dryRun: "Slots that would be freed" } },
  seatsOffered: { label: "Seats offered to people who wait" },
  creditPaise: { label: "Referral credit given back", unit: "paise" },
  walletPaise: { label: "Wallet money given back", unit: "paise" },
});

/** The result of one booking with an old hold. */
export interface CleanupItem {
  bookingId: string;
  paymentId: string | null;
  outcome: OutcomeOf<typeof counters>;
  code: string;
  message: string;
  ageMs: number;
  /** Authorized for longer than the alarm allows. */
  overdue: boolean;
}

export interface CleanupReport extends CountedBy<typeof counters>, NotedItems<CleanupItem> {}

export function emptyCleanupReport(dryRun: boolean): CleanupReport {
  return { ...counters.empty(dryRun), ...nothingNoted<CleanupItem>() };
}

export function countCleanup(report: CleanupReport, item: CleanupItem): void {
  counters.count(report, item.outcome);
  if (item.overdue) report.overdue++;
  noteItem(report, item, { id: item.bookingId, rank: urgency });
}

function urgency(item: CleanupItem): number {
  return item.overdue ? 0 : counters.rank(item);
}

export const cleanupOutputs = counters.outputs;

export function cleanupTables(report: CleanupReport): SummaryTable[] {
  return [
    { title: "Old holds", columns: ["", "Value"], rows: counters.rows(report) },
    reasonsTable("Reasons", report.reasons),
    keptTable(
      "Not released",
      {
        Booking: "bookingId",
        Payment: "paymentId",
        Hours: ({ ageMs }) => inHours(ageMs),
        Outcome: "outcome",
        Reason: "code",
        "What was said": "message",
      },
      {
        report,
        rank: urgency,
        total: report.reasons.reduce((sum, { count }) => sum + count, 0),
      },
    ),
  ];
}
