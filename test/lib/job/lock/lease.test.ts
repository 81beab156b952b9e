import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  acquireLease,
  LockUnavailableError,
  type HeldLease,
  type LockStore,
} from "../../../../lib/job/lock/index.ts";
import type { Clock } from "../../../../lib/support/clock.ts";
import { LeaseLostError } from "../../../../lib/support/lease.ts";

const TTL_MS = 30_000;
const RENEWAL_MS = TTL_MS / 3;
const TRUST_MS = TTL_MS * 0.9;
const request = {
  key: "afterhours:production:tests%2Fhold-lease",
  owner: "2026-11-22T15:37:00.000Z@runner-1:00000000-0000-4000-8000-00000000000a",
  ttlMs: TTL_MS,
};

/** Answers of a store to renewals, one after the other; the last one goes on for ever. */
type Renewal = "extended" | "lost" | "unavailable" | Promise<"extended" | "lost">;

interface ScriptedStore extends LockStore {
  readonly asked: string[];
}

function scriptedStore({
  renewals = ["extended"],
  acquire = () => Promise.resolve({ kind: "acquired", fence: 7n }),
}: { renewals?: Renewal[]; acquire?: LockStore["acquire"] } = {}): ScriptedStore {
  const script = [...renewals];
  const asked: string[] = [];
  return {
    asked,
    acquire: (given) => {
      asked.push("acquire");
      return acquire(given);
    },
    extend: () => {
      asked.push("extend");
      const answer = script.length > 1 ? script.shift() : script[0];
      return answer === undefined || answer === "unavailable"
        ? Promise.reject(new LockUnavailableError("script", new Error("no answer")))
        : Promise.resolve(answer);
    },
    release: ({ owner }) => {
      asked.push(`release ${owner}`);
      return Promise.resolve("released");
    },
    close: () => Promise.resolve(),
  };
}

function deferred(): { promise: Promise<"extended">; resolve: (answer: "extended") => void } {
  let resolve: (answer: "extended") => void = () => undefined;
  const promise = new Promise<"extended">((settle) => void (resolve = settle));
  return { promise, resolve };
}

/** Both clocks move with the timers; a test may set the wall clock or let the machine sleep. */
class TestClock implements Clock {
  wallShiftMs = 0;
  now(): Date {
    return new Date(Date.now() + this.wallShiftMs);
  }
  monotonicMs(): number {
    return performance.now();
  }
}

describe("a lease", () => {
  let clock: TestClock;
  const held: HeldLease[] = [];
  beforeEach(() => {
    vi.useFakeTimers();
    clock = new TestClock();
  });
  afterEach(async () => {
    for (const lease of held.splice(0)) await lease.release().catch(() => undefined);
    vi.useRealTimers();
  });

  async function acquire(
    store: LockStore,
    onRenewalFailed: (error: unknown) => void = () => undefined,
  ): Promise<HeldLease> {
    const result = await acquireLease(store, request, { clock, onRenewalFailed });
    if (result.kind === "held") throw new Error(`held by ${result.owner}`);
    held.push(result.lease);
    return result.lease;
  }
  const isTrusted = (lease: HeldLease): boolean => {
    try {
      lease.assertTrusted();
      return true;
    } catch (error) {
      expect(error).toBeInstanceOf(LeaseLostError);
      return false;
    }
  };
  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

  it("carries the fence of its acquisition and is trusted", async () => {
    const lease = await acquire(scriptedStore());
    expect(lease.fence).toBe(7n);
    expect(isTrusted(lease)).toBe(true);
    expect(lease.lost.aborted).toBe(false);
  });

  it("that another owner holds is the store's own answer, and nothing is renewed", async () => {
    const answer = { kind: "held" as const, owner: "somebody", expiresAt: new Date(0) };
    const store = scriptedStore({ acquire: () => Promise.resolve(answer) });
    expect(await acquireLease(store, request, { clock })).toEqual(answer);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("from a store that cannot be reached is that error, and nothing is renewed", async () => {
    const unavailable = new LockUnavailableError("script", new Error("no answer"));
    const store = scriptedStore({ acquire: () => Promise.reject(unavailable) });
    await expect(acquireLease(store, request, { clock })).rejects.toBe(unavailable);
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each([
    ["extended", true],
    ["lost", false],
    ["unavailable", true],
  ] as const)(
    "that is confirmed while the store answers %s is trusted: %s",
    async (answer, trusted) => {
      const store = scriptedStore({ renewals: [answer] });
      const lease = await acquire(store);
      await lease.confirm();
      expect(store.asked).toEqual(["acquire", "extend"]);
      expect([isTrusted(lease), lease.lost.aborted]).toEqual([trusted, !trusted]);
    },
  );

  it("whose trust has run out is lost without asking the store", async () => {
    const store = scriptedStore();
    const lease = await acquire(store);
    clock.wallShiftMs = TTL_MS;
    await lease.confirm();
    expect(store.asked).toEqual(["acquire"]);
    expect(lease.lost.aborted).toBe(true);
  });

  it("is renewed at each third of its time to live, and stays trusted as long as that works", async () => {
    const store = scriptedStore();
    const lease = await acquire(store);
    for (let renewals = 1; renewals <= 9; renewals += 1) {
      await pass(RENEWAL_MS);
      expect(store.asked.filter((call) => call === "extend")).toHaveLength(renewals);
      expect(isTrusted(lease)).toBe(true);
    }
  });

  describe("trust", () => {
    it("without any renewal ends at nine tenths of the time to live", async () => {
      const lease = await acquire(scriptedStore({ renewals: ["unavailable"] }));
      await pass(TRUST_MS - 1);
      expect(isTrusted(lease)).toBe(true);
      await pass(1);
      expect(isTrusted(lease)).toBe(false);
    });

    it("counts from the start of the acquisition, not from its answer", async () => {
      const slow = scriptedStore({
        renewals: ["unavailable"],
        acquire: async () => {
          await new Promise((resolve) => setTimeout(resolve, 20_000));
          return { kind: "acquired", fence: 7n };
        },
      });
      const acquiring = acquire(slow);
      await pass(20_000);
      const lease = await acquiring;
      await pass(TRUST_MS - 20_000 - 1);
      expect(isTrusted(lease)).toBe(true);
      await pass(1);
      expect(isTrusted(lease)).toBe(false);
    });

    it("counts from the start of the last renewal that succeeded, not from its answer", async () => {
      const answer = deferred();
      const lease = await acquire(scriptedStore({ renewals: [answer.promise, "unavailable"] }));
      await pass(RENEWAL_MS + 9_000);
      answer.resolve("extended");
      await pass(TRUST_MS - 9_000 - 1);
      expect(isTrusted(lease)).toBe(true);
      await pass(1);
      expect(isTrusted(lease)).toBe(false);
    });

    it("outlives renewals that fail, as long as one succeeds in time", async () => {
      const failures: unknown[] = [];
      const store = scriptedStore({
        renewals: ["unavailable", "extended", "unavailable", "unavailable", "extended", "extended"],
      });
      // Two failures in a row put the third renewal past nine tenths: it comes at the whole time.
      const lease = await acquire(store, (error) => failures.push(error));
      await pass(2 * RENEWAL_MS);
      expect(isTrusted(lease)).toBe(true);
      expect(failures).toEqual([expect.any(LockUnavailableError)]);
      await pass(2 * RENEWAL_MS);
      expect(isTrusted(lease)).toBe(true);
      await pass(TRUST_MS - 2 * RENEWAL_MS);
      expect(isTrusted(lease)).toBe(false);
      expect(failures).toHaveLength(3);
    });

    it("ends at once when the store says that the lease is lost", async () => {
      const lease = await acquire(scriptedStore({ renewals: ["lost"] }));
      await pass(RENEWAL_MS);
      expect(lease.lost.aborted).toBe(true);
      expect(isTrusted(lease)).toBe(false);
    });

    it("ends when the wall clock has jumped ahead, as after the sleep of a machine", async () => {
      const lease = await acquire(scriptedStore());
      clock.wallShiftMs = TRUST_MS;
      expect(isTrusted(lease)).toBe(false);
    });

    it("ends when the monotonic clock says so, though the wall clock was set back", async () => {
      const lease = await acquire(scriptedStore({ renewals: ["unavailable"] }));
      clock.wallShiftMs = -3_600_000;
      await pass(TRUST_MS - 1);
      expect(isTrusted(lease)).toBe(true);
      await pass(1);
      expect(isTrusted(lease)).toBe(false);
    });

    it("never comes back: a late answer to a renewal does not undo the loss", async () => {
      const answer = deferred();
      const lease = await acquire(scriptedStore({ renewals: [answer.promise, "extended"] }));
      await pass(TRUST_MS);
      expect(isTrusted(lease)).toBe(false);
      answer.resolve("extended");
      await pass(1);
      expect(isTrusted(lease)).toBe(false);
      expect(lease.lost.aborted).toBe(true);
    });
  });

  describe("the lost signal", () => {
    it("fires by itself soon after the trust has run out", async () => {
      const lease = await acquire(scriptedStore({ renewals: ["unavailable"] }));
      const fired = vi.fn();
      lease.lost.addEventListener("abort", fired);
      await pass(TRUST_MS - 1);
      expect(fired).not.toHaveBeenCalled();
      await pass(TTL_MS / 30 + 1);
      expect(fired).toHaveBeenCalledTimes(1);
    });

    it("fires before the store itself would give the key to somebody else", async () => {
      const silent = new Promise<"extended">(() => undefined);
      const result = await acquireLease(scriptedStore({ renewals: [silent] }), request, { clock });
      if (result.kind === "held") throw new Error("held");
      await pass(TTL_MS - 1);
      expect(result.lease.lost.aborted).toBe(true);
    });

    it("fires when a check finds the trust gone, without waiting for a timer", async () => {
      const lease = await acquire(scriptedStore());
      clock.wallShiftMs = TRUST_MS;
      expect(() => lease.assertTrusted()).toThrow(LeaseLostError);
      expect(lease.lost.aborted).toBe(true);
    });

    it("stops the renewals: a lost lease is not fetched back", async () => {
      const store = scriptedStore({ renewals: ["lost", "extended"] });
      const lease = await acquire(store);
      await pass(TTL_MS * 3);
      expect(store.asked.filter((call) => call === "extend")).toHaveLength(1);
      expect(lease.lost.aborted).toBe(true);
    });
  });

  describe("release", () => {
    it("stops renewing and frees the lock under its own owner", async () => {
      const store = scriptedStore();
      const lease = await acquire(store);
      await lease.release();
      expect(vi.getTimerCount()).toBe(0);
      expect(store.asked).toEqual(["acquire", `release ${request.owner}`]);
    });

    it("waits for a renewal on its way, so that no renewal follows a release", async () => {
      const answer = deferred();
      const store = scriptedStore({ renewals: [answer.promise] });
      const lease = await acquire(store);
      await pass(RENEWAL_MS);
      const released = lease.release();
      await pass(0);
      expect(store.asked).toEqual(["acquire", "extend"]);
      answer.resolve("extended");
      await released;
      expect(store.asked).toEqual(["acquire", "extend", `release ${request.owner}`]);
    });

    it("hands on the error of a store that cannot be reached, with no timer left", async () => {
      const store = scriptedStore();
      store.release = () => Promise.reject(new LockUnavailableError("script", new Error("gone")));
      const lease = await acquire(store);
      await expect(lease.release()).rejects.toThrow(LockUnavailableError);
      expect(vi.getTimerCount()).toBe(0);
    });

    it("of a lost lease still asks the store, which checks the owner", async () => {
      const store = scriptedStore({ renewals: ["lost"] });
      const lease = await acquire(store);
      await pass(RENEWAL_MS);
      await lease.release();
      expect(store.asked.at(-1)).toBe(`release ${request.owner}`);
    });
  });
});
