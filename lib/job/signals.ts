import { seconds } from "../support/clock.ts";
import type { InterruptReason } from "./outcome.ts";

/** What asks a run to stop, and with which reason. */
const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/**
 * How long after the first of them a silent database may hold up the core, and then what follows it. The
 * Actions runner kills ten seconds after its SIGINT, Docker ten after its SIGTERM: what is not said by
 * then is not said at all.
 */
const GIVEN_UP_AFTER_MS = { core: seconds(5.5), settling: seconds(7.5) };

export interface StopSignal {
  readonly signal: AbortSignal;
  /** Whether it has fired. A function, because what was false a moment ago may be true after an await. */
  readonly isStopping: () => boolean;
  /** Why the signal fired; undefined while it has not. */
  readonly reason: () => InterruptReason | undefined;
  /**
   * Fires when whoever sent SIGINT or SIGTERM will not wait any longer: for the core, then for what settles
   * the run. Whatever is still waited for then is cut off.
   */
  readonly givenUp: { readonly core: AbortSignal; readonly settling: AbortSignal };
  /** Fires the signal; only the first reason counts. */
  stop(reason: InterruptReason): void;
  /** Gives the process its default behaviour back, and gives up what is still open. */
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
