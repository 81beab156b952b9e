import { deliveredAfterOutputs, type DeliveredAfter } from "../../notifications/index.ts";
import { keepItem, type KeptItems } from "../../support/kept-items.ts";
import {
  keptTable,
  reportCounters,
  WENT_WELL,
  would,
  type CountedBy,
  type OutcomeOf,
} from "../../support/run-report.ts";
import type { SummaryTable } from "../../support/summary-table.ts";

/** found = advanced + unchanged + locked + failed, unless the run was stopped. All of these are plans. */
const counters = reportCounters({
  found: { label: "Plans due" },
  /** Its offers are ended and its seats offered; in a dry run, would be. */
  advanced: { label: would("moved on"), outcome: "advanced", rank: WENT_WELL },
  /** No offer was made: another session was faster, or no waiting person can be offered a seat. */
  unchanged: { label: "Nobody to tell any more", outcome: "unchanged", rank: WENT_WELL },
  /** Another session holds its rows: left to the next run. */
  locked: { label: "Locked by another session, left", outcome: "locked", rank: 1 },
  /** The database did not take the change. */
  failed: { label: "Failed", outcome: "failed" },
  /** Offers that have ended. */
  expired: { label: { run: "Offers ended", dryRun: "Offers would be ended" } },
  /** Offers that have ended and of which no mail went out: the person is passed over, and not written to. */
  unreached: { label: would("passed over, no mail went out") },
  /** Seats that were offered to somebody. */
  offered: { label: { run: "Seats offered", dryRun: "Seats would be offered" } },
  /** Offers whose mail had not gone out when the run began. Their time has not begun. */
  unsent: { label: "Offers of before, mail not sent yet" },
});

export type PlanOutcome = OutcomeOf<typeof counters>;

export interface PlanItem {
  planId: string;
  outcome: PlanOutcome;
  expired: number;
  unreached: number;
  offered: number;
}

export interface ExpireReport
  extends CountedBy<typeof counters>, KeptItems<PlanItem>, DeliveredAfter {}

export function emptyExpireReport(dryRun: boolean): ExpireReport {
  return { ...counters.empty(dryRun), mailsSent: 0, mailsLeft: null, items: [], itemsLeftOut: 0 };
}

export function countPlan(report: ExpireReport, item: PlanItem): void {
  counters.count(report, item.outcome);
  report.expired += item.expired;
  report.unreached += item.unreached;
  report.offered += item.offered;
  keepItem(report, item, { rank: counters.rank });
}

export function expireOutputs(report: ExpireReport): Record<string, number | string> {
  return { ...counters.outputs(report), ...deliveredAfterOutputs(report) };
}

export function expireTables(report: ExpireReport): SummaryTable[] {
  const mails = ["Mails sent, whoever wrote them", String(report.mailsSent)];
  return [
    { title: "Waitlists", columns: ["", "Count"], rows: [...counters.rows(report), mails] },
    keptTable(
      "Plans left as they were",
      { Plan: "planId", Outcome: "outcome" },
      { report, rank: counters.rank, total: report.locked + report.failed },
    ),
  ];
}
