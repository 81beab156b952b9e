/** Where time comes from. Cores take a clock as an argument, so that a test can hold it still. */
export interface Clock {
  /** The present instant on this machine. Money deadlines compare on the database's clock instead. */
  now(): Date;
  /** Milliseconds that only grow, for measuring durations; the zero point means nothing. */
  monotonicMs(): number;
}

export const systemClock: Clock = {
  now: () => new Date(),
  monotonicMs: () => performance.now(),
};

/** Milliseconds in so many hours. */
export function hours(count: number): number {
  return count * 3_600_000;
}

/** Milliseconds in so many minutes. */
export function minutes(count: number): number {
  return count * 60_000;
}

/** Milliseconds in so many seconds. */
export function seconds(count: number): number {
  return count * 1000;
}

/**
 * Resolves after `ms`, or as soon as the signal fires: it never rejects, so the caller looks at the
 * signal to tell which it was.
 */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) {
      resolve();
      return;
    }
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener("abort", done, { once: true });
  });
}
