import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { lockKey, LockUnavailableError, type LockStore } from "../../../../lib/job/lock/index.ts";
import { freePort } from "../../../../scripts/dev/services/free-port.ts";
import { describeWithRedis } from "../../../support/redis.ts";
import { openTcpProxy, type TcpProxy } from "../../../support/tcp-proxy.ts";
import { postgresUnderTest, redisUnderTest, type StoreUnderTest } from "./stores.ts";
import { share } from "../../../support/share.ts";

const TTL_MS = 60_000;
const ANNA = "2026-11-22T15:37:00.000Z@runner-1:00000000-0000-4000-8000-00000000000a";
const BALA = "2026-11-22T15:38:00.000Z@runner-2:00000000-0000-4000-8000-00000000000b";
const OWNERS = [
  ANNA,
  BALA,
  "2026-11-22T15:39:00.000Z@runner-3:00000000-0000-4000-8000-00000000000c",
];

describe("locks in PostgreSQL", () => contract(postgresUnderTest));
describeWithRedis("locks in Redis", () => contract(redisUnderTest));

/** What every lock store promises; see lib/job/lock/lock-store.ts. */
function contract(prepare: () => Promise<StoreUnderTest>): void {
  let subject: StoreUnderTest;
  let store: LockStore;
  let key: string;
  beforeEach(async () => {
    subject = await prepare();
    store = subject.open();
    key = subject.key();
  });
  afterEach(async () => {
    vi.useRealTimers();
    await subject.close();
  });

  const acquire = (owner: string, ttlMs = TTL_MS) => store.acquire({ key, owner, ttlMs });
  const extend = (owner: string, ttlMs = TTL_MS) => store.extend({ key, owner, ttlMs });
  const release = (owner: string) => store.release({ key, owner });
  const fenceOf = async (owner: string): Promise<bigint> => {
    const answer = await acquire(owner);
    if (answer.kind === "held") throw new Error(`held by ${answer.owner}`);
    return answer.fence;
  };

  describe("acquire", () => {
    it("takes a free key", async () => {
      expect(await acquire(ANNA)).toEqual({ kind: "acquired", fence: 1n });
    });

    it("answers who holds a key and until about when", async () => {
      await acquire(ANNA);
      const before = Date.now();
      const answer = await acquire(BALA);
      expect(answer).toMatchObject({ kind: "held", owner: ANNA });
      if (answer.kind !== "held") return;
      expect(Math.abs(answer.expiresAt.getTime() - (before + TTL_MS))).toBeLessThan(TTL_MS / 2);
    });

    it("answers held to the holder itself: two runs never share a lock", async () => {
      await acquire(ANNA);
      expect(await acquire(ANNA)).toMatchObject({ kind: "held", owner: ANNA });
    });

    it("does not lengthen the time of the holder when it is refused", async () => {
      await acquire(ANNA, 600_000);
      await acquire(BALA, 10);
      const answer = await acquire(BALA);
      if (answer.kind !== "held") throw new Error("it was taken");
      expect(answer.expiresAt.getTime()).toBeGreaterThan(Date.now() + 300_000);
    });

    it("takes a key whose time to live has passed, without anybody's help", async () => {
      await acquire(ANNA, 30);
      await vi.waitUntil(async () => (await acquire(BALA)).kind === "acquired", { interval: 5 });
      expect(await extend(BALA)).toBe("extended");
    });
  });

  describe("the fence", () => {
    it("grows across release, expiry and other owners", async () => {
      const fences = [await fenceOf(ANNA)];
      await release(ANNA);
      fences.push(await fenceOf(BALA));
      await subject.expire(key);
      fences.push(await fenceOf(ANNA));
      await release(ANNA);
      fences.push(await fenceOf(ANNA));
      expect(fences).toEqual([...new Set(fences)].sort((a, b) => Number(a - b)));
    });

    it("does not change while the lock is extended", async () => {
      const first = await fenceOf(ANNA);
      await extend(ANNA);
      await extend(ANNA);
      await release(ANNA);
      expect(await fenceOf(BALA)).toBe(first + 1n);
    });

    it("of one key does not depend on another key", async () => {
      await fenceOf(ANNA);
      await release(ANNA);
      expect(await store.acquire({ key: subject.key(), owner: ANNA, ttlMs: TTL_MS })).toEqual({
        kind: "acquired",
        fence: 1n,
      });
    });
  });

  describe("extend", () => {
    it("counts the time to live anew from now", async () => {
      await acquire(ANNA, 1000);
      expect(await extend(ANNA, 600_000)).toBe("extended");
      const answer = await acquire(BALA);
      if (answer.kind !== "held") throw new Error("it was taken");
      expect(answer.expiresAt.getTime()).toBeGreaterThan(Date.now() + 300_000);
    });

    it("is refused to another owner, and changes nothing for the holder", async () => {
      await acquire(ANNA);
      expect(await extend(BALA)).toBe("lost");
      expect(await acquire(BALA)).toMatchObject({ kind: "held", owner: ANNA });
    });

    it("is refused once the time has passed, even if nobody else has taken the key", async () => {
      await acquire(ANNA);
      await subject.expire(key);
      expect(await extend(ANNA)).toBe("lost");
      expect((await acquire(BALA)).kind).toBe("acquired");
    });

    it("is refused after a release and for a key that nobody ever took", async () => {
      expect(await extend(ANNA)).toBe("lost");
      await acquire(ANNA);
      await release(ANNA);
      expect(await extend(ANNA)).toBe("lost");
    });
  });

  describe("release", () => {
    it("frees the key for the next", async () => {
      await acquire(ANNA);
      expect(await release(ANNA)).toBe("released");
      expect((await acquire(BALA)).kind).toBe("acquired");
    });

    it("by another owner frees nothing", async () => {
      await acquire(ANNA);
      expect(await release(BALA)).toBe("not-held");
      expect(await acquire(BALA)).toMatchObject({ kind: "held", owner: ANNA });
    });

    it("by a late first holder does not free the lock of the next one", async () => {
      await acquire(ANNA);
      await subject.expire(key);
      await acquire(BALA);
      expect(await release(ANNA)).toBe("not-held");
      expect(await acquire(ANNA)).toMatchObject({ kind: "held", owner: BALA });
    });

    it("twice, or of a key that nobody took, is no error", async () => {
      expect(await release(ANNA)).toBe("not-held");
      await acquire(ANNA);
      await release(ANNA);
      expect(await release(ANNA)).toBe("not-held");
    });
  });

  describe("whatever is asked in whatever order", () => {
    it("there is one holder at most, and the answers are those of a lock with a fence", async () => {
      const owner = fc.constantFrom(...OWNERS);
      const step = fc.oneof(
        fc.record({ ask: fc.constant("acquire" as const), owner }),
        fc.record({ ask: fc.constant("extend" as const), owner }),
        fc.record({ ask: fc.constant("release" as const), owner }),
        fc.record({ ask: fc.constant("expire" as const), owner }),
      );
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 25, size: "max" }), async (steps) => {
          key = subject.key();
          let holder: string | undefined;
          let fence = 0n;
          for (const { ask, owner: who } of steps) {
            if (ask === "acquire") {
              const expected =
                holder === undefined
                  ? { kind: "acquired", fence: (fence += 1n) }
                  : { kind: "held", owner: holder };
              holder ??= who;
              expect(await acquire(who)).toMatchObject(expected);
            } else if (ask === "extend") {
              expect(await extend(who)).toBe(who === holder ? "extended" : "lost");
            } else if (ask === "release") {
              const answer = await release(who);
              // A lease that has run out may be released or be gone: it holds nothing either way.
              if (holder !== undefined)
                expect(answer).toBe(who === holder ? "released" : "not-held");
              if (who === holder) holder = undefined;
            } else {
              await subject.expire(key);
              holder = undefined;
            }
          }
        }),
        { numRuns: 40 },
      );
    });
  });

  describe("between contenders at the same moment", () => {
    it("a counter that is read, changed and written in steps loses no increment", async () => {
      const contenders = 6;
      const rounds = 8;
      let counter = 0;
      let inside = 0;
      const fences: bigint[] = [];
      await Promise.all(
        Array.from({ length: contenders }, async (_, number) => {
          const own = subject.open();
          for (let round = 0; round < rounds; round += 1) {
            const owner = `2026-11-22T15:37:00.000Z@runner-${number}:${round}`;
            const request = { key, owner, ttlMs: TTL_MS };
            let answer = await own.acquire(request);
            while (answer.kind === "held") answer = await own.acquire(request);
            inside += 1;
            expect(inside).toBe(1);
            fences.push(answer.fence);
            const seen = counter;
            // Other contenders run while this holder waits for the server.
            await own.extend(request);
            counter = seen + 1;
            inside -= 1;
            expect(await own.release(request)).toBe("released");
          }
        }),
      );
      expect(counter).toBe(contenders * rounds);
      expect(fences).toEqual(fences.map((_, index) => BigInt(index + 1)));
    });

    it("one gets a key that has just run out, and each of the others is told who", async () => {
      await acquire(ANNA);
      await subject.expire(key);
      const answers = await Promise.all(
        Array.from({ length: 8 }, (_, number) =>
          subject.open().acquire({ key, owner: `runner-${number}`, ttlMs: TTL_MS }),
        ),
      );
      const winners = answers.flatMap((answer, number) =>
        answer.kind === "acquired" ? [`runner-${number}`] : [],
      );
      expect(winners).toHaveLength(1);
      const others = answers.filter((answer) => answer.kind === "held");
      expect(others.map(({ owner }) => owner)).toEqual(Array(7).fill(winners[0]));
    });
  });

  it("keys with odd characters stay apart", async () => {
    const names = [
      "a",
      "a:b",
      "a%3Ab",
      "a b",
      "a/b",
      "{a}",
      "a}b{",
      "ä",
      "a\\",
      "a'; --",
      "a\nb",
      "*",
    ];
    for (const name of names) {
      const request = { key: subject.key(name), owner: name, ttlMs: TTL_MS };
      expect(await store.acquire(request)).toEqual({ kind: "acquired", fence: 1n });
    }
    for (const name of names) {
      const request = { key: subject.key(name), owner: "other", ttlMs: TTL_MS };
      expect(await store.acquire(request)).toMatchObject({ kind: "held", owner: name });
    }
  });

  it("a count that can not go up is no outage: it is said, no lock is left, and a reset one works", async () => {
    await subject.setFence(key, 2n ** 63n - 1n);
    const thrown: unknown = await acquire(ANNA).catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(LockUnavailableError);
    const { message, remedy } = thrown as LockUnavailableError;
    expect(message).toContain("answers, but no run writes the value that it keeps for this lock");
    expect(message).not.toContain("cannot be reached");
    expect(remedy).toContain("docs/operations.md#a-lock-that-no-run-can-take");
    await subject.setFence(key, 1_000_000n);
    expect(await acquire(BALA)).toEqual({ kind: "acquired", fence: 1_000_001n });
  });

  describe("a store that cannot be reached", () => {
    let proxy: TcpProxy;
    beforeEach(async () => void (proxy = await openTcpProxy(subject.url)));
    afterEach(() => proxy.close());

    it("is an error of its own and never answers held, where nobody listens", async () => {
      const url = new URL(subject.url);
      url.port = String(await freePort());
      store = subject.open(url.href);
      await expect(acquire(ANNA)).rejects.toThrow(LockUnavailableError);
      await expect(extend(ANNA)).rejects.toThrow(LockUnavailableError);
      await expect(release(ANNA)).rejects.toThrow(LockUnavailableError);
      await expect(store.close()).resolves.toBeUndefined();
    });

    it("says what to look at, keeps the cause, and does not show the password", async () => {
      const url = new URL(subject.url);
      url.port = String(await freePort());
      store = subject.open(url.href);
      const error = await acquire(ANNA).then(
        () => undefined,
        (thrown: unknown) => thrown as LockUnavailableError,
      );
      expect(error).toMatchObject({
        code: "LOCK_UNAVAILABLE",
        cause: expect.any(Error) as Error,
        remedy: expect.stringContaining("up") as string,
      });
      expect(error?.message).not.toContain(url.password);
    });

    it("is an error when the connection breaks, and works again when it is back", async () => {
      store = subject.open(proxy.through(subject.url));
      await acquire(ANNA);
      proxy.cut();
      // However long the outage is, and whatever the driver has given up meanwhile.
      await vi.waitUntil(
        async () => {
          await expect(extend(ANNA)).rejects.toThrow(LockUnavailableError);
          return proxy.refused() >= 5;
        },
        { timeout: 20_000, interval: 5 },
      );
      await expect(acquire(BALA)).rejects.toThrow(LockUnavailableError);
      await expect(release(ANNA)).rejects.toThrow(LockUnavailableError);
      proxy.restore();
      await vi.waitUntil(async () => (await extend(ANNA).catch(() => "")) === "extended");
      expect(await acquire(BALA)).toMatchObject({ kind: "held", owner: ANNA });
    });

    it("is an error when the server has fallen silent", async () => {
      store = subject.open(proxy.through(subject.url));
      await acquire(ANNA);
      proxy.silence();
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
      const extended = expect(extend(ANNA)).rejects.toThrow(LockUnavailableError);
      await vi.advanceTimersByTimeAsync(60_000);
      await extended;
    });

    it("can be closed without an error, whatever state it is in", async () => {
      store = subject.open(proxy.through(subject.url));
      await acquire(ANNA);
      proxy.cut();
      await expect(store.close()).resolves.toBeUndefined();
      await expect(store.close()).resolves.toBeUndefined();
    });
  });
}

describe("the key of a lock", () => {
  it("names product, environment and job", () => {
    expect(lockKey({ environment: "production", job: "payouts/process-payouts" })).toBe(
      "afterhours:production:payouts%2Fprocess-payouts",
    );
  });

  it("of two different environments or jobs is never the same, whatever their names hold", () => {
    const text = fc.oneof(
      fc.string({ unit: fc.constantFrom("a", ":", "%", "3", "A", "/", "{", "}", " ") }),
      fc.string({ unit: "grapheme" }),
    );
    const name = fc.record({ environment: text, job: text });
    fc.assert(
      fc.property(name, name, (one, other) => {
        const same = one.environment === other.environment && one.job === other.job;
        expect(lockKey(one) === lockKey(other)).toBe(same);
      }),
      { numRuns: share(2000) },
    );
  });

  it("holds neither braces nor spaces, so that a Redis hash tag round it is its whole", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        expect(lockKey({ environment: text, job: text })).toMatch(/^[^{}\s]*$/);
      }),
    );
  });
});

describe("a row of job_leases", () => {
  let subject: StoreUnderTest;
  beforeEach(async () => void (subject = await postgresUnderTest()));
  afterEach(() => subject.close());

  it.each([
    ["job_leases_fence", "fence = 9223372036854775807"],
    ["job_leases_fence", "fence = fence + 2"],
    ["job_leases_fence", "fence = fence - 1"],
    ["job_leases_expires", "expires_at = '2999-01-01'"],
    ["job_leases_expires", "expires_at = clock_timestamp() + interval '25 hours'"],
    ["job_leases_key", "key = 'another'"],
  ])("keeps out what would stop its job for good (%s: %s)", async (constraint, change) => {
    const key = subject.key();
    await subject.open().acquire({ key, owner: ANNA, ttlMs: TTL_MS });
    await expect(subject.query(`UPDATE job_leases SET ${change}`)).rejects.toMatchObject({
      constraint,
    });
  });

  it("begins with a fence of one", async () => {
    await expect(
      subject.query("INSERT INTO job_leases (key, fence) VALUES ('k', 9223372036854775807)"),
    ).rejects.toMatchObject({ constraint: "job_leases_fence" });
  });
});
