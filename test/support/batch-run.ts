import { randomUUID } from "node:crypto";
import { openDatabase } from "../../lib/db/client.ts";
import { createPayoutBatch, type BatchPorts } from "../../lib/payouts/batch/create-batch.ts";
import { noLease } from "../../lib/support/lease.ts";
import { silentLog } from "../../lib/support/log.ts";
import { noProgress } from "../../lib/support/progress.ts";
import type { CoreResult } from "../../lib/support/verdict.ts";
import type { TestDatabase } from "./database.ts";
import type { BatchReport } from "../../lib/payouts/batch/index.ts";

/** One batch in this process, as the job makes it: a minimum of ₹1, and everything is approved. */
export async function runBatch(
  database: Pick<TestDatabase, "url">,
  ports: Partial<BatchPorts> = {},
): Promise<CoreResult<BatchReport>> {
  const db = openDatabase({
    url: database.url,
    applicationName: "batch under test",
    readOnly: ports.dryRun ?? false,
    connections: 1,
  });
  try {
    return await createPayoutBatch({
      runId: randomUUID(),
      dryRun: false,
      limit: undefined,
      settings: {
        minimumPaise: 100n,
        smallAfterDays: 0,
        autoApprovePaise: 1_00_00_000_00n,
        settlementDays: 0,
      },
      db,
      lease: noLease,
      log: silentLog(),
      progress: noProgress,
      signal: new AbortController().signal,
      ...ports,
    });
  } finally {
    await db.close();
  }
}
