import { deliveredAfterOutputs, type DeliveredAfter } from "../../notifications/index.ts";
import { keepItem, mostUrgentFirst } from "../../support/kept-items.ts";
import type { SummaryTable } from "../../support/summary-table.ts";
import type { ReminderState } from "./due-reminders.ts";

/** The result of one offer with a due reminder. */
export type ReminderOutcome =
  /** The reminder is in the outbox; in a dry run, would be there. */
  | "queued"
  /** Booked, left, ended, or reminded by another run meanwhile. */
  | "gone"
  /** Another session holds the row: left to the next run. */
  | "locked"
  /** The database did not take it. */
  | "failed";

export interface ReminderReport extends DeliveredAfter {
  dryRun: boolean;
  /** Offers with too little time left and no reminder yet: queued + gone + locked + failed. */
  found: number;
  queued: number;
  gone: number;
  locked: number;
  failed: number;
  /** Queued by earlier runs, and not yet sent when this one began. */
  open: number;
  /** Of those queued and open: the mail server took it. Nothing else counts as reminded. */
  sent: number;
  /** Of those queued and open: to be tried again. */
  waiting: number;
  /** Of those queued and open: refused for good, or too often. */
  gaveUp: number;
  /** Of those queued and open: not worth sending any more. */
  lapsed: number;
  /** Offers whose reminder could not be written. */
  items: ReminderItem[];
  itemsLeftOut: number;
}

export interface ReminderItem {
  entryId: string;
  outcome: "failed" | "locked";
}

export function emptyReminderReport(dryRun: boolean): ReminderReport {
  return {
    dryRun,
    found: 0,
    queued: 0,
    gone: 0,
    locked: 0,
    failed: 0,
    open: 0,
    sent: 0,
    waiting: 0,
    gaveUp: 0,
    lapsed: 0,
    mailsSent: 0,
    mailsLeft: null,
    items: [],
    itemsLeftOut: 0,
  };
}

export function countReminder(
  report: ReminderReport,
  { entryId, outcome }: { entryId: string; outcome: ReminderOutcome },
): void {
  report[outcome]++;
  if (outcome !== "failed" && outcome !== "locked") return;
  keepItem(report, { entryId, outcome }, { rank: urgency });
}

function urgency({ outcome }: ReminderItem): number {
  return outcome === "failed" ? 0 : 1;
}

export function countStates(report: ReminderReport, states: Record<ReminderState, number>): void {
  report.sent = states.SENT;
  report.waiting = states.QUEUED;
  report.gaveUp = states.GAVE_UP;
  report.lapsed = states.LAPSED;
}

/** The report as step outputs. */
export function reminderOutputs(report: ReminderReport): Record<string, number | string> {
  const { found, queued, gone, locked, failed, open, sent, waiting, gaveUp, lapsed } = report;
  return {
    found,
    queued,
    gone,
    locked,
    failed,
    open,
    sent,
    waiting,
    gave_up: gaveUp,
    lapsed,
    ...deliveredAfterOutputs(report),
  };
}

/** The report as the tables that a person reads. */
export function reminderTables(report: ReminderReport): SummaryTable[] {
  const counts: [string, number][] = [
    ["Offers that end soon, without a reminder", report.found],
    [report.dryRun ? "Would be queued" : "Queued", report.queued],
    ["Booked, left or reminded meanwhile", report.gone],
    ["Locked by another session, left", report.locked],
    ["Failed", report.failed],
    ["Of earlier runs, not yet sent", report.open],
    ["Sent: the mail server took it", report.sent],
    ["To be tried again", report.waiting],
    ["Given up", report.gaveUp],
    ["Not worth sending any more", report.lapsed],
  ];
  return [
    {
      title: "Reminders",
      columns: ["", "Count"],
      rows: counts.map(([label, count]) => [label, String(count)]),
    },
    {
      title: "Offers left without a reminder",
      columns: ["Waitlist entry", "Outcome"],
      rows: mostUrgentFirst(report.items, urgency).map(({ entryId, outcome }) => [
        entryId,
        outcome,
      ]),
      more: report.itemsLeftOut,
    },
  ];
}
