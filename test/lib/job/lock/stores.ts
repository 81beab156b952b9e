import { randomUUID } from "node:crypto";
import pg from "pg";
import { connectionConfig } from "../../../../lib/db/connection.ts";
import {
  createPostgresLockStore,
  lockKey,
  type LockStore,
} from "../../../../lib/job/lock/index.ts";
import { createRedisLockStore } from "../../../../lib/job/lock/redis-lock-store.ts";
import { createTestDatabase } from "../../../support/database.ts";
import { useTestRedis } from "../../../support/redis.ts";

/** What the contract's tests need to know of one kind of store. */
export interface StoreUnderTest {
  /** The server's address. */
  readonly url: string;
  /** A store with a connection of its own, as another process would have it. */
  open(url?: string): LockStore;
  /** Lets the time to live of a key pass now. */
  expire(key: string): Promise<void>;
  /** Sets the count of a key whatever it is, as somebody with the owner's password, or Redis's, can. */
  setFence(key: string, fence: bigint): Promise<void>;
  /** A statement, where the store is PostgreSQL. */
  query(sql: string): Promise<unknown>;
  /** A key that no other test uses. */
  key(job?: string): string;
  /** Ends everything that was opened. */
  close(): Promise<void>;
}

export async function postgresUnderTest(): Promise<StoreUnderTest> {
  const database = await createTestDatabase();
  const pools: pg.Pool[] = [];
  return {
    url: database.url,
    open(url = database.url) {
      const pool = new pg.Pool({
        ...connectionConfig({ url, applicationName: "afterhours tests/lock", readOnly: false }),
        max: 1,
        query_timeout: 15_000,
      });
      pool.on("error", () => undefined);
      pools.push(pool);
      return createPostgresLockStore(pool);
    },
    expire: async (key) => {
      await database.query(
        "UPDATE job_leases SET expires_at = clock_timestamp() - interval '1 millisecond' WHERE key = $1",
        [key],
      );
    },
    setFence: async (key, fence) => {
      await database.query(
        `INSERT INTO job_leases (key, fence)
         SELECT $1, $2 FROM set_config('session_replication_role', 'replica', true)
         ON CONFLICT (key) DO UPDATE SET owner = NULL, expires_at = NULL, fence = EXCLUDED.fence`,
        [key, fence.toString()],
      );
    },
    query: (sql) => database.query(sql),
    key: keysOf(`test-${randomUUID()}`),
    async close() {
      for (const pool of pools) await pool.end();
      await database.drop();
    },
  };
}

export function redisUnderTest(): Promise<StoreUnderTest> {
  const redis = useTestRedis();
  const { url, client } = redis;
  const environment = `test-${randomUUID()}`;
  const stores: LockStore[] = [];
  return Promise.resolve({
    url,
    open(address = url) {
      const store = createRedisLockStore(address, { now: () => new Date() });
      stores.push(store);
      return store;
    },
    expire: async (key) => {
      await client.pexpire(`{${key}}:lock`, 0);
    },
    setFence: async (key, fence) => {
      await client.set(`{${key}}:fence`, fence.toString());
    },
    query: () => Promise.reject(new Error("Redis takes no SQL")),
    key: keysOf(environment),
    async close() {
      for (const store of stores) await store.close();
      for await (const keys of client.scanStream({ match: `{afterhours:${environment}*` })) {
        const found = keys as string[];
        if (found.length > 0) await client.del(...found);
      }
      await redis.close();
    },
  });
}

function keysOf(environment: string): (job?: string) => string {
  return (job = `tests/${randomUUID()}`) => lockKey({ environment, job });
}
