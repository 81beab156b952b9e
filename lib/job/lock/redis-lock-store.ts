import { Redis } from "ioredis";
import { channelOf, type Channel } from "../../support/channel.ts";
import { backOffMs, type BackOff } from "../../support/back-off.ts";
import { seconds } from "../../support/clock.ts";
import { redisFault } from "../../support/server-fault/index.ts";
import { limitAnswers, redisOptions } from "./redis-address.ts";
import { LockUnavailableError, type Acquisition, type LockStore } from "./lock-store.ts";
import { explainRedis } from "./redis-silence.ts";

/**
 * Takes the key and counts the fence in one step, so that no fence is given out for a lock that was
 * not taken. Where the fence can't go up, the key is given back: it would be a lock without an owner. Both keys
 * share a hash tag, so that they lie on one node of a cluster.
 * Returns `{1, fence}` or `{0, owner, remaining ms, fence}`.
 */
const ACQUIRE = `
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then
  local counted = redis.pcall('INCR', KEYS[2])
  if type(counted) == 'table' then
    redis.call('DEL', KEYS[1])
    return counted
  end
  return {1, redis.call('GET', KEYS[2])}
end
return {0, redis.call('GET', KEYS[1]), redis.call('PTTL', KEYS[1]), redis.call('GET', KEYS[2])}`;

const EXTEND = `
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 0`;

const RELEASE = `
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0`;

/** A dead server is not asked for ever. */
const CONNECT: BackOff = { firstMs: 200, tries: 4 };

interface RedisLockPorts {
  /** The present instant, to turn a remaining time to live into a time of day for people. */
  now: () => Date;
  /** When this fires, the connection ends, and every command without an answer fails. */
  cut?: AbortSignal;
}

interface RedisLockStore extends LockStore {
  /** The owner of a key, for callers that only read. @throws {LockUnavailableError} */
  holder(key: string): Promise<string | undefined>;
  /**
   * Checks that a lock could be written, without writing one, and returns the properties of the connection.
   * @throws {LockUnavailableError}
   */
  check(): Promise<Channel>;
}

/** Locks as keys of a Redis server with `SET NX PX`. The server's own clock expires them. */
export function createRedisLockStore(url: string, { now, cut }: RedisLockPorts): RedisLockStore {
  const redis = new Redis({
    ...redisOptions(url),
    lazyConnect: true,
    connectTimeout: seconds(5),
    commandTimeout: seconds(5),
    // A line that swallows everything never says that it has ended, and a run that is stopped has no time to wait.
    disconnectTimeout: seconds(0.2),
    maxRetriesPerRequest: 1,
    retryStrategy: (failedTries) => backOffMs(CONNECT, failedTries) ?? null,
  });
  // Without a listener they would end the process. The driver gives up with an error that does not say why.
  let lastError: unknown;
  redis.on("error", (error: unknown) => void (lastError = error));
  redis.on("connect", () => limitAnswers(redis));
  redis.on("ready", () => void (lastError = undefined));
  // The driver waits 2 s for the end of a connection that has ended already, and the process with it.
  const end = (): void => {
    if (redis.status !== "end") redis.disconnect();
  };
  cut?.addEventListener("abort", end, { once: true });

  /** Locks that this store has given out and that were not released. */
  const taken = new Set<string>();
  const holding = (key: string, owner: string): string => `${key} ${owner}`;
  const names = (key: string): [string, string] => [`{${key}}:lock`, `{${key}}:fence`];
  const run = async <T>(command: () => Promise<T>): Promise<T> => {
    try {
      cut?.throwIfAborted();
      // The driver has given up meanwhile: a renewal after an outage brings the connection back.
      if (redis.status === "end") await redis.connect();
      return await command();
    } catch (error) {
      const fault = redisFault(error, lastError);
      const isConnected = redis.status === "connect";
      throw new LockUnavailableError(
        "Redis",
        error,
        cut?.aborted ? fault : await explainRedis(url, fault, { isConnected }),
      );
    }
  };

  return {
    async acquire({ key, owner, ttlMs }): Promise<Acquisition> {
      const [lock, fence] = names(key);
      const answer = (await run(() => redis.eval(ACQUIRE, 2, lock, fence, owner, ttlMs))) as
        [1, string] | [0, string, number, string];
      // The driver sends a command again when its answer was lost with the connection. If this owner holds the
      // key without knowing, the first command had arrived.
      const isOurs = answer[0] === 0 && answer[1] === owner && !taken.has(holding(key, owner));
      if (answer[0] === 1 || isOurs) {
        taken.add(holding(key, owner));
        return { kind: "acquired", fence: BigInt(answer[0] === 1 ? answer[1] : answer[3]) };
      }
      return {
        kind: "held",
        owner: answer[1],
        expiresAt: new Date(now().getTime() + Math.max(0, answer[2])),
      };
    },

    async extend({ key, owner, ttlMs }) {
      const [lock] = names(key);
      return (await run(() => redis.eval(EXTEND, 1, lock, owner, ttlMs))) === 1
        ? "extended"
        : "lost";
    },

    async release({ key, owner }) {
      const [lock] = names(key);
      taken.delete(holding(key, owner));
      return (await run(() => redis.eval(RELEASE, 1, lock, owner))) === 1 ? "released" : "not-held";
    },

    async holder(key) {
      const [lock] = names(key);
      return (await run(() => redis.get(lock))) ?? undefined;
    },

    async check() {
      // Sets a key only if it is there, which it never is: refused as any write is, and changes nothing.
      await run(() => redis.set("{afterhours:check}:lock", "check", "PX", 1, "XX"));
      return channelOf(redis.stream, redisOptions(url).host ?? "");
    },

    close() {
      end();
      return Promise.resolve();
    },
  };
}
