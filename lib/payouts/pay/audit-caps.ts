import { recordAudit } from "../../audit/audit-log.ts";
import { change } from "../../audit/masked.ts";
import { inTransaction, type Db } from "../../db/client.ts";
import { defaultCaps, type PayoutSettings } from "./settings.ts";

const JOB = "payouts/process-payouts";

/**
 * Records that the caps differ from those of the run before, with the run that saw them. A person who may set
 * variables can raise the caps, and no other record would show that. The caps of the first run are compared with
 * the defaults.
 */
export async function auditCaps(
  db: Db,
  { runId, settings: { caps, startedBy } }: { runId: string; settings: PayoutSettings },
): Promise<void> {
  const after = asText(caps);
  await inTransaction(db, async (tx) => {
    const [last] = await tx.query<{ after: Record<string, string> }[]>`
      SELECT detail -> 'after' AS after FROM audit_log
      WHERE subject_type = 'job' AND subject_id = ${JOB} AND category = 'caps'
      ORDER BY id DESC LIMIT 1`;
    const before = last?.after ?? asText(defaultCaps());
    const names = Object.keys(after) as (keyof typeof after)[];
    if (names.every((name) => before[name] === after[name])) return;
    await recordAudit(tx, {
      actor: `job:${JOB}`,
      category: "caps",
      action: "changed",
      subjectType: "job",
      subjectId: JOB,
      reason: null,
      detail: { runId, startedBy: startedBy ?? null, ...change(before, after) },
    });
  });
}

/** As the log keeps it. */
function asText({ singlePaise, runPaise, runCount }: PayoutSettings["caps"]): {
  singlePaise: string;
  runPaise: string;
  runCount: string;
} {
  return {
    singlePaise: singlePaise.toString(),
    runPaise: runPaise.toString(),
    runCount: runCount.toString(),
  };
}
