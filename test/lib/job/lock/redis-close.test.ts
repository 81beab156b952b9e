import { randomUUID } from "node:crypto";
import { expect, inject, it, onTestFinished, vi } from "vitest";
import { createRedisLockStore } from "../../../../lib/job/lock/redis-lock-store.ts";
import { describeWithRedis } from "../../../support/redis.ts";

describeWithRedis("a store in Redis that has been closed", () => {
  it("is cut without anything that would keep the process alive", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const cut = new AbortController();
    const store = createRedisLockStore(inject("redisUrl") ?? "", {
      now: () => new Date(),
      cut: cut.signal,
    });
    const request = { key: `test:${randomUUID()}`, owner: "a test", ttlMs: 1000 };
    await store.acquire(request);
    await store.release(request);
    await store.close();
    await vi.waitUntil(() => vi.getTimerCount() === 0);

    cut.abort();

    expect(vi.getTimerCount()).toBe(0);
  });
});
