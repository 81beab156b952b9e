import type { Db } from "../../db/client.ts";
import type { RunContext } from "../../support/run-context.ts";
import type { CoreResult } from "../../support/verdict.ts";
import { emptyPruneReport, PRUNABLES, type Prunable, type PruneReport } from "./report.ts";
import { countPrunable, deletePrunable } from "./rows.ts";
import type { RetentionSettings } from "./settings.ts";

/** `limit` counts rows of all kinds. */
export interface PrunePorts extends Pick<
  RunContext<RetentionSettings>,
  "dryRun" | "limit" | "settings" | "lease" | "progress" | "signal"
> {
  readonly db: Db;
}

/** Rows that one statement deletes: short enough that nobody waits for it. */
const BATCH = 1000;
/** Rows that one run deletes at most; an installation that has never pruned takes some days. */
const MOST = 200_000;

/**
 * Deletes rows past their limit, in batches that each are a transaction: see docs/jobs/prune.md. A killed run
 * has deleted whole batches, and the next one continues.
 */
export async function prune(ports: PrunePorts): Promise<CoreResult<PruneReport>> {
  const { db, dryRun, limit, progress, settings } = ports;
  const report = emptyPruneReport(dryRun);
  let budget = Math.min(limit ?? MOST, MOST);
  try {
    for (const what of PRUNABLES) {
      const past = await countPrunable(db, { what, settings });
      const planned = Math.min(past, budget);
      if (dryRun) report.pruned[what] = planned;
      else {
        for await (const deleted of batches(ports, { what, count: planned })) {
          report.pruned[what] += deleted;
          progress.update(report.pruned[what], planned);
        }
        if (ports.signal.aborted) return { verdict: { kind: "interrupted" }, report };
      }
      report.left[what] = Math.max(0, past - report.pruned[what]);
      budget -= report.pruned[what];
    }
  } catch (error) {
    return { verdict: { kind: "broken", error }, report };
  }
  return { verdict: { kind: "completed" }, report };
}

async function* batches(
  { db, lease, settings, signal }: PrunePorts,
  { what, count }: { what: Prunable; count: number },
): AsyncGenerator<number> {
  for (let open = count; open > 0 && !signal.aborted;) {
    lease.assertTrusted();
    const deleted = await deletePrunable(db, { what, settings, count: Math.min(BATCH, open) });
    if (deleted === 0) return;
    yield deleted;
    open -= deleted;
  }
}
