import { systemRandom, type Random } from "./random.ts";

/** How often a failed task is tried, and how its waits grow. */
export interface BackOff {
  /** The wait after the first failed try. */
  firstMs: number;
  /** Each further wait is so many times the one before. Default 2. */
  factor?: number;
  /** No wait is longer, before jitter. */
  longestMs?: number;
  /** All tries, the first included. Default: without end. */
  tries?: number;
  /** A wait is multiplied by a random number between these two. Default: no jitter. */
  jitter?: readonly [least: number, most: number];
}

/** The least jitter that keeps jobs apart which failed together. */
export const UP_TO_A_FIFTH_MORE = [1, 1.2] as const;

/** Milliseconds to wait after so many failed tries; undefined when none is left. */
export function backOffMs(
  { firstMs, factor = 2, longestMs = Infinity, tries = Infinity, jitter = [1, 1] }: BackOff,
  failedTries: number,
  random: Random = systemRandom,
): number | undefined {
  if (failedTries >= tries) return undefined;
  const [least, most] = jitter;
  const waitMs = Math.min(firstMs * factor ** (failedTries - 1), longestMs);
  return Math.round(waitMs * (least + (most - least) * random()));
}
