import type { Clock } from "../../lib/support/clock.ts";
import { systemClock } from "../../lib/support/clock.ts";
import type { Slot } from "./arena.ts";
import type { Chance } from "./chance.ts";
import type { Actor } from "./scheduler.ts";

/** What befalls a run at one of its calls. */
export const TROUBLES = {
  /** SIGKILL before the call is made. */
  "killed before": 3,
  /** SIGKILL after it was carried out, and before its answer is read. */
  "killed after": 3,
  /** SIGKILL within a transaction, which is rolled back. */
  "killed inside": 2,
  /** SIGTERM. */
  "told to stop": 2,
  /** The machine sleeps for longer than the lock lives. */
  "lease lost": 6,
  /** All sessions end, within a transaction if there is one. */
  "database restarts": 4,
  /** The commit is carried out, and its answer is lost. */
  "commit unanswered": 3,
  /** No connection for a while. */
  "database away": 1,
};
export type TroubleKind = keyof typeof TROUBLES;

/** Statements alone, transactions, requests to the provider. */
export type CallKind = "statement" | "transaction" | "gateway";

export interface Trouble {
  kind: TroubleKind;
  /** Counted are calls of this kind, or all. */
  of: CallKind | "any";
  /** At which of them: the first is 1. */
  at: number;
  /** Before which statement, where it comes within a transaction. */
  statement: number;
}

/** A run of a job: a process of its own, with a clock, a database session and a life that may end. */
export class SimulatedProcess implements Actor {
  readonly name: string;
  readonly slot: Slot;
  readonly runId: string;
  readonly stop = new AbortController();
  readonly trouble: Trouble | undefined;
  dead = false;
  readonly calls = { statement: 0, transaction: 0, gateway: 0, any: 0 };
  isTroubled = false;
  hasLease = false;
  /** Payouts sent, and the largest, against the caps of the run. */
  readonly sentPaise: bigint[] = [];
  caps: { singlePaise: bigint; runPaise: bigint; runCount: number } | undefined;
  /** Where the history stood when the lease was lost, and how many claims were being made just then. */
  leaseLost: { afterChange: bigint; inHand: number } | undefined;
  #aheadMs: number;
  readonly #retire: (() => Promise<unknown>)[] = [];

  constructor(
    chance: Chance,
    { name, slot, trouble }: { name: string; slot: Slot; trouble: Trouble | undefined },
  ) {
    this.name = name;
    this.slot = slot;
    this.trouble = trouble;
    this.runId = chance.uuid();
    // No machine's clock is right; nothing that counts may depend on it.
    this.#aheadMs = chance.pick([0, 0, -1, 1]) * chance.between(1, 2 * 24 * 3600) * 1000;
  }

  /** The clock of the machine on which it runs. */
  get clock(): Clock {
    return {
      now: () => new Date(systemClock.now().getTime() + this.#aheadMs),
      monotonicMs: () => systemClock.monotonicMs(),
    };
  }

  /** What is left of it in this process, when the simulation is done with it. */
  onRetired(act: () => Promise<unknown>): void {
    this.#retire.push(act);
  }

  async retire(): Promise<void> {
    for (const act of this.#retire.splice(0)) if (this.dead) await act();
  }

  /** The machine was asleep. */
  skipAhead(ms: number): void {
    this.#aheadMs += ms;
  }
}

/** Trouble that only a transaction can have. */
const WITHIN: ReadonlySet<TroubleKind> = new Set(["killed inside", "commit unanswered"]);

/** Where trouble may come at the latest: a run that makes few calls meets none after them. */
export interface LatestCalls {
  any: number;
  ofKind: number;
}

/** Trouble for every other run. */
export function chooseTrouble(
  chance: Chance,
  { any, ofKind }: LatestCalls = { any: 22, ofKind: 7 },
): Trouble | undefined {
  if (!chance.happens(0.5)) return undefined;
  // Claims, attempts, answers and requests are where it hurts; the many reads around them would hide those.
  const kind = chance.weighted(TROUBLES);
  const of = WITHIN.has(kind)
    ? "transaction"
    : chance.pick(["any", "transaction", "transaction", "gateway"] as const);
  const at = chance.between(1, of === "any" ? any : ofKind);
  return { kind, of, at, statement: chance.between(1, 6) };
}
