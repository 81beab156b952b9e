import { backOffMs, UP_TO_A_FIFTH_MORE, type BackOff } from "../support/back-off.ts";
import { seconds, sleep } from "../support/clock.ts";
import type { Random } from "../support/random.ts";
import type { Db, DbSession } from "./client.ts";
import { WriteConflictError } from "./errors.ts";
import { isLockConflict, sqlStateOf } from "./sqlstate.ts";

export interface ConnectRetryPorts {
  random: Random;
  signal?: AbortSignal;
  /** Whether another attempt makes sense; default: always. */
  isWorthRetrying?: (error: unknown) => boolean;
  /** Told before each wait. */
  onRetry?: (event: { attempt: number; waitMs: number; error: unknown }) => void;
}

const CONNECT: BackOff = { firstMs: seconds(2), tries: 3, jitter: UP_TO_A_FIFTH_MORE };

/** For the record of an outcome outside, which must not be lost. Compare-and-swap makes a repeat harmless. */
export const RECORD_AGAIN: BackOff = { firstMs: seconds(0.5), factor: 4, tries: 3 };

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
      const waitMs = backOffMs(CONNECT, attempt, random);
      if (waitMs === undefined || signal?.aborted || isWorthRetrying?.(error) === false)
        throw error;
      onRetry?.({ attempt, waitMs, error });
      await sleep(waitMs, signal);
      if (signal?.aborted) throw error;
    }
  }
}

export interface SerializableOptions {
  random: Random;
  signal?: AbortSignal;
  /** Default 5. */
  tries?: number;
  /** Wait before the second try, in ms; doubled for each further one, with jitter. Default 25. */
  firstWaitMs?: number;
  /**
   * SQL states of constraints that mean "another session was first" to this body, such as `23P01`: the next try
   * sees the other session's rows. Default: none.
   */
  lostRaces?: readonly string[];
}

/**
 * Runs `body` in a serializable transaction, and again as long as PostgreSQL ends it because of another session.
 * Only the last try counts: `body` must keep nothing outside of itself, since an aborted try never happened.
 *
 * @throws {WriteConflictError} when every try failed
 */
export async function inSerializable<T>(
  db: Db,
  body: (tx: DbSession) => Promise<T>,
  { random, signal, tries = 5, firstWaitMs = 25, lostRaces = [] }: SerializableOptions,
): Promise<T> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await db.transaction((tx) => body(tx), {
        isolationLevel: "Serializable",
      });
    } catch (error) {
      if (!isLockConflict(error) && !lostRaces.includes(sqlStateOf(error) ?? "")) throw error;
      const waitMs = backOffMs({ firstMs: firstWaitMs, tries, jitter: [0.5, 1.5] }, tried, random);
      if (waitMs === undefined || signal?.aborted) throw new WriteConflictError(tried, error);
      await sleep(waitMs, signal);
    }
  }
}
