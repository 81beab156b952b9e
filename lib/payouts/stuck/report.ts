import { inFlightOutputs, type InFlight } from "../../ledger/in-flight.ts";
import type { Paise } from "../../support/money.ts";
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
  /** In doubt, or claimed and never sent by a dead run: each is counted in one of the others. */
  found: { label: "In doubt, or never sent by a run that is dead" },
  /** The provider's final answer is recorded. */
  settled: { label: would("settled as the provider says"), outcome: "settled", rank: WENT_WELL },
  /** Never accepted: the attempt is closed, the payout is due again. */
  closed: { label: would("due again: never accepted"), outcome: "closed", rank: WENT_WELL },
  /** Claimed and never sent by a run that is dead: due again. */
  returned: {
    label: would("due again: claimed and never sent"),
    outcome: "returned",
    rank: WENT_WELL,
  },
  /** Of those that are due again: not sent until the hold of the payee is released. */
  held: { label: "of these due again, on hold and not sent" },
  /** Decided, and the database did not take it: a locked row, or an error at this row. It is as it was. */
  notRecorded: {
    label: "Decided, and not taken by the database",
    outcome: "not-recorded",
    rank: 1,
  },
  /** Asked about in this run: the provider has it and has not finished. */
  atProvider: { label: "The provider has not finished", outcome: "in-flight", rank: 3 },
  /** Not found, and too soon to be sure. */
  waiting: { label: "Not found yet, too soon to be sure", outcome: "waiting", rank: 2 },
  /** The provider could not be asked. */
  unanswered: { label: "No usable answer", outcome: "unanswered", rank: 1 },
  /** Our record and the provider's differ; a finding is stored. */
  conflicts: { label: "Records differ", outcome: "conflict" },
  /** Another run was faster. */
  skipped: { label: "Settled by another run", outcome: "skipped", rank: WENT_WELL },
  overdue: { label: "Open for too long" },
  overduePaise: { unit: "paise" },
  /** In processing for three days or longer. */
  slow: { label: "In processing for three days or longer" },
  /** Of these, named in a mail to the operators that this run wrote. */
  told: { label: "of which named in a mail to the operators now" },
  /**
   * Not among those found: claimed and not sent, by a run that is alive or has been dead for less than 45
   * minutes.
   */
  unsent: { label: "Beside these: claimed a short while ago and not sent" },
});

export type StuckOutcome = OutcomeOf<typeof counters>;

/** The result of one payout, and the reason. */
export interface Decision {
  outcome: StuckOutcome;
  code: string;
  message: string;
  /** Due again, and not sent while the payee is on hold. */
  isHeld?: boolean;
}

export interface StuckItem extends Decision {
  payoutId: string;
  /** The payee's code; written at the end of the run. */
  payee?: string;
  /** Open for longer than the alarm allows. */
  overdue: boolean;
  netPaise: Paise;
  ageMs: number;
}

export interface StuckReport extends CountedBy<typeof counters>, NotedItems<StuckItem> {
  /** When the run ended: sent or perhaps sent, and not final here. */
  inFlight: InFlight;
}

export function emptyStuckReport(dryRun: boolean): StuckReport {
  return {
    ...counters.empty(dryRun),
    ...nothingNoted<StuckItem>(),
    inFlight: { count: 0, paise: 0n },
  };
}

export function countStuck(report: StuckReport, item: StuckItem): void {
  counters.count(report, item.outcome);
  if (item.isHeld) report.held++;
  if (item.overdue) {
    report.overdue++;
    report.overduePaise += item.netPaise;
  }
  noteItem(report, item, { id: item.payoutId, amountPaise: item.netPaise, rank: urgency });
}

/** Records that differ first, then late or unanswered ones, then waiting ones; finished ones last. */
function urgency(item: StuckItem): number {
  return Math.min(counters.rank(item), item.overdue ? 1 : item.isHeld ? 2 : WENT_WELL);
}

/** Found and neither settled nor due again: in doubt, or at the provider. */
export function stillOpen(report: StuckReport): number {
  const { atProvider, notRecorded, waiting, unanswered, conflicts } = report;
  return atProvider + notRecorded + waiting + unanswered + conflicts;
}

export function stuckOutputs(report: StuckReport): Record<string, string | number> {
  return { ...counters.outputs(report), ...inFlightOutputs(report.inFlight) };
}

export function stuckTables(report: StuckReport): SummaryTable[] {
  const inFlight = ["In flight now", String(report.inFlight.count)];
  return [
    {
      title: "Payouts in doubt",
      columns: ["", "Count"],
      rows: [...counters.rows(report, "count"), inFlight],
    },
    reasonsTable("Reasons", report.reasons),
    keptTable(
      "Still open",
      {
        Payee: "payee",
        Payout: "payoutId",
        Net: "netPaise",
        Hours: ({ ageMs }) => inHours(ageMs),
        Outcome: "outcome",
        Reason: "code",
        "What was said": "message",
      },
      { report, rank: urgency, total: stillOpen(report) + report.held },
    ),
  ];
}
