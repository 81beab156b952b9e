import type { SummaryTable } from "../support/summary-table.ts";

/** The result of one due mail. */
export type MailOutcome =
  | "sent"
  /** The server did not take it; it is tried again later. */
  | "retried-later"
  /** Refused for good, or too often. */
  | "gave-up"
  /** Its time has passed, or its reader is no longer active. */
  | "lapsed"
  /** A dry run would send it. */
  | "planned"
  /** Given back, due as it was. */
  | "left";

export interface MailItem {
  mailId: string;
  template: string;
  tries: number;
  code: string;
}

export interface DeliveryReport {
  dryRun: boolean;
  /** When the run began; the sum of all that follow. */
  due: number;
  planned: number;
  sent: number;
  retriedLater: number;
  gaveUp: number;
  lapsed: number;
  /** In the hands of another run. */
  skipped: number;
  /** Still due at the end. */
  left: number;
  /** How often mail was not taken, by code and the server's number. */
  reasons: Record<string, number>;
  /** Mails that were given up. */
  items: MailItem[];
  itemsLeftOut: number;
}

const MOST_ITEMS = 200;

const COUNTER = {
  sent: "sent",
  "retried-later": "retriedLater",
  "gave-up": "gaveUp",
  lapsed: "lapsed",
  planned: "planned",
} as const satisfies Record<Exclude<MailOutcome, "left">, keyof DeliveryReport>;

export function emptyDeliveryReport(dryRun: boolean): DeliveryReport {
  return {
    dryRun,
    due: 0,
    planned: 0,
    sent: 0,
    retriedLater: 0,
    gaveUp: 0,
    lapsed: 0,
    skipped: 0,
    left: 0,
    reasons: {},
    items: [],
    itemsLeftOut: 0,
  };
}

export function countMail(
  report: DeliveryReport,
  { outcome, ...item }: MailItem & { outcome: MailOutcome },
): void {
  if (item.code !== "") report.reasons[item.code] = (report.reasons[item.code] ?? 0) + 1;
  if (outcome === "left") return;
  report[COUNTER[outcome]]++;
  if (outcome !== "gave-up") return;
  if (report.items.length < MOST_ITEMS) report.items.push(item);
  else report.itemsLeftOut++;
}

/** The number of due mails that this run has handled. */
export function handled(report: DeliveryReport): number {
  return report.planned + report.sent + report.retriedLater + report.gaveUp + report.lapsed;
}

/** The report as step outputs. */
export function deliveryOutputs(report: DeliveryReport): Record<string, number> {
  return {
    due: report.due,
    planned: report.planned,
    sent: report.sent,
    retried_later: report.retriedLater,
    gave_up: report.gaveUp,
    lapsed: report.lapsed,
    skipped: report.skipped,
    left: report.left,
  };
}

/** The report as tables. */
export function deliveryTables(report: DeliveryReport): SummaryTable[] {
  const will = report.dryRun ? "Would be " : "";
  const counts: [string, number][] = [
    ["Due", report.due],
    ...(report.dryRun
      ? ([["Would be sent", report.planned]] satisfies [string, number][])
      : ([["Sent", report.sent]] satisfies [string, number][])),
    ["Not taken, tried again later", report.retriedLater],
    [`${will}given up`, report.gaveUp],
    [`${will}not sent: too late, or reader not active`, report.lapsed],
    ["In the hands of another run", report.skipped],
    ["Still due", report.left],
  ];
  return [
    {
      title: "Mail",
      columns: ["", "Count"],
      rows: counts.map(([label, count]) => [label, String(count)]),
    },
    {
      title: "Why mail was not taken",
      columns: ["Reason", "Count"],
      rows: Object.entries(report.reasons).map(([code, count]) => [code, String(count)]),
    },
    {
      title: "Given up",
      columns: ["Mail", "Template", "Tries", "Reason"],
      rows: report.items.map(({ mailId, template, tries, code }) => [
        mailId,
        template,
        String(tries),
        code,
      ]),
      more: report.itemsLeftOut,
    },
  ];
}
