import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { describe, inject } from "vitest";

export interface TestRedis {
  readonly url: string;
  /** Every key of the test begins with it, so that tests share one server and see only their own. */
  readonly keyPrefix: string;
  /** A session for the test's own questions; it sees whole keys, without a prefix added. */
  readonly client: Redis;
  /** Deletes the test's keys and closes the session. */
  close(): Promise<void>;
}

/**
 * A `describe` for tests that need Redis. They are left out when `TEST_WITHOUT_REDIS=1`, which the
 * last lines of the run then say.
 */
export const describeWithRedis = describe.skipIf(inject("redisUrl") === null);

/** A corner of the run's Redis for one test. */
export function useTestRedis(): TestRedis {
  const url = inject("redisUrl");
  if (url === null) throw new Error("This test needs Redis: put it into describeWithRedis.");
  const keyPrefix = `test:${randomUUID()}:`;
  const client = new Redis(url, { maxRetriesPerRequest: 1 });
  client.on("error", () => undefined);
  return {
    url,
    keyPrefix,
    client,
    close: async () => {
      for await (const keys of client.scanStream({ match: `${keyPrefix}*`, count: 500 })) {
        const found = keys as string[];
        if (found.length > 0) await client.del(...found);
      }
      await client.quit();
    },
  };
}
