import type { SummaryTable } from "../../support/summary-table.ts";

/** The kinds of rows that may be deleted, and their names in the summary. */
const LABELS = {
  runs: "Run records",
  mails: "Mails sent or lapsed",
  findings: "Resolved findings",
};

export type Prunable = keyof typeof LABELS;

export const PRUNABLES = Object.keys(LABELS) as readonly Prunable[];

export interface PruneReport {
  dryRun: boolean;
  /** Rows that were deleted; in a dry run, that would be. */
  pruned: Record<Prunable, number>;
  /** Rows past their limit that are left: locked by another session, or beyond the limit of one run. */
  left: Record<Prunable, number>;
}

export function emptyPruneReport(dryRun: boolean): PruneReport {
  const none = { runs: 0, mails: 0, findings: 0 };
  return { dryRun, pruned: { ...none }, left: { ...none } };
}

export function pruneOutputs({ pruned, left }: PruneReport): Record<string, number> {
  return {
    ...Object.fromEntries(PRUNABLES.map((what) => [`${what}_pruned`, pruned[what]])),
    left: PRUNABLES.reduce((sum, what) => sum + left[what], 0),
  };
}

export function pruneTables({ dryRun, pruned, left }: PruneReport): SummaryTable[] {
  return [
    {
      title: "Rows past their limit",
      columns: ["What", dryRun ? "Would be deleted" : "Deleted", "Left"],
      rows: PRUNABLES.map((what) => [LABELS[what], String(pruned[what]), String(left[what])]),
    },
  ];
}
