import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  createRateLimiter,
  WINDOW_MS,
  type RateLimiter,
} from "../../../lib/razorpay/rate-limit.ts";

/** Time that moves only when told, with the sleepers that wait for it. */
class FakeTime {
  nowMs = 0;
  readonly sleepers = new Set<{ atMs: number; wake: () => void }>();
  readonly clock = { monotonicMs: () => this.nowMs };

  readonly sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      const sleeper = {
        atMs: this.nowMs + ms,
        wake: () => {
          this.sleepers.delete(sleeper);
          resolve();
        },
      };
      this.sleepers.add(sleeper);
      signal?.addEventListener("abort", sleeper.wake, { once: true });
    });

  async moveTo(ms: number): Promise<void> {
    for (;;) {
      await settled();
      const due = [...this.sleepers]
        .filter((sleeper) => sleeper.atMs <= ms)
        .sort((a, b) => a.atMs - b.atMs)[0];
      if (!due) break;
      this.nowMs = Math.max(this.nowMs, due.atMs);
      due.wake();
    }
    this.nowMs = ms;
    await settled();
  }
}

/** All that needs no more time has happened: a turn is over when the event loop has come round. */
async function settled(): Promise<void> {
  for (let rounds = 0; rounds < 2; rounds++) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function setUp(requestsPerSecond: number): { time: FakeTime; limiter: RateLimiter } {
  const time = new FakeTime();
  const { clock, sleep } = time;
  return { time, limiter: createRateLimiter({ requestsPerSecond, clock, sleep }) };
}

describe("the rate limiter", () => {
  it("never lets more through in any second, and serves in order and without idling", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 6 }),
        fc.array(fc.integer({ min: 0, max: 700 }), { minLength: 1, maxLength: 25 }),
        async (rate, gapsMs) => {
          const { time, limiter } = setUp(rate);
          const turns: { nth: number; askedMs: number; atMs: number }[] = [];
          let askAtMs = 0;
          for (const [nth, gapMs] of gapsMs.entries()) {
            askAtMs += gapMs;
            await time.moveTo(askAtMs);
            const askedMs = askAtMs;
            void limiter.take().then(() => turns.push({ nth, askedMs, atMs: time.nowMs }));
          }
          await time.moveTo(askAtMs + 60_000);

          expect(turns.map((turn) => turn.nth)).toEqual(gapsMs.map((_, nth) => nth));
          for (const [nth, turn] of turns.entries()) {
            const before = turns[nth - rate];
            if (before) expect(turn.atMs - before.atMs).toBeGreaterThanOrEqual(WINDOW_MS);
            // The earliest moment that the limit allows, so nobody waits for nothing.
            const earliestMs = Math.max(
              turn.askedMs,
              (before?.atMs ?? -WINDOW_MS) + WINDOW_MS,
              (turns[nth - 1]?.atMs ?? -WINDOW_MS) + Math.ceil(WINDOW_MS / rate / 2),
            );
            expect(turn.atMs).toBe(earliestMs);
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it("is not exceeded where requests arrive, though some are longer on their way than others", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 20 }),
        fc.array(fc.double({ min: 0, max: WINDOW_MS - 1000, noNaN: true }), {
          minLength: 30,
          maxLength: 60,
        }),
        async (rate, onTheWayMs) => {
          const { time, limiter } = setUp(rate);
          const arrivalsMs: number[] = [];
          for (const ms of onTheWayMs) {
            void limiter.take().then(() => arrivalsMs.push(time.nowMs + ms));
          }
          await time.moveTo(120_000);

          expect(arrivalsMs).toHaveLength(onTheWayMs.length);
          arrivalsMs.sort((a, b) => a - b);
          for (const [nth, atMs] of arrivalsMs.entries()) {
            const before = arrivalsMs[nth - rate];
            if (before !== undefined) expect(atMs - before).toBeGreaterThanOrEqual(1000 - 1e-6);
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it("counts a turn from when its request has left, however long this process took over it", async () => {
    const heldUpMs = 25;
    const { time, limiter } = setUp(1);
    const sentAtMs: number[] = [];
    for (let nth = 0; nth < 3; nth++) {
      void limiter.take().then(() => {
        time.nowMs += heldUpMs;
        sentAtMs.push(time.nowMs);
      });
    }
    await time.moveTo(60_000);

    const [first, ...others] = sentAtMs;
    expect(first).toBe(heldUpMs);
    for (const [nth, atMs] of others.entries()) {
      const before = sentAtMs[nth] ?? NaN;
      expect(atMs - heldUpMs - before).toBeGreaterThanOrEqual(WINDOW_MS);
    }
  });

  it("lets a waiting caller go at once when its signal fires, and keeps its turn for the next", async () => {
    const { time, limiter } = setUp(1);
    const stop = new AbortController();
    const seen: string[] = [];
    expect(await limiter.take()).toBe(true);
    void limiter.take(stop.signal).then((got) => seen.push(`second ${got}`));
    void limiter.take().then((got) => seen.push(`third ${got}`));

    stop.abort();
    await settled();
    expect(seen).toEqual(["second false"]);
    await time.moveTo(WINDOW_MS);
    expect(seen).toEqual(["second false", "third true"]);
  });

  it("gives no turn to a caller whose signal had already fired", async () => {
    const { limiter } = setUp(1);
    expect(await limiter.take(AbortSignal.abort())).toBe(false);
    expect(await limiter.take()).toBe(true);
  });

  it("leaves no timer behind when the last who waited has gone, and serves on", async () => {
    const { time, limiter } = setUp(1);
    const stop = new AbortController();
    await limiter.take();
    const gone = limiter.take(stop.signal);
    await settled();
    expect(time.sleepers.size).toBe(1);

    stop.abort();
    expect(await gone).toBe(false);
    await settled();
    expect(time.sleepers.size).toBe(0);

    const next = limiter.take();
    await time.moveTo(WINDOW_MS);
    expect(await next).toBe(true);
  });

  it("asks the clock again when a timer fires early", async () => {
    let nowMs = 0;
    let naps = 0;
    const limiter = createRateLimiter({
      requestsPerSecond: 1,
      clock: { monotonicMs: () => nowMs },
      sleep: (ms) => {
        naps += 1;
        nowMs += Math.max(ms - 1, 0.5);
        return Promise.resolve();
      },
    });
    await limiter.take();
    await limiter.take();
    expect(nowMs).toBeGreaterThanOrEqual(WINDOW_MS);
    expect(naps).toBeGreaterThan(1);
  });

  it("without a limit lets everybody through at once, but nobody whose signal has fired", async () => {
    const { time, limiter } = setUp(Infinity);
    const turns = await Promise.all(Array.from({ length: 1000 }, () => limiter.take()));
    expect(new Set(turns)).toEqual(new Set([true]));
    expect(await limiter.take(AbortSignal.abort())).toBe(false);
    expect(time.sleepers.size).toBe(0);
  });
});
