import type { InterruptReason } from "./outcome.ts";

/** What asks a run to stop, and with which reason. */
const SIGNALS = ["SIGINT", "SIGTERM"] as const;

export interface StopSignal {
  readonly signal: AbortSignal;
  /** Whether it has fired. A function, because what was false a moment ago may be true after an await. */
  readonly isStopping: () => boolean;
  /** Why the signal fired; undefined while it has not. */
  readonly reason: () => InterruptReason | undefined;
  /** Fires the signal; only the first reason counts. */
  stop(reason: InterruptReason): void;
  /** Gives the process its default behaviour back. */
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
  // A closed terminal must not end a run. Without a handler it would, at any instruction, and also
  // under nohup: Node gives every signal its default effect back when it starts.
  const handlers: [NodeJS.Signals, () => void][] = [["SIGHUP", () => undefined]];
  for (const name of SIGNALS) handlers.push([name, () => stop(name)]);
  for (const [name, handler] of handlers) process.on(name, handler);
  const deadline = setTimeout(() => stop("deadline"), deadlineMs);
  return {
    signal: controller.signal,
    isStopping: () => controller.signal.aborted,
    reason: () => reason,
    stop,
    dispose() {
      clearTimeout(deadline);
      for (const [name, handler] of handlers) process.off(name, handler);
    },
  };
}
