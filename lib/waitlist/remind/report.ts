import { deliveredAfterOutputs, type DeliveredAfter } from "../../notifications/index.ts";
import { keepItem, type KeptItems } from "../../support/kept-items.ts";
import {
  keptTable,
  reportCounters,
  WENT_WELL,
  type CountedBy,
  type OutcomeOf,
} from "../../support/run-report.ts";
import type { SummaryTable } from "../../support/summary-table.ts";
import type { ReminderState } from "./due-reminders.ts";

const counters = reportCounters({
  /** Offers with too little time left and no reminder yet: queued + gone + locked + failed. */
  found: { label: "Offers that end soon, without a reminder" },
  /** The reminder is in the outbox; in a dry run, would be there. */
  queued: {
    label: { run: "Queued", dryRun: "Would be queued" },
    outcome: "queued",
    rank: WENT_WELL,
  },
  /** Booked, left, ended, or reminded by another run meanwhile. */
  gone: { label: "Booked, left or reminded meanwhile", outcome: "gone", rank: WENT_WELL },
  /** Another session holds the row: left to the next run. */
  locked: { label: "Locked by another session, left", outcome: "locked", rank: 1 },
  /** The database did not take it. */
  failed: { label: "Failed", outcome: "failed" },
  /** Queued by earlier runs, and not yet sent when this one began. */
  open: { label: "Of earlier runs, not yet sent" },
  /** Of those queued and open: the mail server took it. Nothing else counts as reminded. */
  sent: { label: "Sent: the mail server took it" },
  /** Of those queued and open: to be tried again. */
  waiting: { label: "To be tried again" },
  /** Of those queued and open: refused for good, or too often. */
  gaveUp: { label: "Given up" },
  /** Of those queued and open: not worth sending any more. */
  lapsed: { label: "Not worth sending any more" },
});

export type ReminderOutcome = OutcomeOf<typeof counters>;

/** One offer with a due reminder. */
export interface ReminderItem {
  entryId: string;
  outcome: ReminderOutcome;
}

/** Its items are the offers whose reminder could not be written. */
export interface ReminderReport
  extends CountedBy<typeof counters>, KeptItems<ReminderItem>, DeliveredAfter {}

export function emptyReminderReport(dryRun: boolean): ReminderReport {
  return { ...counters.empty(dryRun), mailsSent: 0, mailsLeft: null, items: [], itemsLeftOut: 0 };
}

export function countReminder(report: ReminderReport, item: ReminderItem): void {
  counters.count(report, item.outcome);
  if (counters.rank(item) < WENT_WELL) keepItem(report, item, { rank: counters.rank });
}

export function countStates(report: ReminderReport, states: Record<ReminderState, number>): void {
  report.sent = states.SENT;
  report.waiting = states.QUEUED;
  report.gaveUp = states.GAVE_UP;
  report.lapsed = states.LAPSED;
}

export function reminderOutputs(report: ReminderReport): Record<string, number | string> {
  return { ...counters.outputs(report), ...deliveredAfterOutputs(report) };
}

export function reminderTables(report: ReminderReport): SummaryTable[] {
  return [
    { title: "Reminders", columns: ["", "Count"], rows: counters.rows(report) },
    keptTable(
      "Offers left without a reminder",
      { "Waitlist entry": "entryId", Outcome: "outcome" },
      { report, rank: counters.rank },
    ),
  ];
}
