import { randomUUID } from "node:crypto";
import { createPrisma } from "../../lib/db/prisma.ts";
import { handleStuckPayouts } from "../../lib/payouts/stuck/handle-stuck.ts";
import type { StuckReport } from "../../lib/payouts/index.ts";
import { openGateway } from "../../lib/razorpay/open-gateway.ts";
import { minutes, systemClock } from "../../lib/support/clock.ts";
import { noLease } from "../../lib/support/lease.ts";
import { silentLog } from "../../lib/support/log.ts";
import { noProgress } from "../../lib/support/progress.ts";
import type { Verdict } from "../../lib/support/verdict.ts";
import { settingsFor, type RunOptions } from "./payout-world.ts";

/** One run of handle-stuck-payouts in this process, as the job makes it. */
export async function runStuck(
  options: Pick<
    RunOptions,
    "database" | "sandbox" | "dryRun" | "limit" | "lease" | "signal" | "razorpayX" | "wrapGateway"
  >,
): Promise<{ runId: string; verdict: Verdict; report: StuckReport }> {
  const { dryRun = false, lease = noLease } = options;
  const runId = randomUUID();
  const log = silentLog();
  const { razorpayX } = settingsFor(options);
  const gateway = openGateway(razorpayX, { clock: systemClock, random: () => 0, log, dryRun });
  const db = createPrisma({
    url: options.database.url,
    applicationName: "stuck run under test",
    readOnly: dryRun,
    connections: 1,
  });
  try {
    const result = await handleStuckPayouts({
      runId,
      dryRun,
      limit: options.limit,
      settings: { razorpayX, waitMs: minutes(60), alarmMs: minutes(24 * 60) },
      db,
      gateway: options.wrapGateway?.(gateway) ?? gateway,
      lease,
      clock: systemClock,
      log,
      progress: noProgress,
      signal: options.signal ?? new AbortController().signal,
    });
    return { runId, ...result };
  } finally {
    await db.$disconnect();
  }
}
