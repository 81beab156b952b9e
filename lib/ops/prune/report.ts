import type { SummaryTable } from "../../support/summary-table.ts";

/** The kinds of rows that may be deleted. */
export type Prunable = "runs" | "mails" | "findings";

export const PRUNABLES: readonly Prunable[] = ["runs", "mails", "findings"];

export interface PruneReport {
  dryRun: boolean;
  /** Rows that were deleted; in a dry run, that would be. */
  pruned: Record<Prunable, number>;
  /** Rows past their limit that are left: locked by another session, or beyond the limit of one run. */
  left: Record<Prunable, number>;
}

export function emptyPruneReport(dryRun: boolean): PruneReport {
  return {
    dryRun,
    pruned: { runs: 0, mails: 0, findings: 0 },
    left: { runs: 0, mails: 0, findings: 0 },
  };
}

export function pruneOutputs({ pruned, left }: PruneReport): Record<string, number> {
  return {
    runs_pruned: pruned.runs,
    mails_pruned: pruned.mails,
    findings_pruned: pruned.findings,
    left: left.runs + left.mails + left.findings,
  };
}

const LABELS: Record<Prunable, string> = {
  runs: "Run records",
  mails: "Mails sent or lapsed",
  findings: "Resolved findings",
};

export function pruneTables({ dryRun, pruned, left }: PruneReport): SummaryTable[] {
  return [
    {
      title: "Rows past their limit",
      columns: ["What", dryRun ? "Would be deleted" : "Deleted", "Left"],
      rows: PRUNABLES.map((what) => [LABELS[what], String(pruned[what]), String(left[what])]),
    },
  ];
}
