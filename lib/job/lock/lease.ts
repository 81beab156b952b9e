import type { Clock } from "../../support/clock.ts";
import { LeaseLostError, type Lease } from "../../support/lease.ts";
import type { LockRequest, LockStore } from "./lock-store.ts";

export interface HeldLease extends Lease {
  /** Fires when the lease is lost, or when its trust has run out without a renewal. */
  readonly lost: AbortSignal;
  /**
   * Asks the store now whether it is still held, and fires `lost` if it is not. A process that was stopped for
   * a while may not know yet that somebody else has taken it.
   */
  confirm(): Promise<void>;
  /** Stops renewing and frees the lock. @throws {LockUnavailableError} */
  release(): Promise<void>;
}

interface LeasePorts {
  clock: Clock;
  /** Called for each failed renewal; the lease continues while it can be trusted. */
  onRenewalFailed?: (error: unknown) => void;
}

export type LeaseResult =
  { kind: "acquired"; lease: HeldLease } | { kind: "held"; owner: string; expiresAt: Date };

/**
 * Takes the lock and keeps it: renewal at a third of the time to live. The holder trusts its lease until
 * the start of the last successful attempt plus time to live, less a tenth as safety margin: the
 * store counted from a moment after that start, so its own expiry comes later. See README.md.
 */
export async function acquireLease(
  store: LockStore,
  request: LockRequest,
  { clock, onRenewalFailed }: LeasePorts,
): Promise<LeaseResult> {
  const trustMs = request.ttlMs * 0.9;
  let trust = startTrust(clock);
  const acquisition = await store.acquire(request);
  if (acquisition.kind === "held") return acquisition;

  const lost = new AbortController();
  const { fence } = acquisition;
  const isTrusted = (): boolean => !lost.signal.aborted && elapsedMs(trust, clock) < trustMs;

  const renew = async (): Promise<void> => {
    const attempt = startTrust(clock);
    try {
      if ((await store.extend(request)) === "lost") lost.abort();
      else trust = attempt;
    } catch (error) {
      onRenewalFailed?.(error);
    }
  };

  let renewal = Promise.resolve();
  const tick = setInterval(() => {
    if (!isTrusted()) lost.abort();
    else renewal = renewal.then(renew);
  }, request.ttlMs / 3);
  // Between two renewals that fail the trust may end: look often enough to notice.
  const watch = setInterval(
    () => {
      if (!isTrusted()) lost.abort();
    },
    Math.max(50, request.ttlMs / 30),
  );

  return {
    kind: "acquired",
    lease: {
      fence,
      lost: lost.signal,
      assertTrusted() {
        if (!isTrusted()) {
          lost.abort();
          throw new LeaseLostError(request.key);
        }
      },
      async confirm() {
        if (!isTrusted()) lost.abort();
        else await (renewal = renewal.then(renew));
      },
      async release() {
        clearInterval(tick);
        clearInterval(watch);
        await renewal;
        await store.release(request);
      },
    },
  };
}

/** Both clocks: the monotonic one stops while a machine sleeps, and the other may be set back. */
interface Instant {
  monotonicMs: number;
  wallMs: number;
}

function startTrust(clock: Clock): Instant {
  return { monotonicMs: clock.monotonicMs(), wallMs: clock.now().getTime() };
}

function elapsedMs(since: Instant, clock: Clock): number {
  return Math.max(clock.monotonicMs() - since.monotonicMs, clock.now().getTime() - since.wallMs);
}
