import { defaultTaxPolicy } from "../../lib/tds/index.ts";
import { acquireLease, createPostgresLockStore, type HeldLease } from "../../lib/job/lock/index.ts";
import { reconcileLedger } from "../../lib/ledger/reconcile/reconcile-ledger.ts";
import { createPayoutBatch } from "../../lib/payouts/batch/create-batch.ts";
import { processPayouts } from "../../lib/payouts/pay/process-payouts.ts";
import { reconcilePayoutStatus } from "../../lib/payouts/reconcile/reconcile-status.ts";
import { handleStuckPayouts } from "../../lib/payouts/stuck/handle-stuck.ts";
import type { PayoutRunReport } from "../../lib/payouts/pay/index.ts";
import { minutes } from "../../lib/support/clock.ts";
import { noLease, type Lease } from "../../lib/support/lease.ts";
import { silentLog } from "../../lib/support/log.ts";
import { noProgress } from "../../lib/support/progress.ts";
import type { Verdict } from "../../lib/support/verdict.ts";
import { settingsFor } from "../support/payout-world.ts";
import { databaseOf, gatewayOf } from "./ports.ts";
import type { SimulatedProcess } from "./process.ts";
import { LEASE_MS } from "./trouble.ts";
import type { World } from "./world.ts";

export const JOBS = ["batch", "pay", "stuck", "reconcile", "ledger"] as const;
export type JobName = (typeof JOBS)[number];

export interface JobOptions {
  dryRun?: boolean;
  /** Without one, claims on the rows keep two runs apart. */
  locked?: boolean;
  /** Payouts that the pay run has in hand at once. */
  inHand?: number;
  limit?: number;
  caps?: SimulatedProcess["caps"];
}

export interface JobEnd {
  /** Undefined for a run that was not started, or that was killed. */
  verdict?: Verdict;
  pay?: PayoutRunReport;
  /** In words for the story. */
  said: string;
}

const BATCH = {
  minimumPaise: 50_000n,
  smallAfterDays: 0,
  autoApprovePaise: 1_000_000n,
  settlementDays: 0,
};
/** A payee who was not paid for weeks is owed more than the usual cap, which a person would raise. */
const UNCAPPED = { singlePaise: 10n ** 15n, runPaise: 10n ** 15n, runCount: 10_000 };
const GREATEST_FENCE = 2n ** 63n - 1n;

/** One run of a job, from taking the lock to giving it back, as the harness does it. */
export async function runJob(
  world: World,
  process: SimulatedProcess,
  job: JobName,
  options: JobOptions = {},
): Promise<JobEnd> {
  return underLock(world, process, { ...options, job }, (lease) =>
    core(world, process, job, { ...options, lease }),
  );
}

/** Takes the lock of a job, unless it runs dry or without one, and gives it back when the body is done. */
export async function underLock(
  world: World,
  process: SimulatedProcess,
  { job, dryRun = false, locked = true }: JobOptions & { job: string },
  body: (lease: Lease) => Promise<JobEnd>,
): Promise<JobEnd> {
  if (dryRun) return body({ ...noLease, fence: GREATEST_FENCE });
  if (!locked) return body(noLease);
  const lease = await takeLock(world, process, job);
  if (lease === undefined) return { said: "lock-held" };
  lease.lost.addEventListener("abort", () => process.stop.abort(), { once: true });
  try {
    return await body(lease);
  } finally {
    await world.scheduler.turn(process, () => lease.release());
  }
}

/** Undefined when another run holds it. The timers of a lease whose run was killed are ended by `retire`. */
async function takeLock(
  { arena, scheduler }: World,
  process: SimulatedProcess,
  job: string,
): Promise<HeldLease | undefined> {
  const store = createPostgresLockStore(arena.control);
  const request = {
    key: `simulation:${job}`,
    owner: `simulation:${process.runId}`,
    ttlMs: LEASE_MS,
  };
  const taken = await scheduler.turn(process, () =>
    acquireLease(
      {
        ...store,
        release: (held) => (process.dead ? Promise.resolve("not-held") : store.release(held)),
      },
      request,
      { clock: process.clock },
    ),
  );
  if (taken.kind === "held") return undefined;
  process.hasLease = true;
  process.onRetired(() => taken.lease.release());
  return taken.lease;
}

async function core(
  world: World,
  process: SimulatedProcess,
  job: JobName,
  { dryRun = false, inHand = 1, limit, caps, lease }: JobOptions & { lease: Lease },
): Promise<JobEnd> {
  const { arena } = world;
  process.caps = caps;
  const ports = {
    runId: process.runId,
    dryRun,
    limit,
    db: databaseOf(world, process, arena.sessions[dryRun ? "dry" : process.slot]),
    gateway: gatewayOf(world, process, arena.gateway[dryRun ? "dry" : "real"]),
    lease,
    clock: process.clock,
    log: silentLog(),
    progress: noProgress,
    signal: process.stop.signal,
  };
  switch (job) {
    case "batch": {
      const { verdict, report } = await createPayoutBatch({ ...ports, settings: BATCH });
      return { verdict, said: `${wordOf(verdict)}, ${report.created} created` };
    }
    case "pay": {
      const settings = settingsFor({ sandbox: arena.sandbox, caps: caps ?? UNCAPPED });
      const { verdict, report } = await processPayouts({
        ...ports,
        settings,
        gateway: { ...ports.gateway, requestsPerSecond: inHand },
      });
      const { found, succeeded, failed, unknown, skipped } = report;
      const said = `${wordOf(verdict)}, found ${found}: ${succeeded} succeeded, ${failed} failed, ${unknown} unknown, ${skipped} skipped`;
      return { verdict, pay: report, said };
    }
    case "stuck": {
      const settings = {
        waitMs: minutes(60),
        alarmMs: minutes(24 * 60),
        operators: undefined,
      };
      const { verdict, report } = await handleStuckPayouts({ ...ports, settings });
      const { found, settled, closed, conflicts } = report;
      return {
        verdict,
        said: `${wordOf(verdict)}, found ${found}: ${settled} settled, ${closed} closed, ${conflicts} conflicts`,
      };
    }
    case "reconcile": {
      const { verdict, report } = await reconcilePayoutStatus({
        ...ports,
        settings: { days: 14, fullDays: 400 },
      });
      const { settled, reversed, critical } = report;
      return {
        verdict,
        said: `${wordOf(verdict)}, ${settled} settled, ${reversed} reversed, ${critical} critical`,
      };
    }
    case "ledger": {
      const { verdict, report } = await reconcileLedger({
        ...ports,
        settings: { tax: defaultTaxPolicy },
      });
      return { verdict, said: `${wordOf(verdict)}, ${report.drifts} drifts` };
    }
  }
}

/** A verdict in a word or two. */
export function wordOf(verdict: Verdict): string {
  switch (verdict.kind) {
    case "completed":
      return verdict.warning === undefined ? "completed" : "completed with a warning";
    case "partial":
      return `partial ${verdict.reason}`;
    case "failed":
      return `failed ${verdict.code}`;
    case "broken":
    case "interrupted":
      return verdict.kind;
  }
}
