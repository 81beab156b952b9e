import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { listenForStop, type StopSignal } from "../../../lib/job/signals.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
const listeners = () => SIGNALS.map((name) => process.listeners(name).length);

describe("what stops a run", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("is the deadline, not a moment earlier", () => {
    const stop = listenForStop({ deadlineMs: 5000 });
    vi.advanceTimersByTime(4999);
    expect(stop.isStopping()).toBe(false);
    expect(stop.reason()).toBeUndefined();
    vi.advanceTimersByTime(1);
    expect(stop.isStopping()).toBe(true);
    expect(stop.signal.aborted).toBe(true);
    expect(stop.reason()).toBe("deadline");
    stop.dispose();
  });

  it.each(["SIGINT", "SIGTERM"] as const)("is %s", (name) => {
    const { stop, raise } = listening(name);
    raise();
    expect(stop.reason()).toBe(name);
    expect(stop.signal.aborted).toBe(true);
    stop.dispose();
  });

  it("counts once: a second reason does not replace the first", () => {
    const stop = listenForStop({ deadlineMs: 5000 });
    const aborted = vi.fn();
    stop.signal.addEventListener("abort", aborted);
    stop.stop("lease-lost");
    stop.stop("SIGTERM");
    vi.advanceTimersByTime(5000);
    expect(stop.reason()).toBe("lease-lost");
    expect(aborted).toHaveBeenCalledTimes(1);
    stop.dispose();
  });

  it("is given up in steps, the last of them before the runner kills", () => {
    const { stop, raise } = listening("SIGINT");
    raise();
    const given = (): boolean[] => [stop.givenUp.core.aborted, stop.givenUp.settling.aborted];
    vi.advanceTimersByTime(5000);
    expect(given()).toEqual([false, false]);
    vi.advanceTimersByTime(1000);
    expect(given()).toEqual([true, false]);
    vi.advanceTimersByTime(2000);
    expect(given()).toEqual([true, true]);
    stop.dispose();
  });

  it("is not given up when nobody waits: at the deadline, or when the lease is lost", () => {
    const stop = listenForStop({ deadlineMs: 5000 });
    stop.stop("lease-lost");
    vi.advanceTimersByTime(60_000);
    expect(stop.givenUp.core.aborted).toBe(false);
    stop.dispose();
    expect(stop.givenUp.core.aborted).toBe(true);
    expect(stop.givenUp.settling.aborted).toBe(true);
  });

  it("is not SIGHUP: a closed terminal ends no run", () => {
    const { stop, raise } = listening("SIGHUP");
    raise();
    expect(stop.isStopping()).toBe(false);
    stop.dispose();
  });

  it("leaves nothing behind: no timer and no listener", () => {
    const before = listeners();
    const stop = listenForStop({ deadlineMs: 5000 });
    stop.dispose();
    expect(listeners()).toEqual(before);
    expect(vi.getTimerCount()).toBe(0);
  });
});

/** Raises the signal for the new listener alone: the test runner has its own. */
function listening(name: NodeJS.Signals): { stop: StopSignal; raise: () => void } {
  const others = new Set(process.listeners(name));
  const stop = listenForStop({ deadlineMs: 5000 });
  const added = process.listeners(name).filter((listener) => !others.has(listener));
  expect(added).toHaveLength(1);
  return { stop, raise: () => added[0]?.(name) };
}
