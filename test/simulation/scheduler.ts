import { AsyncLocalStorage } from "node:async_hooks";
import { setImmediate as nextTick } from "node:timers/promises";
import type { Chance } from "./chance.ts";

/** Somebody who acts in the simulated world: a run of a job, an operator, the provider. */
export interface Actor {
  readonly name: string;
  /** Killed: executes nothing more. */
  dead: boolean;
}

interface Turn {
  actor: Actor;
  begin: () => void;
}

interface Sleeper {
  wakesAtMs: number;
  wake: () => void;
}

/** Real time without any progress, after which somebody waits for what never comes. */
const STALLED_AFTER_MS = 20_000;
const TAKES_TURNS_AGAIN = 0.85;

const insideTurn = new AsyncLocalStorage<true>();
let activeSleep: Scheduler["sleep"] | undefined;

/**
 * Lets actors take turns. Each call of a port (a statement, a transaction, a request to the provider) waits
 * for its turn, and one turn happens at a time, chosen by the seed: so the same seed gives the same
 * interleaving. Time is virtual and passes only when the seed says so, or when everybody sleeps.
 */
export class Scheduler {
  readonly #chance: Chance;
  #waiting: Turn[] = [];
  #asleep: Sleeper[] = [];
  #inHand = 0;
  #nowMs = 0;
  #running = 0;
  #whenIdle: (() => void) | undefined;

  constructor(chance: Chance) {
    this.#chance = chance;
  }

  /** How many calls of this actor wait for their turn. */
  waitingOf(actor: Actor): number {
    return this.#waiting.filter((turn) => turn.actor === actor).length;
  }

  /** Runs the actors until each has come to its end or was killed. */
  async run(acts: readonly { actor: Actor; act: () => Promise<void> }[]): Promise<void> {
    activeSleep = (ms, signal) => this.sleep(ms, signal);
    try {
      const errors: unknown[] = [];
      for (const { actor, act } of acts) {
        this.#running++;
        void act()
          .catch((error: unknown) => errors.push(error))
          .finally(() => {
            if (!actor.dead) this.#running--;
          });
      }
      await this.#takeTurns(errors);
      if (errors.length > 0) throw errors[0];
    } finally {
      activeSleep = undefined;
    }
  }

  /** One turn. Never resolves for an actor that was killed before or during it. */
  async turn<T>(actor: Actor, work: () => Promise<T>): Promise<T> {
    if (actor.dead) return never();
    await new Promise<void>((resolve) => this.#waiting.push({ actor, begin: resolve }));
    try {
      return await insideTurn.run(true, work);
    } finally {
      this.#handBack();
      if (isDead(actor)) await never();
    }
  }

  /** The actor executes nothing more from now on. */
  kill(actor: Actor): void {
    if (actor.dead) return;
    actor.dead = true;
    this.#running--;
    this.#waiting = this.#waiting.filter((turn) => turn.actor !== actor);
  }

  /** Inside a turn: lets the others go on until so much time has passed, or the signal fires. */
  async rest(ms: number, signal: AbortSignal | undefined): Promise<"time" | "signal"> {
    const resting = this.#sleep(ms, signal, () => this.#inHand++);
    this.#handBack();
    return resting;
  }

  /** What a core's own `sleep` becomes. */
  sleep(ms: number, signal: AbortSignal | undefined): Promise<"time" | "signal"> {
    return this.#sleep(ms, signal, () => undefined);
  }

  #sleep(
    ms: number,
    signal: AbortSignal | undefined,
    onWake: () => void,
  ): Promise<"time" | "signal"> {
    return new Promise((resolve) => {
      const wake = (because: "time" | "signal"): void => {
        this.#asleep = this.#asleep.filter((other) => other !== sleeper);
        signal?.removeEventListener("abort", interrupt);
        onWake();
        resolve(because);
      };
      const interrupt = (): void => wake("signal");
      const sleeper: Sleeper = { wakesAtMs: this.#nowMs + ms, wake: () => wake("time") };
      this.#asleep.push(sleeper);
      if (signal?.aborted) interrupt();
      else signal?.addEventListener("abort", interrupt, { once: true });
    });
  }

  async #takeTurns(errors: readonly unknown[]): Promise<void> {
    let progressAtMs = performance.now();
    for (;;) {
      await this.#quiet();
      if (errors.length > 0) return;
      if (this.#running === 0 && this.#asleep.length === 0) return;
      const somebodyWaits = this.#waiting.length > 0;
      if (somebodyWaits && (this.#asleep.length === 0 || this.#chance.happens(TAKES_TURNS_AGAIN))) {
        const [next] = this.#waiting.splice(this.#chance.below(this.#waiting.length), 1);
        this.#inHand++;
        next?.begin();
      } else if (this.#asleep.length > 0) {
        this.#wakeNext();
      } else if (performance.now() - progressAtMs > STALLED_AFTER_MS) {
        throw new Error("the simulation stands still: somebody waits outside of a port");
      } else {
        continue;
      }
      progressAtMs = performance.now();
    }
  }

  #wakeNext(): void {
    const next = this.#asleep.reduce((first, each) =>
      each.wakesAtMs < first.wakesAtMs ? each : first,
    );
    this.#nowMs = Math.max(this.#nowMs, next.wakesAtMs);
    next.wake();
  }

  /** Until the turn in hand is over, and what follows from it has come to its next port. */
  async #quiet(): Promise<void> {
    do {
      if (this.#inHand > 0) await new Promise<void>((resolve) => (this.#whenIdle = resolve));
      await nextTick();
      await nextTick();
    } while (this.#inHand > 0);
  }

  #handBack(): void {
    this.#inHand--;
    if (this.#inHand === 0) this.#whenIdle?.();
  }
}

/**
 * Stands in for `sleep` of lib/support/clock.ts. Virtual while a simulation runs: a wait costs no real time,
 * and inside a turn none at all.
 */
export function simulatedSleep(
  realSleep: (ms: number, signal?: AbortSignal) => Promise<void>,
): (ms: number, signal?: AbortSignal) => Promise<void> {
  return async (ms, signal) => {
    if (activeSleep === undefined) return realSleep(ms, signal);
    if (insideTurn.getStore()) await nextTick();
    else await activeSleep(ms, signal);
  };
}

/** A function, because who was alive a moment ago may be dead after an await. */
function isDead({ dead }: Actor): boolean {
  return dead;
}

function never(): Promise<never> {
  return new Promise(() => undefined);
}
