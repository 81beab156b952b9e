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
  /** Claimed and never sent by a run that is dead: due again. */
  | "returned"
  /** Decided, and the database did not take it: a locked row, or an error at this row. It is as it was. */
  | "not-recorded"
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
  /** Due again, and not sent while the payee is on hold. */
  isHeld: boolean;
  netPaise: Paise;
  ageMs: number;
}

export interface StuckReport {
  dryRun: boolean;
  /** In doubt, or claimed and never sent by a run that is dead: what became of each is in one of the others. */
  found: number;
  settled: number;
  inFlight: number;
  closed: number;
  returned: number;
  notRecorded: number;
  waiting: number;
  unanswered: number;
  conflicts: number;
  skipped: number;
  overdue: number;
  overduePaise: Paise;
  /** In processing for three days or longer. */
  slow: number;
  /** Of these, named in a mail to the operators that this run wrote. */
  told: number;
  /** Of those that are due again: not sent until the hold of the payee is released. */
  held: number;
  /** Not among those found: claimed and not sent, by a run that goes on or has been dead for less than 45 minutes. */
  unsent: number;
  items: StuckItem[];
  itemsLeftOut: number;
}

const MOST_ITEMS = 1000;

const COUNTER = {
  settled: "settled",
  "in-flight": "inFlight",
  closed: "closed",
  returned: "returned",
  "not-recorded": "notRecorded",
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
    returned: 0,
    notRecorded: 0,
    waiting: 0,
    unanswered: 0,
    conflicts: 0,
    skipped: 0,
    overdue: 0,
    overduePaise: 0n,
    slow: 0,
    told: 0,
    held: 0,
    unsent: 0,
    items: [],
    itemsLeftOut: 0,
  };
}

export function countStuck(report: StuckReport, item: StuckItem): void {
  report[COUNTER[item.outcome]]++;
  if (item.isHeld) report.held++;
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
    returned: report.returned,
    not_recorded: report.notRecorded,
    waiting: report.waiting,
    unanswered: report.unanswered,
    conflicts: report.conflicts,
    skipped: report.skipped,
    overdue: report.overdue,
    overdue_paise: report.overduePaise.toString(),
    slow: report.slow,
    told: report.told,
    held: report.held,
    unsent: report.unsent,
  };
}

/** The report as the tables that a finance person reads. */
export function stuckTables(report: StuckReport): SummaryTable[] {
  const will = report.dryRun ? "Would be " : "";
  const counts: [string, number][] = [
    ["In doubt, or never sent by a run that is dead", report.found],
    [`${will}settled as the provider says`, report.settled],
    [`${will}due again: never accepted`, report.closed],
    [`${will}due again: claimed and never sent`, report.returned],
    ["of these due again, on hold and not sent", report.held],
    ["Decided, and not taken by the database", report.notRecorded],
    ["In flight at the provider", report.inFlight],
    ["Not found yet, too soon to be sure", report.waiting],
    ["No usable answer", report.unanswered],
    ["Records differ", report.conflicts],
    ["Settled by another run", report.skipped],
    ["Open for too long", report.overdue],
    ["In processing for three days or longer", report.slow],
    ["of which named in a mail to the operators now", report.told],
    ["Beside these: claimed a short while ago and not sent", report.unsent],
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
        .filter(
          ({ outcome, isHeld }) =>
            isHeld || !["settled", "closed", "returned", "skipped"].includes(outcome),
        )
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
