import { seconds } from "../support/clock.ts";
import type { InterruptReason } from "./outcome.ts";

/** The signals that ask a run to stop, each with its reason. */
const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/**
 * How long after the first signal a silent database may delay the core, and then the final steps. The Actions
 * runner kills ten seconds after its SIGINT, Docker ten after its SIGTERM. Anything not written by then is lost.
 */
const GIVEN_UP_AFTER_MS = { core: seconds(5.5), settling: seconds(7.5) };

export interface StopSignal {
  readonly signal: AbortSignal;
  /** Whether the signal has fired. A function, because the value may change during an await. */
  readonly isStopping: () => boolean;
  /** Why the signal fired; undefined while it has not. */
  readonly reason: () => InterruptReason | undefined;
  /**
   * Fires shortly before the sender of SIGINT or SIGTERM kills the process: first for the core, then for the
   * final steps. Any open wait is cut off then.
   */
  readonly givenUp: { readonly core: AbortSignal; readonly settling: AbortSignal };
  /** Fires the signal; only the first reason counts. */
  stop(reason: InterruptReason): void;
  /** Restores the default behaviour of the process, and cuts off open waits. */
  dispose(): void;
}

/** One abort signal for everything that can end a run early. */
export function listenForStop({ deadlineMs }: { deadlineMs: number }): StopSignal {
  const controller = new AbortController();
  let reason: InterruptReason | undefined;
  const stop = (why: InterruptReason): void => {
    if (reason !== undefined) return;
    reason = why;
    controller.abort();
  };
  const core = new AbortController();
  const settling = new AbortController();
  const patience: NodeJS.Timeout[] = [];
  const losePatience = (): void => {
    if (patience.length > 0) return;
    patience.push(setTimeout(() => core.abort(), GIVEN_UP_AFTER_MS.core));
    patience.push(setTimeout(() => settling.abort(), GIVEN_UP_AFTER_MS.settling));
  };
  // A closed terminal must not end a run. Without a handler it would, at any instruction, and also
  // under nohup: Node gives every signal its default effect back when it starts.
  const handlers: [NodeJS.Signals, () => void][] = [["SIGHUP", () => undefined]];
  for (const name of SIGNALS) {
    handlers.push([
      name,
      () => {
        stop(name);
        losePatience();
      },
    ]);
  }
  for (const [name, handler] of handlers) process.on(name, handler);
  const deadline = setTimeout(() => stop("deadline"), deadlineMs);
  return {
    signal: controller.signal,
    isStopping: () => controller.signal.aborted,
    reason: () => reason,
    givenUp: { core: core.signal, settling: settling.signal },
    stop,
    dispose() {
      for (const timer of [deadline, ...patience]) clearTimeout(timer);
      // A session that a silent server never says goodbye to would keep the process alive.
      core.abort();
      settling.abort();
      for (const [name, handler] of handlers) process.off(name, handler);
    },
  };
}
