import { randomUUID } from "node:crypto";
import type { Sandbox } from "../../scripts/sandbox/razorpay/index.ts";
import { openDatabase, type Db } from "../../lib/db/client.ts";
import { cleanupTentativeSlots } from "../../lib/checkouts/cleanup/cleanup-tentative-slots.ts";
import type {
  CancelReason,
  CancelReport,
  CleanupReport,
  LateReport,
} from "../../lib/checkouts/index.ts";
import { cancelPending } from "../../lib/checkouts/cancel/cancel-pending.ts";
import { reconcileLateCaptures } from "../../lib/checkouts/late/reconcile-late-captures.ts";
import { processRefunds } from "../../lib/refunds/process-refunds.ts";
import { openPayments } from "../../lib/razorpay/open-payments.ts";
import { minutes, systemClock } from "../../lib/support/clock.ts";
import { noLease, type Lease } from "../../lib/support/lease.ts";
import { silentLog } from "../../lib/support/log.ts";
import { noProgress } from "../../lib/support/progress.ts";
import type { CoreResult } from "../../lib/support/verdict.ts";
import { DAY_MS } from "./checkout-world.ts";
import type { TestDatabase } from "./database.ts";
import type { PaymentProvider } from "../../lib/provider/index.ts";

export interface CheckoutRun {
  database: Pick<TestDatabase, "url">;
  sandbox: Pick<Sandbox, "env">;
  dryRun?: boolean;
  limit?: number;
  lease?: Lease;
  signal?: AbortSignal;
  wrapGateway?: (gateway: PaymentProvider) => PaymentProvider;
}

const REFUND_RULES = {
  waitMs: minutes(60),
  unknownAlarmMs: DAY_MS,
  pendingAlarmMs: 10 * DAY_MS,
};
const RULES = {
  offerMs: DAY_MS,
  untouchedMs: DAY_MS,
  endsBeforeMs: minutes(180),
  alarmMs: 3 * DAY_MS,
};

/** One run of cleanup-tentative-slots in this process, as the job makes it. */
export function runCleanup(run: CheckoutRun): Promise<CoreResult<CleanupReport>> {
  return withPorts(run, (ports) => cleanupTentativeSlots({ ...ports, settings: RULES }));
}

/** One run of cancel-pending in this process, as the job makes it. */
export function runCancel(
  run: CheckoutRun,
  target: { paymentId: string; userId: string; because?: CancelReason },
): Promise<CoreResult<CancelReport>> {
  return withPorts(run, (ports) => cancelPending({ ...ports, settings: RULES }, target));
}

/** One run of reconcile-late-captures in this process, as the job makes it. */
export function runLate(run: CheckoutRun): Promise<CoreResult<LateReport>> {
  const settings = {
    ...RULES,
    openMs: minutes(15),
    lookBackMs: 7 * DAY_MS,
    askAgainMs: minutes(25),
    refunds: REFUND_RULES,
  };
  return withPorts(run, (ports) => reconcileLateCaptures({ ...ports, settings }));
}

/** Follows refunds that the provider has, as process-refunds does. */
export function followRefunds(run: CheckoutRun): Promise<unknown> {
  return withPorts(run, (ports) =>
    processRefunds({ ...ports, payments: ports.gateway, settings: REFUND_RULES }),
  );
}

/** The ports of jobs that settle checkouts: one session, read-only in a dry run. */
export async function withPorts<T>(
  run: CheckoutRun,
  body: (ports: {
    runId: string;
    dryRun: boolean;
    limit: number | undefined;
    db: Db;
    gateway: PaymentProvider;
    lease: Lease;
    clock: typeof systemClock;
    random: () => number;
    log: ReturnType<typeof silentLog>;
    progress: typeof noProgress;
    signal: AbortSignal;
  }) => Promise<T>,
): Promise<T> {
  const { database, sandbox, dryRun = false, limit, lease = noLease } = run;
  const log = silentLog();
  const gateway = openPayments(
    {
      baseUrl: sandbox.env.RAZORPAY_BASE_URL,
      keyId: sandbox.env.RAZORPAY_KEY_ID,
      keySecret: sandbox.env.RAZORPAY_KEY_SECRET,
      timeoutMs: 5_000,
      requestsPerSecond: 100,
    },
    { clock: systemClock, random: () => 0, log, dryRun },
  );
  const db = openDatabase({
    url: database.url,
    applicationName: "checkout run under test",
    readOnly: dryRun,
    connections: 1,
  });
  try {
    return await body({
      runId: randomUUID(),
      dryRun,
      limit,
      db,
      gateway: run.wrapGateway?.(gateway) ?? gateway,
      lease,
      clock: systemClock,
      random: Math.random,
      log,
      progress: noProgress,
      signal: run.signal ?? new AbortController().signal,
    });
  } finally {
    await db.close();
  }
}
