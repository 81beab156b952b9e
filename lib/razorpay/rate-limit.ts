import type { Clock } from "../support/clock.ts";
import { sleep as realSleep } from "../support/clock.ts";

const WINDOW_MS = 1000;

export interface RateLimiter {
  /**
   * Waits for a turn, first come first served, and takes it. Answers false, at once and without
   * taking a turn, when the signal has fired.
   */
  take(signal?: AbortSignal): Promise<boolean>;
}

export type Sleep = (ms: number, signal?: AbortSignal) => Promise<void>;

/**
 * At most so many turns in any 1000 ms, wherever that second begins. A bucket that refills would let
 * twice as many through around a refill, which the provider answers with 429.
 */
export function createRateLimiter(options: {
  requestsPerSecond: number;
  clock: Pick<Clock, "monotonicMs">;
  sleep?: Sleep;
}): RateLimiter {
  const { requestsPerSecond, clock, sleep = realSleep } = options;
  const waiting: (() => void)[] = [];
  const takenAtMs: number[] = [];
  let nap = new AbortController();
  let serving = false;

  async function serve(): Promise<void> {
    serving = true;
    while (waiting.length > 0) {
      const delayMs = delayUntilFree();
      if (delayMs > 0) {
        nap = new AbortController();
        await sleep(delayMs, nap.signal);
        continue; // timers may fire a little early, and those who waited may have left
      }
      takenAtMs.push(clock.monotonicMs());
      if (takenAtMs.length > requestsPerSecond) takenAtMs.shift();
      waiting.shift()?.();
    }
    serving = false;
  }

  function delayUntilFree(): number {
    const oldest = takenAtMs[0];
    if (oldest === undefined || takenAtMs.length < requestsPerSecond) return 0;
    return oldest + WINDOW_MS - clock.monotonicMs();
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
