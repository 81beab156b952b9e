import type pg from "pg";
import { minutes, systemClock } from "../support/clock.ts";
import { AfterhoursError, toError } from "../support/errors.ts";
import { noLease, type Lease } from "../support/lease.ts";
import type { HarnessSettings } from "./environment.ts";
import {
  acquireLease,
  createPostgresLockStore,
  lockKey,
  LockUnavailableError,
  type LockStore,
} from "./lock/index.ts";
import type { Outcome } from "./outcome.ts";
import type { Run } from "./run.ts";
import type { StopSignal } from "./signals.ts";
import { isMissingSchema, isPermissionDenied } from "../db/sqlstate.ts";

/** The lock of a run that may proceed. */
interface TakenLock {
  lease: Lease;
  /** Asks once more whether it is held; the stop signal fires if it is not. */
  confirm: () => Promise<void>;
}

const unlocked: TakenLock = { lease: noLease, confirm: () => Promise.resolve() };

/**
 * Takes the job's lock, or says how the run ends without it. A lease that is lost later fires the stop
 * signal.
 *
 * @throws {LockUnavailableError} when the store gives no answer and the job fails closed
 */
export async function takeLock<S, R>(
  run: Run<S, R>,
  control: pg.Pool,
  { harness, stop }: { harness: HarnessSettings; stop: StopSignal },
): Promise<TakenLock | { outcome: Outcome }> {
  const { job, log } = run;
  const { lock } = job;
  if (lock === "none") return unlocked;
  if (harness.lockStore === "off") {
    log.warn("the lock is switched off; claims on the rows keep two runs apart");
    return unlocked;
  }
  const store = await openLockStore(harness, control, stop.givenUp.settling);
  const request = {
    key: lockKey({ environment: harness.environmentName, job: job.name }),
    owner: run.owner,
    ttlMs: lock.ttlMs,
  };
  try {
    const result = await acquireLease(store, request, {
      clock: systemClock,
      onRenewalFailed: (error) =>
        log.warn({ err: toError(error) }, "the lease could not be renewed; trying again"),
    });
    if (result.kind === "held") {
      await store.close();
      const message = `Another run holds the lock: ${result.owner}, until ${result.expiresAt.toISOString()} unless it renews. If that process is dead, this job can run after then.`;
      return { outcome: { kind: "skipped", reason: "lock-held", message } };
    }
    const { lease } = result;
    lease.lost.addEventListener("abort", () => stop.stop("lease-lost"), { once: true });
    run.releasers.push({
      what: "lock",
      release: async () => {
        try {
          await lease.release();
        } catch (error) {
          throw new LockNotReleasedError(request.ttlMs, error);
        } finally {
          await store.close();
        }
      },
    });
    return { lease, confirm: () => lease.confirm() };
  } catch (error) {
    await store.close();
    if (!(error instanceof LockUnavailableError)) throw error;
    if (isMissingSchema(error.cause) || isPermissionDenied(error.cause)) throw error;
    if (lock.failMode === "open") {
      log.warn(
        { err: error },
        "no lock was to be had from the lock store; this job runs without one",
      );
      return unlocked;
    }
    throw error;
  }
}

/** The run is over and its lock is not free: its next run is skipped for a while, which is green. */
class LockNotReleasedError extends AfterhoursError {
  override readonly name = "LockNotReleasedError";

  constructor(ttlMs: number, cause: unknown) {
    const atMost = `${Math.ceil(ttlMs / minutes(1))} minutes`;
    super("LOCK_NOT_RELEASED", `the lock may stay for up to ${atMost}`, {
      cause,
      remedy: `Until then this job ends as skipped, lock-held. Look at the lock store, and run the job again after ${atMost} if it is needed sooner than scheduled.`,
    });
  }
}

/**
 * A dry run takes no lock, and plans as its next holder would: with a fence greater than any before, so
 * that it sees the same claims of dead runs.
 */
export function dryRunLock({ lockStore }: HarnessSettings): TakenLock {
  if (lockStore === "off") return unlocked;
  return { ...unlocked, lease: { ...noLease, fence: GREATEST_FENCE } };
}

/** The greatest `bigint` of PostgreSQL. */
const GREATEST_FENCE = 2n ** 63n - 1n;

async function openLockStore(
  harness: HarnessSettings,
  control: pg.Pool,
  cut: AbortSignal,
): Promise<LockStore> {
  if (harness.lockStore !== "redis" || harness.redisUrl === undefined)
    return createPostgresLockStore(control);
  const { createRedisLockStore } = await import("./lock/redis-lock-store.ts");
  return createRedisLockStore(harness.redisUrl, { now: () => systemClock.now(), cut });
}
