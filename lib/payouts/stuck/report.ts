import { formatRupees, type Paise } from "../../support/money.ts";
import type { SummaryTable } from "../../support/summary-table.ts";

/** What became of one payout in doubt. */
export type StuckOutcome =
  /** The provider's final answer is recorded. */
  | "settled"
  /** The provider has it and has not finished. */
  | "in-flight"
  /** Never accepted: the attempt is closed, the payout is due again. */
  | "closed"
  /** Not found, and too soon to be sure. */
  | "waiting"
  /** The provider could not be asked. */
  | "unanswered"
  /** Our record and the provider's differ; a finding is stored. */
  | "conflict"
  /** Another run was faster. */
  | "skipped";

export interface StuckItem {
  payoutId: string;
  outcome: StuckOutcome;
  code: string;
  message: string;
  /** Open for longer than the alarm allows. */
  overdue: boolean;
  netPaise: Paise;
  ageMs: number;
}

export interface StuckReport {
  dryRun: boolean;
  found: number;
  settled: number;
  inFlight: number;
  closed: number;
  waiting: number;
  unanswered: number;
  conflicts: number;
  skipped: number;
  overdue: number;
  overduePaise: Paise;
  items: StuckItem[];
  itemsLeftOut: number;
}

const MOST_ITEMS = 1000;

const COUNTER = {
  settled: "settled",
  "in-flight": "inFlight",
  closed: "closed",
  waiting: "waiting",
  unanswered: "unanswered",
  conflict: "conflicts",
  skipped: "skipped",
} as const satisfies Record<StuckOutcome, keyof StuckReport>;

export function emptyStuckReport(dryRun: boolean): StuckReport {
  return {
    dryRun,
    found: 0,
    settled: 0,
    inFlight: 0,
    closed: 0,
    waiting: 0,
    unanswered: 0,
    conflicts: 0,
    skipped: 0,
    overdue: 0,
    overduePaise: 0n,
    items: [],
    itemsLeftOut: 0,
  };
}

export function countStuck(report: StuckReport, item: StuckItem): void {
  report[COUNTER[item.outcome]]++;
  if (item.overdue) {
    report.overdue++;
    report.overduePaise += item.netPaise;
  }
  if (report.items.length < MOST_ITEMS) report.items.push(item);
  else report.itemsLeftOut++;
}

/** The report as step outputs. */
export function stuckOutputs(report: StuckReport): Record<string, string | number> {
  return {
    found: report.found,
    settled: report.settled,
    in_flight: report.inFlight,
    closed: report.closed,
    waiting: report.waiting,
    unanswered: report.unanswered,
    conflicts: report.conflicts,
    skipped: report.skipped,
    overdue: report.overdue,
    overdue_paise: report.overduePaise.toString(),
  };
}

/** The report as the tables that a finance person reads. */
export function stuckTables(report: StuckReport): SummaryTable[] {
  const will = report.dryRun ? "Would be " : "";
  const counts: [string, number][] = [
    ["In doubt", report.found],
    [`${will}settled as the provider says`, report.settled],
    [`${will}due again: never accepted`, report.closed],
    ["In flight at the provider", report.inFlight],
    ["Not found yet, too soon to be sure", report.waiting],
    ["No usable answer", report.unanswered],
    ["Records differ", report.conflicts],
    ["Settled by another run", report.skipped],
    ["Open for too long", report.overdue],
  ];
  return [
    {
      title: "Payouts in doubt",
      columns: ["", "Count"],
      rows: counts.map(([label, count]) => [label, String(count)]),
    },
    {
      title: "Still open",
      columns: ["Payout", "Net", "Hours", "Outcome", "Reason", "What was said"],
      rows: report.items
        .filter(({ outcome }) => !["settled", "closed", "skipped"].includes(outcome))
        .map(({ payoutId, netPaise, ageMs, outcome, code, message }) => [
          payoutId,
          formatRupees(netPaise),
          (ageMs / 3_600_000).toFixed(1),
          outcome,
          code,
          message,
        ]),
    },
  ];
}
