import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { lockKey } from "../../../lib/job/lock/index.ts";
import { freePort } from "../../../scripts/dev/services/free-port.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { describeWithRedis, useTestRedis } from "../../support/redis.ts";
import { useGithubStep } from "./github-step.ts";
import { openMonitor, type Monitor } from "./settle/monitor.ts";
import { REPORT, runTestJob, testJob, type TestJob } from "./test-job.ts";

const step = useGithubStep();
let database: TestDatabase;
let env: Record<string, string>;
let monitor: Monitor;
let started: number;
beforeEach(async () => {
  database = await createTestDatabase();
  monitor = await openMonitor();
  env = { DATABASE_URL: database.url, HEARTBEAT_URL: monitor.url, ...step.env };
  started = 0;
});
afterEach(async () => {
  await monitor.close();
  await database.drop();
});

/** A job that counts how often its core was started. */
const countingJob = (overrides: Partial<TestJob> = {}): TestJob =>
  testJob({
    run: () => {
      started += 1;
      return Promise.resolve({ verdict: { kind: "completed" }, report: REPORT });
    },
    ...overrides,
  });
const records = () => database.query("SELECT * FROM job_runs");
const closedPort = async (): Promise<string> => String(await freePort());

describe("a run that is misconfigured", () => {
  it("says everything that is wrong at once, of harness, job and command line, and starts nothing", async () => {
    const { outcome, stdout, log } = await runTestJob(countingJob(), {
      argv: ["--limit", "many"],
      env: { ...step.env, TEST_API_KEY: "", DATABASE_URL: "", LOCK_STORE: "zookeeper" },
    });
    expect(outcome).toMatchObject({ kind: "misconfigured" });
    if (outcome.kind !== "misconfigured") return;
    expect(outcome.problems.map(({ variable }) => variable).sort()).toEqual([
      "DATABASE_URL",
      "LOCK_STORE",
      "TEST_API_KEY",
      "command line",
    ]);
    for (const { variable, problem } of outcome.problems) {
      expect(stdout).toContain(`  ${variable}: ${problem}\n`);
    }
    expect(stdout).toContain("--help");
    expect(started).toBe(0);
    expect(log.at(-1)).toMatchObject({ level: "error", outcome: "misconfigured" });
    expect(step.outputs()).toMatchObject({ outcome: "misconfigured", success: "false" });
    expect(step.summary()).toContain("**misconfigured**");
  });

  it("because of an unreadable DRY_RUN starts nothing", async () => {
    const { outcome } = await runTestJob(countingJob(), { env: { ...env, DRY_RUN: "perhaps" } });
    expect(outcome).toMatchObject({ kind: "misconfigured" });
    expect(started).toBe(0);
    expect(await records()).toEqual([]);
  });
});

describe("a run during maintenance", () => {
  it.each([
    ["offline", "degraded"],
    ["offline", "offline"],
    ["degraded", "degraded"],
  ] as const)("in phase %s is skipped, if the job is paused by %s", async (phase, pausedBy) => {
    await database.query("INSERT INTO maintenance (phase, reason) VALUES ($1, 'a new disk')", [
      phase,
    ]);
    const { outcome } = await runTestJob(countingJob({ pausedBy }), { env });
    expect(outcome).toEqual({
      kind: "skipped",
      reason: "maintenance",
      message: `The maintenance phase is ${phase} (a new disk).`,
    });
    expect(started).toBe(0);
    expect(step.outputs()).toMatchObject({
      outcome: "skipped",
      reason: "maintenance",
      success: "true",
    });
    expect(await records()).toMatchObject([
      { outcome: "skipped", reason: "maintenance", exit_code: 0, fence: null },
    ]);
    expect(await database.query("SELECT * FROM job_leases")).toEqual([]);
    expect(monitor.pings).toEqual([]);
  });

  it("that stops only others goes on", async () => {
    await database.query("INSERT INTO maintenance (phase) VALUES ('degraded')");
    await runTestJob(countingJob({ pausedBy: "offline", movesMoney: false }), { env });
    expect(started).toBe(1);
  });

  it("obeys MAINTENANCE_PHASE before the phase in the database, both ways", async () => {
    await database.query("INSERT INTO maintenance (phase) VALUES ('offline')");
    await runTestJob(countingJob(), { env: { ...env, MAINTENANCE_PHASE: "off" } });
    expect(started).toBe(1);
    await database.query("DELETE FROM maintenance");
    const { outcome } = await runTestJob(countingJob(), {
      env: { ...env, MAINTENANCE_PHASE: "degraded" },
    });
    expect(outcome).toMatchObject({
      reason: "maintenance",
      message: "The maintenance phase is degraded (MAINTENANCE_PHASE is set).",
    });
    expect(started).toBe(1);
  });

  it("obeys MAINTENANCE_PHASE on GitHub Actions only where it pauses the job", async () => {
    const onGitHub = (phase: string) =>
      runTestJob(countingJob(), {
        env: { ...env, GITHUB_ACTIONS: "true", MAINTENANCE_PHASE: phase },
      });
    await database.query("INSERT INTO maintenance (phase) VALUES ('offline')");
    expect((await onGitHub("off")).outcome).toEqual({
      kind: "skipped",
      reason: "maintenance",
      message:
        "The maintenance phase is offline. MAINTENANCE_PHASE=off can't lift it on GitHub Actions; from a terminal it can.",
    });
    expect(started).toBe(0);
    await database.query("DELETE FROM maintenance");
    expect((await onGitHub("degraded")).outcome).toMatchObject({ reason: "maintenance" });
    expect(started).toBe(0);
    expect((await onGitHub("off")).outcome).toEqual({ kind: "completed" });
    expect(started).toBe(1);
  });

  it("that nobody can read: a job that moves money fails, another one runs and warns", async () => {
    await database.query("DROP TABLE maintenance");
    await database.query(
      `CREATE VIEW maintenance AS
       SELECT 1 AS id, 'off' AS phase, (1 / (random() * 0)::int)::text AS reason, NULL::timestamptz AS "until"`,
    );
    const { outcome } = await runTestJob(countingJob(), { env });
    expect(outcome).toMatchObject({ kind: "failed", code: "maintenance-unknown" });
    expect(started).toBe(0);
    expect(await records()).toMatchObject([{ outcome: "failed", reason: "maintenance-unknown" }]);

    const other = countingJob({ movesMoney: false, pausedBy: "offline" });
    const { outcome: second, log } = await runTestJob(other, { env });
    expect(second).toEqual({ kind: "completed" });
    expect(started).toBe(1);
    expect(log).toContainEqual(
      expect.objectContaining({
        level: "warn",
        msg: "the maintenance phase could not be read; running all the same",
      }),
    );
  });
});

describe("a run while another one holds the lock", () => {
  const key = lockKey({ environment: "production", job: "tests/count-things" });

  it("is skipped, says who holds it and until when, and touches nothing", async () => {
    await database.query(
      `INSERT INTO job_leases (key, owner, fence, acquired_at, expires_at)
       SELECT $1, '2026-11-22T15:37:00.000Z@runner-1:first', 4, now(), '2099-01-01T00:00:00Z'::timestamptz
       FROM set_config('session_replication_role', 'replica', true)`,
      [key],
    );
    const { outcome } = await runTestJob(countingJob(), { env });
    expect(outcome).toMatchObject({ kind: "skipped", reason: "lock-held" });
    if (outcome.kind !== "skipped") return;
    expect(outcome.message).toContain("2026-11-22T15:37:00.000Z@runner-1:first");
    expect(outcome.message).toContain("2099-01-01T00:00:00.000Z");
    expect(step.summary()).toContain("runner-1:first");
    expect(started).toBe(0);
    expect(await records()).toMatchObject([
      { outcome: "skipped", reason: "lock-held", fence: null },
    ]);
    expect(await database.query("SELECT owner, fence FROM job_leases")).toEqual([
      { owner: "2026-11-22T15:37:00.000Z@runner-1:first", fence: 4n },
    ]);
    expect(monitor.pings).toEqual([]);
  });

  it("of another environment is not hindered", async () => {
    await database.query(
      `INSERT INTO job_leases (key, owner, fence, acquired_at, expires_at)
       SELECT $1, 'somebody', 4, now(), '2099-01-01T00:00:00Z'::timestamptz
       FROM set_config('session_replication_role', 'replica', true)`,
      [key],
    );
    await runTestJob(countingJob(), { env: { ...env, AFTERHOURS_ENV: "staging" } });
    expect(started).toBe(1);
  });

  it("runs all the same with LOCK_STORE=off, and warns", async () => {
    const { outcome, log } = await runTestJob(countingJob(), {
      env: { ...env, LOCK_STORE: "off" },
    });
    expect(outcome).toEqual({ kind: "completed" });
    expect(await records()).toMatchObject([{ fence: null }]);
    expect(await database.query("SELECT * FROM job_leases")).toEqual([]);
    expect(log[0]).toMatchObject({
      level: "warn",
      msg: expect.stringContaining("switched off") as string,
    });
  });
});

describe("a run whose lock store is away", () => {
  const redisDown = async () => ({
    ...env,
    REDIS_URL: `redis://:s3cret-word@127.0.0.1:${await closedPort()}`,
  });

  it("fails when the job fails closed, and nothing was started", async () => {
    const { outcome, stdout, stderr } = await runTestJob(countingJob(), { env: await redisDown() });
    expect(outcome).toMatchObject({
      kind: "failed",
      code: "lock-unavailable",
      message: "the lock store (Redis) cannot be reached (ECONNREFUSED).",
    });
    expect(started).toBe(0);
    expect(await records()).toMatchObject([{ outcome: "failed", reason: "lock-unavailable" }]);
    expect(monitor.pings).toEqual([expect.stringContaining("/fail?rid=")]);
    expect(stdout + stderr).not.toContain("s3cret-word");
  });

  it("runs without a lock when the job fails open, and warns", async () => {
    const job = countingJob({ lock: { failMode: "open", ttlMs: 120_000 } });
    const { outcome, log } = await runTestJob(job, { env: await redisDown() });
    expect(outcome).toEqual({ kind: "completed" });
    expect(started).toBe(1);
    expect(await records()).toMatchObject([{ outcome: "completed", fence: null }]);
    expect(log[0]).toMatchObject({ level: "warn", err: { code: "LOCK_UNAVAILABLE" } });
  });

  it("in the database itself: the same", async () => {
    await database.query("DROP TABLE job_leases");
    await database.query(
      `CREATE VIEW job_leases AS
       SELECT 'x' AS key, '' AS owner, 1 AS fence, now() AS acquired_at, now() AS expires_at`,
    );
    const { outcome } = await runTestJob(countingJob(), { env });
    expect(outcome).toMatchObject({ kind: "failed", code: "lock-unavailable" });
    expect(started).toBe(0);
  });
});

describeWithRedis("a run with its lock in Redis", () => {
  it("holds it under its own name while the core works, and frees it", async () => {
    const redis = useTestRedis();
    try {
      const environment = redis.keyPrefix;
      const key = `{${lockKey({ environment, job: "tests/count-things" })}}`;
      let holder: string | null = null;
      const job = countingJob({
        run: async () => {
          holder = await redis.client.get(`${key}:lock`);
          return { verdict: { kind: "completed" }, report: REPORT };
        },
      });
      await runTestJob(job, { env: { ...env, REDIS_URL: redis.url, AFTERHOURS_ENV: environment } });
      const [record] = await records();
      expect(record).toMatchObject({ outcome: "completed", fence: 1n });
      expect(holder).toBe(record?.["owner"]);
      expect(await redis.client.get(`${key}:lock`)).toBeNull();
      await redis.client.del(`${key}:fence`);
    } finally {
      await redis.close();
    }
  });
});

describe("a run whose database", () => {
  it("does not answer ends as db-unreachable, and names the address without the password", async () => {
    const port = await closedPort();
    const DATABASE_URL = `postgres://app:s3cret-word@127.0.0.1:${port}/afterhours`;
    const { outcome, log, stdout, stderr } = await runTestJob(countingJob(), {
      env: { ...env, DATABASE_URL },
    });
    expect(outcome).toMatchObject({
      kind: "failed",
      code: "db-unreachable",
      message: expect.stringContaining(`127.0.0.1:${port}/afterhours`) as string,
    });
    expect(log.filter(({ msg }) => msg === "no session with the database yet")).toHaveLength(2);
    expect(started).toBe(0);
    expect(stdout + stderr).not.toContain("s3cret-word");
    expect(step.outputs()).toMatchObject({ outcome: "failed", reason: "db-unreachable" });
    expect(monitor.pings).toEqual([expect.stringContaining("/fail?rid=")]);
  });

  const notMigrated = { code: "db-not-migrated", remedy: "Run `npm run db:migrate` against it." };

  it.each([
    ["with the phase in the database", {}],
    ["with the phase in the environment", { MAINTENANCE_PHASE: "off" }],
    ["without a lock", { MAINTENANCE_PHASE: "off", LOCK_STORE: "off" }],
  ])("has no tables ends as db-not-migrated %s", async (_how, more) => {
    await database.query("DROP SCHEMA public CASCADE");
    await database.query("CREATE SCHEMA public");
    const { outcome } = await runTestJob(countingJob(), { env: { ...env, ...more } });
    expect(outcome).toMatchObject({ kind: "failed", ...notMigrated });
    expect(started).toBe(0);
  });

  it("has no tables ends as db-not-migrated also where a lost phase would not matter", async () => {
    await database.query("DROP TABLE maintenance");
    const job = countingJob({
      movesMoney: false,
      pausedBy: "offline",
      lock: { failMode: "open", ttlMs: 120_000 },
    });
    expect((await runTestJob(job, { env })).outcome).toMatchObject(notMigrated);
    await database.query(
      'CREATE TABLE maintenance (id int, phase text, reason text, "until" timestamptz)',
    );
    await database.query("DROP TABLE job_leases");
    expect((await runTestJob(job, { env })).outcome).toMatchObject(notMigrated);
    expect(started).toBe(0);
  });
});
