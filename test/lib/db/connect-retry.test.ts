import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { connectWithRetry } from "../../../lib/db/retries.ts";
import { seconds } from "../../../lib/support/clock.ts";

describe("connecting", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("that succeeds is tried once", async () => {
    const connect = vi.fn(() => Promise.resolve("connected"));
    await expect(connectWithRetry(connect, { random: () => 0 })).resolves.toBe("connected");
    expect(connect).toHaveBeenCalledTimes(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("is tried three times, 2 s and then 4 s apart, and then fails with the last error", async () => {
    const waits: number[] = [];
    let attempts = 0;
    const connecting = connectWithRetry(
      () => Promise.reject(new Error(`refused ${(attempts += 1)}`)),
      { random: () => 0, onRetry: ({ waitMs }) => waits.push(waitMs) },
    );
    const failed = expect(connecting).rejects.toThrow("refused 3");
    await vi.advanceTimersByTimeAsync(seconds(2) - 1);
    expect(attempts).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(attempts).toBe(2);
    await vi.advanceTimersByTimeAsync(seconds(4) - 1);
    expect(attempts).toBe(2);
    await vi.advanceTimersByTimeAsync(1);
    await failed;
    expect(waits).toEqual([seconds(2), seconds(4)]);
  });

  it("waits up to a fifth longer, so that jobs that failed together do not come back together", async () => {
    const waits: number[] = [];
    const connecting = connectWithRetry(() => Promise.reject(new Error("refused")), {
      random: () => 0.999_999,
      onRetry: ({ waitMs }) => waits.push(waitMs),
    });
    const failed = expect(connecting).rejects.toThrow("refused");
    await vi.advanceTimersByTimeAsync(seconds(10));
    await failed;
    expect(waits).toEqual([2400, 4800]);
  });

  it("succeeds when the database comes up in between, and tells of each failure", async () => {
    const failures: unknown[] = [];
    let attempts = 0;
    const connecting = connectWithRetry(
      () =>
        (attempts += 1) < 3
          ? Promise.reject(new Error(`starting up ${attempts}`))
          : Promise.resolve("connected"),
      { random: () => 0, onRetry: ({ attempt, error }) => failures.push([attempt, String(error)]) },
    );
    await vi.advanceTimersByTimeAsync(seconds(6));
    await expect(connecting).resolves.toBe("connected");
    expect(failures).toEqual([
      [1, "Error: starting up 1"],
      [2, "Error: starting up 2"],
    ]);
  });

  it("ends its wait at once when it is told to stop, and does not try again", async () => {
    const stop = new AbortController();
    const connect = vi.fn(() => Promise.reject(new Error("refused")));
    const connecting = connectWithRetry(connect, { random: () => 0, signal: stop.signal });
    const failed = expect(connecting).rejects.toThrow("refused");
    await vi.advanceTimersByTimeAsync(1);
    stop.abort();
    await failed;
    expect(connect).toHaveBeenCalledTimes(1);
    expect(vi.getTimerCount()).toBe(0);
  });
});
