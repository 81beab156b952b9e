import { seconds, sleep } from "../support/clock.ts";
import type { Random } from "../support/random.ts";

export interface ConnectRetryPorts {
  random: Random;
  signal?: AbortSignal;
  /** Whether another attempt makes sense; default: always. */
  isWorthRetrying?: (error: unknown) => boolean;
  /** Told before each wait. */
  onRetry?: (event: { attempt: number; waitMs: number; error: unknown }) => void;
}

/** Waits before the second and the third attempt. */
const BACKOFF_MS = [seconds(2), seconds(4)];

/**
 * Connects with up to three attempts, 2 s and then 4 s apart, each wait up to a fifth longer so that
 * jobs that start together do not come back together. A serverless or restarting database is up by
 * then. Only connecting is ever retried, never a job's body: bodies move money and send mail.
 *
 * @throws the last error when every attempt failed, or when the signal fired in between
 */
export async function connectWithRetry<T>(
  connect: () => Promise<T>,
  { random, signal, isWorthRetrying, onRetry }: ConnectRetryPorts,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await connect();
    } catch (error) {
      const wait = BACKOFF_MS[attempt - 1];
      if (wait === undefined || signal?.aborted || isWorthRetrying?.(error) === false) throw error;
      const waitMs = Math.round(wait * (1 + 0.2 * random()));
      onRetry?.({ attempt, waitMs, error });
      await sleep(waitMs, signal);
      if (signal?.aborted) throw error;
    }
  }
}
