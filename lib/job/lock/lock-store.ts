import { AfterhoursError } from "../../support/errors.ts";
import {
  describeServerFault,
  layersOf,
  messageOf,
  postgresFault,
  redisFault,
  sqlStateOf,
  type ServerFault,
} from "../../support/server-fault/index.ts";

export interface LockRequest {
  /** Made by `lockKey`. */
  key: string;
  /** `<iso time>@<host>:<uuid>`: unique to one run. */
  owner: string;
  ttlMs: number;
}

export type Acquisition =
  | { kind: "acquired"; fence: bigint }
  /** Another owner holds it, until about `expiresAt` unless it renews. */
  | { kind: "held"; owner: string; expiresAt: Date };

/**
 * Where locks are kept. "Held" is an answer; "unavailable" is the error `LockUnavailableError`, and
 * the two are never confused: an outage of the store must not look like a clean skip.
 *
 * At most one owner holds a key whose time to live has not passed on the store's clock. Each
 * acquisition gets a fence greater than any before it for that key. After release or loss the owner
 * must not use the lock again.
 */
export interface LockStore {
  /** @throws {LockUnavailableError} */
  acquire(request: LockRequest): Promise<Acquisition>;
  /**
   * Sets the time to live anew, counted from now, if this owner still holds the key and its time has
   * not passed.
   * @throws {LockUnavailableError}
   */
  extend(request: LockRequest): Promise<"extended" | "lost">;
  /**
   * Frees the key if this owner holds it; never somebody else's.
   * @throws {LockUnavailableError}
   */
  release(request: Pick<LockRequest, "key" | "owner">): Promise<"released" | "not-held">;
  /** Ends the connection; never throws. */
  close(): Promise<void>;
}

/** The lock store gave no lock and did not say that somebody holds it: nobody knows whether it is held. */
export class LockUnavailableError extends AfterhoursError {
  override readonly name = "LockUnavailableError";
  /** The remedy without its consequence for a run. */
  readonly repair: string;

  constructor(store: string, cause: unknown, fault?: ServerFault) {
    const isRedis = store !== "PostgreSQL";
    const damage = damageOf(cause);
    if (damage !== undefined) {
      const reset =
        "Find out who wrote it, then reset the lock: docs/operations.md#a-lock-that-no-run-can-take.";
      super(
        "LOCK_UNAVAILABLE",
        `the lock store (${store}) answers, and what it keeps for this lock is nothing that a run writes: ${damage}`,
        { cause, remedy: `${reset} Without the lock nothing was started.` },
      );
      this.repair = reset;
      return;
    }
    const { message, remedy } = describeServerFault(
      fault ?? (isRedis ? redisFault(cause) : postgresFault(cause)),
      { name: `the lock store (${store})`, type: isRedis ? "redis" : "postgres" },
    );
    super("LOCK_UNAVAILABLE", message, {
      cause,
      remedy: `${remedy} Without the lock nothing was started.`,
    });
    this.repair = remedy;
  }
}

/** The store's error about a value that no run writes: a counter at its limit, a row that breaks a rule. */
function damageOf(cause: unknown): string | undefined {
  const state = sqlStateOf(cause);
  for (const layer of layersOf(cause)) {
    const message = messageOf(layer);
    if (state !== undefined && /^2[23]/.test(state)) return `${message} (${state})`;
    if (/^(ERR|WRONGTYPE)\b.*(not an integer|overflow|wrong kind of value)/.test(message)) {
      return message.split(" script: ")[0];
    }
  }
  return undefined;
}

/**
 * `afterhours:<environment>:<job>`. Each segment is encoded before joining, so that no environment
 * name can make the key of another one.
 */
export function lockKey({ environment, job }: { environment: string; job: string }): string {
  return ["afterhours", environment, job].map(encodeURIComponent).join(":");
}
