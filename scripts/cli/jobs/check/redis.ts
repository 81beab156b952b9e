import { parseHarnessEnvironment } from "../../../../lib/job/environment.ts";
import { LockUnavailableError } from "../../../../lib/job/lock/lock-store.ts";
import { createRedisLockStore } from "../../../../lib/job/lock/redis-lock-store.ts";
import { told } from "../../frame/command.ts";
import { systemClock } from "../../../../lib/support/clock.ts";
import { present, type Env } from "../../../../lib/support/environment.ts";
import { notChecked, overChannel, sentence, wrong, type CheckFinding } from "./finding.ts";

const PART = "redis";

/** The lock store answers, takes the login, and takes locks. */
export async function checkRedis(env: Env): Promise<CheckFinding> {
  const url = present(env, "REDIS_URL");
  if (url === undefined) return notChecked(PART, "REDIS_URL is not set; locks are in PostgreSQL");
  // The database has its own part; of this one only the addresses are looked at.
  const harness = parseHarnessEnvironment({ DATABASE_URL: "postgres://localhost/none", ...env });
  if (!harness.ok) return wrong(PART, sentence(harness.problems));
  if (harness.settings.lockStore !== "redis") {
    return notChecked(PART, `LOCK_STORE is ${harness.settings.lockStore}`);
  }
  const store = createRedisLockStore(url, { now: () => systemClock.now() });
  try {
    return overChannel(PART, `${new URL(url).host} answers`, await store.check());
  } catch (error) {
    // A check starts nothing, so that only the repair is said of a lock that is not there.
    const detail =
      error instanceof LockUnavailableError ? `${error.message}. ${error.repair}` : told(error);
    return wrong(PART, `${new URL(url).host}: ${detail}`);
  } finally {
    await store.close();
  }
}
