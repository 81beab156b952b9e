import { systemClock } from "../support/clock.ts";
import type { EnvironmentSpec } from "../support/environment.ts";
import { parseHarnessEnvironment } from "./environment.ts";
import { lockKey } from "./lock/index.ts";

/** Where the locks of all jobs are. */
export interface LockSettings {
  /** Undefined where locks are rows of the database, or switched off. */
  redisUrl: string | undefined;
  environmentName: string;
}

/**
 * For a job that looks at the locks of others. The harness has already reported problems of these variables.
 */
export const lockEnvironment: EnvironmentSpec<LockSettings> = {
  // Every job lists them as the harness's.
  variables: [],
  parse(env) {
    const harness = parseHarnessEnvironment(env);
    if (!harness.ok) return { ok: false, problems: [] };
    const { redisUrl, lockStore, environmentName } = harness.settings;
    return {
      ok: true,
      settings: { redisUrl: lockStore === "redis" ? redisUrl : undefined, environmentName },
      secrets: [],
    };
  },
};

/**
 * The owner of a job's lock in Redis, if it has one. Locks of the database are rows that a core reads itself.
 *
 * @throws {LockUnavailableError}
 */
export async function redisLockHolder(
  { redisUrl, environmentName }: LockSettings,
  job: string,
): Promise<string | undefined> {
  if (redisUrl === undefined) return undefined;
  const { createRedisLockStore } = await import("./lock/redis-lock-store.ts");
  const store = createRedisLockStore(redisUrl, { now: () => systemClock.now() });
  try {
    return await store.holder(lockKey({ environment: environmentName, job }));
  } finally {
    await store.close();
  }
}
