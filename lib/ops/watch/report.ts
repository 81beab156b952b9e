import { istMinute } from "../../support/calendar.ts";
import type { SummaryTable } from "../../support/summary-table.ts";
import { formatRupees } from "../../support/money.ts";
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

const KINDS: readonly [FaultKind, string][] = [
  ["missed", "missed"],
  ["never-succeeded", "never_succeeded"],
  ["failing", "failing"],
  ["skipped", "skipped"],
  ["lost", "lost"],
  ["stuck", "stuck"],
];

export function watchOutputs({
  watched,
  markedLost,
  faults,
  tax,
}: WatchReport): Record<string, number> {
  return {
    jobs: watched.length,
    ...Object.fromEntries(
      KINDS.map(([kind, name]) => [name, faults.filter((fault) => fault.kind === kind).length]),
    ),
    marked_lost: markedLost,
    tax_due_soon: tax.filter(({ isOverdue }) => !isOverdue).length,
    tax_overdue: tax.filter(({ isOverdue }) => isOverdue).length,
  };
}

export function watchTables({ faults, tax }: WatchReport): SummaryTable[] {
  return [
    {
      title: "Jobs to look at",
      columns: ["Job", "Fault", "Since (IST)", "Detail"],
      rows: faults.map(({ job, kind, since, detail }) => [
        job,
        kind,
        since === null ? "" : istMinute(since),
        detail,
      ]),
    },
    {
      title: "Tax to deposit",
      columns: ["Month", "Section", "Code", "Due", "of which not paid yet", "Deposit by", ""],
      rows: tax.map((due) => [
        due.month,
        due.section,
        due.code,
        formatRupees(due.duePaise),
        formatRupees(due.accruedPaise),
        due.dueOn,
        due.isOverdue ? "overdue" : due.daysLeft === 0 ? "today" : `${due.daysLeft} days left`,
      ]),
    },
  ];
}
