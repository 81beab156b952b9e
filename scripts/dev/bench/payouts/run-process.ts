import { readFileSync } from "node:fs";
import { openDatabase } from "../../../../lib/db/client.ts";
import { processPayouts } from "../../../../lib/payouts/pay/process-payouts.ts";
import { openGateway } from "../../../../lib/razorpay/open-gateway.ts";
import { systemClock } from "../../../../lib/support/clock.ts";
import { noLease } from "../../../../lib/support/lease.ts";
import { silentLog } from "../../../../lib/support/log.ts";
import { noProgress } from "../../../../lib/support/progress.ts";
import { newUuid, systemRandom } from "../../../../lib/support/random.ts";
import { defaultTaxPolicy } from "../../../../lib/tds/index.ts";
import { runBare } from "./bare.ts";
import { openPlainClient } from "./plain-client.ts";
import { runPlain } from "./plain.ts";
import type { RunAnswer, RunRequest } from "./run.ts";

/** No cap is met, and no payout waits for a turn. */
const NO_LIMIT = Number.POSITIVE_INFINITY;
const NO_CAP = 10n ** 17n;

process.once("message", (request: RunRequest) => {
  void run(request).then((answer) => process.send?.(answer, () => process.disconnect()));
});

async function run(request: RunRequest): Promise<RunAnswer> {
  const { url, env, most, way, requestsPerSecond = NO_LIMIT } = request;
  const runId = newUuid();
  const settings = {
    razorpayX: {
      keyId: env["RAZORPAYX_KEY_ID"] ?? "",
      keySecret: env["RAZORPAYX_KEY_SECRET"] ?? "",
      accountNumber: env["RAZORPAYX_ACCOUNT_NUMBER"] ?? "",
      baseUrl: env["RAZORPAY_BASE_URL"] ?? "",
      timeoutMs: 30_000,
      requestsPerSecond,
    },
    caps: { singlePaise: NO_CAP, runPaise: NO_CAP, runCount: NO_LIMIT },
    tax: defaultTaxPolicy,
    narration: "Consultant payout",
    whenShort: "pay-oldest-first" as const,
  };
  const log = silentLog();
  const db = openDatabase({ url, applicationName: "bench", readOnly: false, connections: 1 });
  const ports = { clock: systemClock, random: systemRandom, log, dryRun: false };
  const gateway = openGateway(settings.razorpayX, ports);
  await db.query`SELECT 1`;
  const from = process.cpuUsage();
  const startedMs = performance.now();
  const completed = await {
    bare: () => runBare(url, { most }),
    plain: async () => {
      const client = await openPlainClient(url);
      try {
        return await runPlain({ db: client, gateway, runId, most });
      } finally {
        await client.$disconnect();
      }
    },
    pipeline: async () => {
      const { verdict, report } = await processPayouts({
        runId,
        dryRun: false,
        limit: undefined,
        settings,
        db,
        gateway,
        lease: noLease,
        clock: systemClock,
        log,
        progress: noProgress,
        signal: new AbortController().signal,
      });
      if (verdict.kind !== "completed") throw new Error(JSON.stringify(verdict));
      return report.completed;
    },
  }[way]();
  const ms = performance.now() - startedMs;
  const { user, system } = process.cpuUsage(from);
  await db.close();
  return {
    completed,
    ms,
    cpuMs: (user + system) / 1000,
    peakBytes: peakBytes(),
  };
}

/** Of this program alone: `resourceUsage` includes the memory of the process that forked it. */
function peakBytes(): number {
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
  return Number(kilobytes) * 1024;
}
