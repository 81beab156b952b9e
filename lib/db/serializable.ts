import { sleep } from "../support/clock.ts";
import { AfterhoursError } from "../support/errors.ts";
import type { Random } from "../support/random.ts";
import { isLockConflict, sqlStateOf } from "./connection.ts";
import type { Db, DbSession } from "./client.ts";

/** Other sessions changed the same rows in every try. Nothing of any try was kept. */
export class WriteConflictError extends AfterhoursError {
  override readonly name = "WriteConflictError";

  constructor(tries: number, cause: unknown) {
    super("WRITE_CONFLICT", `other sessions changed the same rows in each of ${tries} tries`, {
      cause,
      remedy: "Nothing was changed. Try again in a moment.",
    });
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
      if (tried >= tries || signal?.aborted) throw new WriteConflictError(tried, error);
      await sleep(firstWaitMs * 2 ** (tried - 1) * (0.5 + random()), signal);
    }
  }
}
