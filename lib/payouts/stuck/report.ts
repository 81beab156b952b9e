import type { InFlight } from "../../ledger/in-flight.ts";
import { keepItem, mostUrgentFirst } from "../../support/kept-items.ts";
import { formatRupees, type Paise } from "../../support/money.ts";
import type { SummaryTable } from "../../support/summary-table.ts";

/** The result of one payout in doubt. */
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

/** What became of one payout, and why. */
export interface Decision {
  outcome: StuckOutcome;
  code: string;
  message: string;
  /** Due again, and not sent while the payee is on hold. */
  isHeld?: boolean;
}

export interface StuckItem {
  payoutId: string;
  /** The payee's code; written at the end of the run. */
  payee?: string;
  outcome: StuckOutcome;
  code: string;
  message: string;
  /** Open for longer than the alarm allows. */
  overdue: boolean;
  /** Due again, and not sent while the payee is on hold. */
  isHeld?: boolean;
  netPaise: Paise;
  ageMs: number;
}

export interface StuckReport {
  dryRun: boolean;
  /** In doubt, or claimed and never sent by a dead run: each is counted in one of the others. */
  found: number;
  settled: number;
  /** Asked about in this run: the provider has it and has not finished. */
  atProvider: number;
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
  /**
   * Not among those found: claimed and not sent, by a run that is alive or has been dead for less than 45
   * minutes.
   */
  unsent: number;
  /** When the run ended: sent or perhaps sent, and not final here. */
  inFlight: InFlight;
  items: StuckItem[];
  itemsLeftOut: number;
}

const COUNTER = {
  settled: "settled",
  "in-flight": "atProvider",
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
    atProvider: 0,
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
    inFlight: { count: 0, paise: 0n },
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
  keepItem(report, item, { rank: urgency });
}

const DONE: ReadonlySet<StuckOutcome> = new Set(["settled", "closed", "returned", "skipped"]);

/** Records that differ first, then late or unanswered ones, then waiting ones; finished ones last. */
function urgency({ outcome, overdue, isHeld }: StuckItem): number {
  if (outcome === "conflict") return 0;
  if (overdue || outcome === "not-recorded" || outcome === "unanswered") return 1;
  if (outcome === "waiting" || isHeld) return 2;
  return DONE.has(outcome) ? 4 : 3;
}

/** Found and neither settled nor due again: in doubt, or at the provider. */
export function stillOpen(report: StuckReport): number {
  const { atProvider, notRecorded, waiting, unanswered, conflicts } = report;
  return atProvider + notRecorded + waiting + unanswered + conflicts;
}

/** The report as step outputs. */
export function stuckOutputs(report: StuckReport): Record<string, string | number> {
  return {
    found: report.found,
    settled: report.settled,
    at_provider: report.atProvider,
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
    in_flight: report.inFlight.count,
    in_flight_paise: report.inFlight.paise.toString(),
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
    ["The provider has not finished", report.atProvider],
    ["Not found yet, too soon to be sure", report.waiting],
    ["No usable answer", report.unanswered],
    ["Records differ", report.conflicts],
    ["Settled by another run", report.skipped],
    ["Open for too long", report.overdue],
    ["In processing for three days or longer", report.slow],
    ["of which named in a mail to the operators now", report.told],
    ["Beside these: claimed a short while ago and not sent", report.unsent],
    ["In flight now", report.inFlight.count],
  ];
  const open = mostUrgentFirst(
    report.items.filter(({ outcome, isHeld }) => isHeld || !DONE.has(outcome)),
    urgency,
  );
  return [
    {
      title: "Payouts in doubt",
      columns: ["", "Count"],
      rows: counts.map(([label, count]) => [label, String(count)]),
    },
    {
      title: "Still open",
      columns: ["Payee", "Payout", "Net", "Hours", "Outcome", "Reason", "What was said"],
      rows: open.map(({ payee = "", payoutId, netPaise, ageMs, outcome, code, message }) => [
        payee,
        payoutId,
        formatRupees(netPaise),
        (ageMs / 3_600_000).toFixed(1),
        outcome,
        code,
        message,
      ]),
      more: stillOpen(report) + report.held - open.length,
    },
  ];
}
