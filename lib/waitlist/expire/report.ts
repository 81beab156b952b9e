import { deliveredAfterOutputs, type DeliveredAfter } from "../../notifications/index.ts";
import { keepItem, mostUrgentFirst } from "../../support/kept-items.ts";
import type { SummaryTable } from "../../support/summary-table.ts";

/** The result of one due plan. */
export type PlanOutcome =
  /** Its offers are ended and its seats offered; in a dry run, would be. */
  | "advanced"
  /** No offer was made: another session was faster, or no waiting person can be offered a seat. */
  | "unchanged"
  /** Another session holds its rows: left to the next run. */
  | "locked"
  /** The database did not take the change. */
  | "failed";

export interface PlanItem {
  planId: string;
  outcome: PlanOutcome;
  expired: number;
  offered: number;
}

/** found = advanced + unchanged + locked + failed, unless the run was stopped. All of these are plans. */
export interface ExpireReport extends DeliveredAfter {
  dryRun: boolean;
  found: number;
  advanced: number;
  unchanged: number;
  locked: number;
  failed: number;
  /** Offers that have ended. */
  expired: number;
  /** Seats that were offered to somebody. */
  offered: number;
  items: PlanItem[];
  /** Items beyond the first 1,000 are counted, not kept. */
  itemsLeftOut: number;
}

export function emptyExpireReport(dryRun: boolean): ExpireReport {
  return {
    dryRun,
    found: 0,
    advanced: 0,
    unchanged: 0,
    locked: 0,
    failed: 0,
    expired: 0,
    offered: 0,
    mailsSent: 0,
    mailsLeft: null,
    items: [],
    itemsLeftOut: 0,
  };
}

export function countPlan(report: ExpireReport, item: PlanItem): void {
  report[item.outcome]++;
  report.expired += item.expired;
  report.offered += item.offered;
  keepItem(report, item, { rank: urgency });
}

function urgency({ outcome }: PlanItem): number {
  if (outcome === "failed") return 0;
  return outcome === "locked" ? 1 : 2;
}

/** The report as step outputs. */
export function expireOutputs(report: ExpireReport): Record<string, number | string> {
  const { found, advanced, unchanged, locked, failed, expired, offered } = report;
  return {
    found,
    advanced,
    unchanged,
    locked,
    failed,
    expired,
    offered,
    ...deliveredAfterOutputs(report),
  };
}

/** The report as the tables that a person reads. */
export function expireTables(report: ExpireReport): SummaryTable[] {
  const will = report.dryRun ? "Would be " : "";
  const counts: [string, number][] = [
    ["Plans due", report.found],
    [`${will}moved on`, report.advanced],
    ["Nobody to tell any more", report.unchanged],
    ["Locked by another session, left", report.locked],
    ["Failed", report.failed],
    [`Offers ${will.toLowerCase()}ended`, report.expired],
    [`Seats ${will.toLowerCase()}offered`, report.offered],
    ["Mails sent, whoever wrote them", report.mailsSent],
  ];
  const leftAsTheyWere = mostUrgentFirst(
    report.items.filter(({ outcome }) => outcome === "locked" || outcome === "failed"),
    urgency,
  );
  return [
    {
      title: "Waitlists",
      columns: ["", "Count"],
      rows: counts.map(([label, count]) => [label, String(count)]),
    },
    {
      title: "Plans left as they were",
      columns: ["Plan", "Outcome"],
      rows: leftAsTheyWere.map(({ planId, outcome }) => [planId, outcome]),
      more: report.locked + report.failed - leftAsTheyWere.length,
    },
  ];
}
