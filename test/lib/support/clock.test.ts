import { getEventListeners } from "node:events";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { minutes, seconds, sleep, systemClock } from "../../../lib/support/clock.ts";

describe("sleeping", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("ends after its time and leaves no listener on the signal", async () => {
    const stop = new AbortController();
    const slept = sleep(seconds(3), stop.signal);
    await vi.advanceTimersByTimeAsync(seconds(3));
    await slept;
    expect(getEventListeners(stop.signal, "abort")).toHaveLength(0);
  });

  it("ends at once when the signal fires, without an error and without a timer left", async () => {
    const stop = new AbortController();
    const slept = sleep(minutes(10), stop.signal);
    stop.abort();
    await slept;
    expect(vi.getTimerCount()).toBe(0);
  });

  it("does not begin when the signal has fired already", async () => {
    await sleep(minutes(10), AbortSignal.abort());
    expect(vi.getTimerCount()).toBe(0);
  });
});

it("the system's monotonic clock never goes back", () => {
  const readings = Array.from({ length: 1000 }, () => systemClock.monotonicMs());
  expect(readings).toEqual([...readings].sort((a, b) => a - b));
});
