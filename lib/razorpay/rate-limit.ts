import { setImmediate } from "node:timers/promises";
import type { Clock } from "../support/clock.ts";
import { sleep as realSleep } from "../support/clock.ts";

/**
 * One second at the provider, plus the possible difference in travel time of two requests: turns are counted
 * here and requests there. A longer window would leave less than 0.98 of the limit, late timers included.
 */
export const WINDOW_MS = 1000 + 12;

export interface RateLimiter {
  /**
   * Waits for a turn, first come first served, and takes it. Answers false, at once and without
   * taking a turn, when the signal has fired.
   */
  take(signal?: AbortSignal): Promise<boolean>;
}

export type Sleep = (ms: number, signal?: AbortSignal) => Promise<void>;

/**
 * Allows at most so many turns in any second, wherever that second begins. A bucket that refills would pass
 * twice as many around a refill, which the provider answers with 429. So would turns all given at once (20
 * arrivals in the worst second of a limit of 10): the tenth leaves late because nine were sent before it, and
 * the next ones follow too soon. Turns are spread by half of an even pace. At a full even pace each late timer
 * would cost a share of the limit for good.
 */
export function createRateLimiter(options: {
  /** Infinity: nobody waits, as on a sandbox that has no limit. */
  requestsPerSecond: number;
  clock: Pick<Clock, "monotonicMs">;
  sleep?: Sleep;
}): RateLimiter {
  const { requestsPerSecond, clock, sleep = realSleep } = options;
  if (requestsPerSecond === Infinity)
    return { take: (signal) => Promise.resolve(!signal?.aborted) };
  const waiting: (() => void)[] = [];
  const takenAtMs: number[] = [];
  const apartMs = Math.ceil(WINDOW_MS / requestsPerSecond / 2);
  let nap = new AbortController();
  let serving = false;

  async function serve(): Promise<void> {
    serving = true;
    while (waiting.length > 0) {
      const delayMs = delayUntilFree();
      if (delayMs > 0) {
        nap = new AbortController();
        await sleep(delayMs, nap.signal);
        continue; // timers may fire a little early, and waiting callers may have left
      }
      takenAtMs.push(clock.monotonicMs());
      if (takenAtMs.length > requestsPerSecond) takenAtMs.shift();
      waiting.shift()?.();
      // Counted from when its request has left. A turn that is held up in this process on its way there, as
      // the first one is by code that runs for the first time, came up to 24 ms too close to the one after it.
      await setImmediate();
      takenAtMs[takenAtMs.length - 1] = clock.monotonicMs();
    }
    serving = false;
  }

  function delayUntilFree(): number {
    const oldest = takenAtMs.length < requestsPerSecond ? -Infinity : (takenAtMs[0] ?? -Infinity);
    const newest = takenAtMs.at(-1) ?? -Infinity;
    return Math.max(oldest + WINDOW_MS, newest + apartMs) - clock.monotonicMs();
  }

  return {
    take: (signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) {
          resolve(false);
          return;
        }
        const leave = (): void => {
          waiting.splice(waiting.indexOf(grant), 1);
          if (waiting.length === 0) nap.abort(); // no timer stays behind for nobody
          resolve(false);
        };
        const grant = (): void => {
          signal?.removeEventListener("abort", leave);
          resolve(true);
        };
        signal?.addEventListener("abort", leave, { once: true });
        waiting.push(grant);
        if (!serving) void serve();
      }),
  };
}
