import { keepItem, type KeptItems } from "../support/kept-items.ts";
import {
  itemsTable,
  reportCounters,
  would,
  type CountedBy,
  type OutcomeOf,
} from "../support/run-report.ts";
import type { SummaryTable } from "../support/summary-table.ts";

const counters = reportCounters({
  /** When the run began; the sum of all that follow. */
  due: { label: "Due" },
  /** A dry run would send it. */
  planned: { label: { dryRun: "Would be sent" }, outcome: "planned" },
  sent: { label: { run: "Sent" }, outcome: "sent" },
  /** The server did not take it; it is tried again later. */
  retriedLater: { label: "Not taken, tried again later", outcome: "retried-later" },
  /** Refused for good, or too often. */
  gaveUp: { label: would("given up"), outcome: "gave-up" },
  /** Its time has passed, or its reader is no longer active. */
  lapsed: { label: would("not sent: too late, or reader not active"), outcome: "lapsed" },
  skipped: { label: "In the hands of another run" },
  /** Still due at the end. */
  left: { label: "Still due" },
});

/** The result of one due mail. `left`: given back, due as it was. */
export type MailOutcome = OutcomeOf<typeof counters> | "left";

export interface MailItem {
  mailId: string;
  template: string;
  tries: number;
  code: string;
}

/** Its items are the mails that were given up. */
export interface DeliveryReport extends CountedBy<typeof counters>, KeptItems<MailItem> {
  /** How often mail was not taken, by code and the server's number. */
  reasons: Record<string, number>;
}

const MOST_ITEMS = 200;

export function emptyDeliveryReport(dryRun: boolean): DeliveryReport {
  return { ...counters.empty(dryRun), reasons: {}, items: [], itemsLeftOut: 0 };
}

export function countMail(
  report: DeliveryReport,
  { outcome, ...item }: MailItem & { outcome: MailOutcome },
): void {
  if (item.code !== "") report.reasons[item.code] = (report.reasons[item.code] ?? 0) + 1;
  if (outcome === "left") return;
  counters.count(report, outcome);
  if (outcome === "gave-up") keepItem(report, item, { rank: () => 0, most: MOST_ITEMS });
}

/** The number of due mails that this run has handled. */
export function handled(report: DeliveryReport): number {
  return report.planned + report.sent + report.retriedLater + report.gaveUp + report.lapsed;
}

export const deliveryOutputs = counters.outputs;

export function deliveryTables(report: DeliveryReport): SummaryTable[] {
  return [
    { title: "Mail", columns: ["", "Count"], rows: counters.rows(report) },
    {
      title: "Why mail was not taken",
      columns: ["Reason", "Count"],
      rows: Object.entries(report.reasons).map(([code, count]) => [code, String(count)]),
    },
    itemsTable(
      "Given up",
      { Mail: "mailId", Template: "template", Tries: "tries", Reason: "code" },
      report.items,
      report.itemsLeftOut,
    ),
  ];
}
