import { randomUUID } from "node:crypto";
import { openDatabase } from "../../lib/db/client.ts";
import type { PayoutPorts } from "../../lib/payouts/pay/ports.ts";
import { openGateway } from "../../lib/razorpay/open-gateway.ts";
import { systemClock } from "../../lib/support/clock.ts";
import { noLease } from "../../lib/support/lease.ts";
import { silentLog } from "../../lib/support/log.ts";
import { noProgress } from "../../lib/support/progress.ts";
import { settingsFor, type RunOptions } from "./payout-world.ts";

export type ProviderRunOptions = Pick<
  RunOptions,
  "database" | "sandbox" | "dryRun" | "limit" | "lease" | "signal" | "razorpayX" | "wrapGateway"
>;

export type ProviderRunPorts = Omit<PayoutPorts, "settings">;

/** The ports of a job that asks the provider, in this process: one session, read-only in a dry run. */
export async function withProviderPorts<T>(
  options: ProviderRunOptions,
  applicationName: string,
  run: (ports: ProviderRunPorts) => Promise<T>,
): Promise<T & { runId: string }> {
  const { dryRun = false, lease = noLease } = options;
  const runId = randomUUID();
  const log = silentLog();
  const { razorpayX } = settingsFor(options);
  const gateway = openGateway(razorpayX, { clock: systemClock, random: () => 0, log, dryRun });
  const db = openDatabase({
    url: options.database.url,
    applicationName,
    readOnly: dryRun,
    connections: 1,
  });
  try {
    const result = await run({
      runId,
      dryRun,
      limit: options.limit,
      db,
      gateway: options.wrapGateway?.(gateway) ?? gateway,
      lease,
      clock: systemClock,
      log,
      progress: noProgress,
      signal: options.signal ?? new AbortController().signal,
    });
    return { ...result, runId };
  } finally {
    await db.close();
  }
}
