import { istMinute } from "../../support/calendar.ts";
import type { SummaryTable } from "../../support/summary-table.ts";
import type { Fault, FaultKind } from "./judge.ts";

export interface WatchReport {
  /** The names of all jobs that were judged; a job that is in no earlier list is new. */
  watched: string[];
  /** Runs that this run marked as lost. */
  markedLost: number;
  faults: Fault[];
}

const KINDS: readonly [FaultKind, string][] = [
  ["missed", "missed"],
  ["never-succeeded", "never_succeeded"],
  ["failing", "failing"],
  ["skipped", "skipped"],
  ["lost", "lost"],
  ["stuck", "stuck"],
];

export function watchOutputs({ watched, markedLost, faults }: WatchReport): Record<string, number> {
  return {
    jobs: watched.length,
    ...Object.fromEntries(
      KINDS.map(([kind, name]) => [name, faults.filter((fault) => fault.kind === kind).length]),
    ),
    marked_lost: markedLost,
  };
}

export function watchTables({ faults }: WatchReport): SummaryTable[] {
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
  ];
}
