import { istMinute } from "../../support/calendar.ts";
import { itemsTable } from "../../support/run-report.ts";
import type { SummaryTable } from "../../support/summary-table.ts";
import type { Fault, FaultKind } from "./judge.ts";
import type { TaxDue } from "./tax-due.ts";

export interface WatchReport {
  /** The names of all jobs that were judged; a job that is in no earlier list is new. */
  watched: string[];
  /** Runs that this run marked as lost. */
  markedLost: number;
  faults: Fault[];
  /** Tax that is to be deposited soon, or should have been. */
  tax: TaxDue[];
}

/** The step output of each kind of fault. */
const OUTPUTS = {
  missed: "missed",
  "never-succeeded": "never_succeeded",
  failing: "failing",
  skipped: "skipped",
  lost: "lost",
  stuck: "stuck",
} as const satisfies Record<FaultKind, string>;

export function watchOutputs(report: WatchReport): Record<string, number> {
  const { watched, markedLost, faults, tax } = report;
  const countOf = (kind: string): number => faults.filter((fault) => fault.kind === kind).length;
  const overdue = tax.filter(({ isOverdue }) => isOverdue).length;
  return {
    jobs: watched.length,
    ...Object.fromEntries(Object.entries(OUTPUTS).map(([kind, name]) => [name, countOf(kind)])),
    marked_lost: markedLost,
    tax_due_soon: tax.length - overdue,
    tax_overdue: overdue,
  };
}

export function watchTables({ faults, tax }: WatchReport): SummaryTable[] {
  return [
    itemsTable(
      "Jobs to look at",
      {
        Job: "job",
        Fault: "kind",
        "Since (IST)": ({ since }) => (since === null ? "" : istMinute(since)),
        Detail: "detail",
      },
      faults,
    ),
    itemsTable(
      "Tax to deposit",
      {
        Month: "month",
        Section: "section",
        Code: "code",
        Due: "duePaise",
        "of which not paid yet": "accruedPaise",
        "Deposit by": "dueOn",
        "": ({ isOverdue, daysLeft }) =>
          isOverdue ? "overdue" : daysLeft === 0 ? "today" : `${daysLeft} days left`,
      },
      tax,
    ),
  ];
}
