import { minutes, systemClock } from "../../../../lib/support/clock.ts";
import { lockKey } from "../../../../lib/job/lock/index.ts";
import { createPostgresLockStore } from "../../../../lib/job/lock/postgres-lock-store.ts";
import { createRedisLockStore } from "../../../../lib/job/lock/redis-lock-store.ts";
import pg from "pg";
import { findRedis } from "../../services/redis-binary.ts";
import { startRedis } from "../../services/redis.ts";
import { sideBySide } from "../alternate.ts";
import { startBenchServer, withClient } from "../databases.ts";
import type { Bench, Row, Target } from "../figure.ts";
import { Recorder } from "../spread.ts";
import { runNode, type ProcessCost } from "./run-process.ts";

/** One that moves money and asks the provider, and a light one. */
const JOBS = ["payouts/process-payouts", "waitlist/process-expired-notifications"] as const;
const HELD = "held";
const ONE_CONNECTION = "node -e with one pg connection";

/** The time of Node itself and of one round trip to the database: the lower limit of every job. */
const REFERENCE = [
  "-e",
  `const pg = require("pg");
   const client = new pg.Client({ connectionString: process.env.DATABASE_URL });
   client.connect().then(() => client.query("SELECT 1")).then(() => client.end());`,
];

/** A way for a job to have nothing to do. */
interface Case {
  name: string;
  args: readonly string[];
  env: Record<string, string>;
  /** The value of its step output. */
  ends: "completed" | "skipped";
  atMost?: number;
}

/** Whole processes, as a workflow starts them. */
export const startupBench: Bench = {
  name: "startup",
  title: "Start to finish of an idle job",
  run: async ({ rounds, quick, say }) => {
    const stops: (() => Promise<void>)[] = [];
    try {
      const server = await startBenchServer();
      stops.push(server.stop);
      const idle = await server.create("bench_idle");
      const paused = await server.create("bench_paused");
      await withClient(paused, (client) =>
        client.query(
          `INSERT INTO maintenance (id, phase, reason) VALUES (1, 'offline', 'a benchmark')
           ON CONFLICT (id) DO UPDATE SET phase = 'offline'`,
        ),
      );
      const redis = findRedis() ? await startRedis() : undefined;
      if (redis) stops.push(redis.stop);
      else say("no redis-server here: locks in Redis are left out");
      for (const job of JOBS) await holdLocks(job, { idle, redisUrl: redis?.url });

      const jobs = quick ? JOBS.slice(1) : JOBS;
      const cases = jobs.flatMap((job) => casesOf(job, { idle, paused, redisUrl: redis?.url }));
      const recorder = new Recorder();
      for (let round = 0; round < rounds; round++) {
        for (const one of cases) {
          const { subject, reference } = await sideBySide(round, {
            subject: () => runCase(one),
            reference: () => runNode(REFERENCE, { DATABASE_URL: idle }),
          });
          record(recorder, one.name, subject);
          record(recorder, `${one.name} reference`, reference);
        }
        say(`round ${round + 1} of ${rounds}`);
      }
      return [
        {
          heading: "Elapsed time",
          rows: cases.map((one) => rowOf(recorder, { one, what: "wall", atMost: one.atMost })),
        },
        {
          heading: "Time on the processor",
          rows: cases.map((one) => rowOf(recorder, { one, what: "cpu", atMost: undefined })),
        },
        {
          heading: "Peak memory",
          rows: cases.map((one): Row => {
            const row = rowOf(recorder, { one, what: "peak", atMost: undefined });
            const target: Target = { of: "value", atMost: 150 };
            return one.atMost === undefined ? row : { ...row, target };
          }),
        },
      ];
    } finally {
      for (const stop of stops.reverse()) await stop();
    }
  },
};

function casesOf(
  job: string,
  at: { idle: string; paused: string; redisUrl: string | undefined },
): Case[] {
  const bundle = [`dist/jobs/${job}.js`];
  const source = ["--import", "tsx", `jobs/${job}.ts`];
  const env = { ...STEP, DATABASE_URL: at.idle };
  const held = { AFTERHOURS_ENV: HELD };
  const redis = at.redisUrl === undefined ? undefined : { REDIS_URL: at.redisUrl };
  const skipped = { args: bundle, ends: "skipped", atMost: 1.6 } as const;
  const done = { args: bundle, ends: "completed", atMost: 3 } as const;
  const cases: Case[] = [
    { ...skipped, name: "skipped by maintenance", env: { ...env, DATABASE_URL: at.paused } },
    { ...skipped, name: "skipped by a lock in PostgreSQL", env: { ...env, ...held } },
    { ...done, name: "nothing due, lock in PostgreSQL", env },
    { name: "nothing due, from source (tsx)", args: source, ends: "completed", env },
  ];
  if (redis) {
    cases.push(
      { ...skipped, name: "skipped by a lock in Redis", env: { ...env, ...redis, ...held } },
      { ...done, name: "nothing due, lock in Redis", env: { ...env, ...redis } },
    );
  }
  return cases.map((one) => ({ ...one, name: `${job}: ${one.name}` }));
}

/** As in a step of a workflow. The provider is never asked: nothing is due. */
const STEP = {
  GITHUB_ACTIONS: "true",
  GITHUB_OUTPUT: "/dev/null",
  GITHUB_STEP_SUMMARY: "/dev/null",
  RAZORPAYX_KEY_ID: "rzp_test_bench",
  RAZORPAYX_KEY_SECRET: "bench",
  RAZORPAYX_ACCOUNT_NUMBER: "2323230000000001",
  RAZORPAY_BASE_URL: "http://127.0.0.1:9",
};

/** @throws for a run that did something else than it is measured for */
async function runCase({ name, args, env, ends }: Case): Promise<ProcessCost> {
  const cost = await runNode(args, env);
  if (cost.exitCode === 0 && cost.stdout.includes(`: ${ends}`)) return cost;
  throw new Error(`${name}: expected ${ends}, not\n${cost.stdout}${cost.stderr}`);
}

/** Somebody else's, for as long as the benchmark may take. */
async function holdLocks(
  job: string,
  { idle, redisUrl }: { idle: string; redisUrl: string | undefined },
): Promise<void> {
  const request = {
    key: lockKey({ environment: HELD, job }),
    owner: "2026-01-01T00:00:00.000Z@bench:another-run",
    ttlMs: minutes(24 * 60),
  };
  const pool = new pg.Pool({ connectionString: idle, max: 1 });
  await createPostgresLockStore(pool).acquire(request);
  await pool.end();
  if (redisUrl === undefined) return;
  const store = createRedisLockStore(redisUrl, { now: () => systemClock.now() });
  await store.acquire(request);
  await store.close();
}

function record(recorder: Recorder, name: string, cost: ProcessCost): void {
  recorder.add(`${name} wall`, "ms", cost.wallMs);
  recorder.add(`${name} cpu`, "ms", cost.cpuMs);
  recorder.add(`${name} peak`, "MB", cost.peakMb);
}

function rowOf(
  recorder: Recorder,
  { one, what, atMost }: { one: Case; what: "wall" | "cpu" | "peak"; atMost: number | undefined },
): Row {
  return {
    measured: { ...recorder.measurement(`${one.name} ${what}`), name: one.name },
    against: {
      ...recorder.measurement(`${one.name} reference ${what}`),
      name: ONE_CONNECTION,
    },
    ...(atMost !== undefined && { target: { of: "ratio", atMost } }),
  };
}
