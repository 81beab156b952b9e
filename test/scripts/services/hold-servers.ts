import { startPostgres } from "../../../scripts/dev/services/postgres.ts";
import { startRedis } from "../../../scripts/dev/services/redis.ts";

// Starts servers and stops none: what becomes of them when this process is gone is the question.
const postgres = await startPostgres({ durability: "none" });
const redis = process.argv.includes("--redis") ? await startRedis() : undefined;
console.log(
  `ready ${JSON.stringify({ postgres: postgres.url, redis: redis?.url, log: postgres.logFile })}`,
);
if (process.argv.includes("--wait")) process.stdin.resume();
