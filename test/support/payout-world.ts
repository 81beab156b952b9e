import { randomUUID } from "node:crypto";
import type { Sandbox } from "../../scripts/sandbox/razorpay/index.ts";
import { openDatabase } from "../../lib/db/client.ts";
import type { PayoutCaps, PayoutRunReport, PayoutSettings } from "../../lib/payouts/pay/index.ts";
import { processPayouts } from "../../lib/payouts/pay/process-payouts.ts";
import type { RazorpayXSettings } from "../../lib/razorpay/index.ts";
import { openGateway } from "../../lib/razorpay/open-gateway.ts";
import { systemClock } from "../../lib/support/clock.ts";
import { noLease, type Lease } from "../../lib/support/lease.ts";
import { silentLog, type Log } from "../../lib/support/log.ts";
import { noProgress } from "../../lib/support/progress.ts";
import type { Verdict } from "../../lib/support/verdict.ts";
import { defaultTaxPolicy, type TaxPolicy } from "../../lib/tds/index.ts";
import type { TestDatabase } from "./database.ts";
import type { PayoutProvider } from "../../lib/provider/index.ts";

export { checkMoneyInvariants } from "./money-invariants.ts";
export * from "./payout-seed.ts";

export interface RunOptions {
  database: Pick<TestDatabase, "url" | "rowWait">;
  sandbox: Pick<Sandbox, "env">;
  caps?: Partial<PayoutCaps>;
  whenShort?: PayoutSettings["whenShort"];
  tax?: Partial<TaxPolicy>;
  razorpayX?: Partial<RazorpayXSettings>;
  dryRun?: boolean;
  limit?: number;
  lease?: Lease;
  signal?: AbortSignal;
  runId?: string;
  log?: Log;
  /** A database that is silent for so long is taken for lost. Default: as the job has it. */
  silenceMs?: number;
  /** How long a statement waits for the run's one session. Default: as the job has it. */
  sessionWaitMs?: number;
  /** The most payouts that run at once. Default: the job's own. */
  inHand?: number;
  /** Wraps the provider's client for the run. */
  wrapGateway?: (gateway: PayoutProvider) => PayoutProvider;
}

export interface RunResult {
  runId: string;
  verdict: Verdict;
  report: PayoutRunReport;
}

/** Shown in `pg_stat_activity` for the session of `runPayouts`. */
export const RUN_APPLICATION_NAME = "payout run under test";

/**
 * One payout run in this process, as the job makes it: one database session, read-only in a dry run.
 * A call times out after 1.5 s, up to 1,000 are sent a second, and waits between repeats are zero.
 */
export async function runPayouts(options: RunOptions): Promise<RunResult> {
  const { database, dryRun = false, lease = noLease, log = silentLog() } = options;
  const runId = options.runId ?? randomUUID();
  const settings = settingsFor(options);
  const ports = { clock: systemClock, random: () => 0, log, dryRun };
  const gateway = { ...openGateway(settings.razorpayX, ports), ...turnsOf(options) };
  const db = openDatabase({
    url: database.url,
    applicationName: RUN_APPLICATION_NAME,
    readOnly: dryRun,
    connections: 1,
    ...(database.rowWait === undefined ? {} : { rowWait: database.rowWait }),
    ...(options.silenceMs === undefined ? {} : { silenceMs: options.silenceMs }),
    ...(options.sessionWaitMs === undefined ? {} : { sessionWaitMs: options.sessionWaitMs }),
  });
  try {
    const { verdict, report } = await processPayouts({
      runId,
      dryRun,
      limit: options.limit,
      settings,
      db,
      gateway: options.wrapGateway?.(gateway) ?? gateway,
      lease,
      clock: systemClock,
      log,
      progress: noProgress,
      signal: options.signal ?? new AbortController().signal,
    });
    return { runId, verdict, report };
  } finally {
    await db.close();
  }
}

/** A run has no more payouts at once than it may send in a second; the client keeps its own limit. */
function turnsOf({ inHand }: RunOptions): { requestsPerSecond?: number } {
  return inHand === undefined ? {} : { requestsPerSecond: inHand };
}

/** The settings of `runPayouts`, and those of the provider's client. */
export function settingsFor(
  options: Pick<RunOptions, "sandbox" | "caps" | "tax" | "razorpayX" | "whenShort">,
): PayoutSettings & { razorpayX: RazorpayXSettings } {
  const { env } = options.sandbox;
  return {
    razorpayX: {
      keyId: env.RAZORPAYX_KEY_ID,
      keySecret: env.RAZORPAYX_KEY_SECRET,
      accountNumber: env.RAZORPAYX_ACCOUNT_NUMBER,
      baseUrl: env.RAZORPAY_BASE_URL,
      timeoutMs: 1500,
      requestsPerSecond: 1000,
      ...options.razorpayX,
    },
    caps: {
      singlePaise: 10_00_000_00n,
      runPaise: 5_00_00_000_00n,
      runCount: 10_000,
      ...options.caps,
    },
    tax: { ...defaultTaxPolicy, ...options.tax },
    narration: "Consultant payout",
    whenShort: options.whenShort ?? "pay-oldest-first",
  };
}

/** The real job file, to be run as a process of its own: `runScript(PAYOUT_JOB, { env: jobEnv(…) })`. */
export const PAYOUT_JOB = "jobs/payouts/process-payouts.ts";

/**
 * The environment for `PAYOUT_JOB`. Locks of one database are apart from those of another, also where
 * they share one Redis. With `lockStore: "redis"` its URL is needed.
 */
export function jobEnv(options: {
  database: Pick<TestDatabase, "url" | "environment">;
  sandbox: Pick<Sandbox, "env">;
  lockStore: "postgres" | "redis" | "off";
  redisUrl?: string;
}): Record<string, string> {
  const { database, sandbox, lockStore, redisUrl } = options;
  return {
    DATABASE_URL: database.url,
    LOCK_STORE: lockStore,
    AFTERHOURS_ENV: database.environment,
    RAZORPAY_TIMEOUT_MS: "5000",
    RAZORPAY_REQUESTS_PER_SECOND: "100",
    ...(redisUrl === undefined ? {} : { REDIS_URL: redisUrl }),
    ...sandbox.env,
  };
}
