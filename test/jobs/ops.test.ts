import { describe, expect, it, onTestFinished, vi } from "vitest";
import { lockKey } from "../../lib/job/lock/index.ts";
import { createRedisLockStore } from "../../lib/job/lock/redis-lock-store.ts";
import { systemClock } from "../../lib/support/clock.ts";
import { seedUser } from "../../scripts/dev/seed/bookings.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { runJob, startJob, type JobEnd } from "../support/job-process.ts";
import { seedFinding, seedOldMail, seedRun } from "../support/ops.ts";
import { describeWithRedis, useTestRedis } from "../support/redis.ts";
import { inSession } from "../lib/payouts/sessions.ts";

const PRUNE = "jobs/ops/prune.ts";
const WATCHDOG = "jobs/ops/watchdog.ts";

interface World {
  database: TestDatabase;
  env: Record<string, string>;
}

async function openWorld(): Promise<World> {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  return { database, env: { DATABASE_URL: database.url, AFTERHOURS_ENV: database.environment } };
}

const run = (file: string, { env }: World, args: string[] = []): Promise<JobEnd> =>
  runJob({ file, env, args });

async function seedOld({ database }: World): Promise<void> {
  await seedRun(database, { hoursAgo: 500 * 24 });
  await seedRun(database, {});
  const userId = await seedUser(database, {});
  await seedOldMail(database, { key: "old", userId, status: "SENT", daysAgo: 100 });
  await seedFinding(database, { subjectId: "p", resolvedDaysAgo: 500, seenDaysAgo: 500 });
}

const countOld = async ({ database }: World): Promise<unknown> => {
  const [counts] = await database.query(
    `SELECT (SELECT count(*)::int FROM job_runs WHERE started_at < now() - interval '1 year') AS runs,
            (SELECT count(*)::int FROM outbox_mails) AS mails,
            (SELECT count(*)::int FROM findings) AS findings`,
  );
  return counts;
};

describe("the job ops/prune", () => {
  it("plans in a dry run what it then does, and says so in outputs and summary", async () => {
    const world = await openWorld();
    await seedOld(world);
    const numbers = { runs_pruned: "1", mails_pruned: "1", findings_pruned: "1", left: "0" };

    const dry = await run(PRUNE, world, ["--dry-run"]);
    expect(dry.outputs, dry.stderr).toMatchObject({ outcome: "completed", ...numbers });
    expect(await countOld(world)).toEqual({ runs: 1, mails: 1, findings: 1 });

    const real = await run(PRUNE, world);
    expect(real.outputs, real.stderr).toMatchObject({ outcome: "completed", ...numbers });
    expect(real.summary).toContain("| Mails sent or lapsed | 1 | 0 |");
    expect(await countOld(world)).toEqual({ runs: 0, mails: 0, findings: 0 });
  });

  it("is misconfigured with every limit that is out of its range", async () => {
    const world = await openWorld();
    const env = { ...world.env, RETENTION_RUNS_DAYS: "1", RETENTION_MAILS_DAYS: "never" };
    const end = await runJob({ file: PRUNE, env });
    expect(end).toMatchObject({ exitCode: 2, outputs: { outcome: "misconfigured" } });
    expect(end.stdout).toContain("RETENTION_RUNS_DAYS: expected a whole number from 35");
    expect(end.stdout).toContain("RETENTION_MAILS_DAYS: expected a whole number from 1");
  });

  it("killed on its way is finished by the next run, and the watchdog says that it was lost", async () => {
    const world = await openWorld();
    const { database } = world;
    await seedOld(world);
    await inSession(database, async (other) => {
      await other.query("BEGIN; LOCK TABLE findings IN ACCESS EXCLUSIVE MODE");
      const job = startJob({ file: PRUNE, env: world.env });
      await vi.waitFor(
        async () =>
          expect(
            await database.query(
              `SELECT 1 FROM pg_stat_activity WHERE datname = current_database()
               AND application_name = 'afterhours ops/prune' AND wait_event_type = 'Lock'`,
            ),
          ).toHaveLength(1),
        { timeout: 60_000, interval: 20 },
      );
      job.kill("SIGKILL");
      await job.ended;
    });
    expect(await countOld(world)).toEqual({ runs: 0, mails: 0, findings: 1 });

    // Its lock is held until its time has passed.
    expect((await run(PRUNE, world)).outputs).toMatchObject({ reason: "lock-held" });
    await database.query(
      "UPDATE job_leases SET expires_at = now() - interval '1 second' WHERE owner IS NOT NULL",
    );
    await database.query(
      `UPDATE job_runs SET started_at = now() - interval '2 hours'
       FROM set_config('session_replication_role', 'replica', true) WHERE outcome IS NULL`,
    );
    expect((await run(PRUNE, world)).outputs).toMatchObject({ findings_pruned: "1" });
    expect(await countOld(world)).toEqual({ runs: 0, mails: 0, findings: 0 });

    const watchdog = await run(WATCHDOG, world);
    expect(watchdog.outputs, watchdog.stderr).toMatchObject({ lost: "1", marked_lost: "1" });
    expect(
      await database.query("SELECT job FROM job_runs WHERE outcome = 'lost' OR outcome IS NULL"),
    ).toEqual([{ job: "ops/prune" }]);
  });
});

describe("the job ops/watchdog", () => {
  it("is green on a fresh installation, and remembers which jobs it knows", async () => {
    const world = await openWorld();
    const end = await run(WATCHDOG, world);
    expect(end, end.stderr).toMatchObject({ exitCode: 0, outputs: { missed: "0", lost: "0" } });
    const [row] = await world.database.query<{ watched: string[] }>(
      "SELECT report->'watched' AS watched FROM job_runs",
    );
    expect(row?.watched).toContain("payouts/process-payouts");
    expect(row?.watched).not.toContain("ops/watchdog");
  });

  it("is red with a list in its summary, and writes nothing in a dry run", async () => {
    const world = await openWorld();
    await seedRun(world.database, { job: "payouts/process-payouts", hoursAgo: 24 * 30 });
    await seedRun(world.database, { job: "ops/prune", hoursAgo: 30, outcome: null });

    for (const args of [["--dry-run"], []]) {
      const end = await run(WATCHDOG, world, args);
      expect(end, end.stderr).toMatchObject({
        exitCode: 1,
        outputs: { outcome: "failed", reason: "jobs-missed", lost: "1" },
      });
      expect(end.summary).toContain("payouts/process-payouts | missed");
      expect(end.outputs["marked_lost"]).toBe(args.length === 0 ? "1" : "0");
    }
  });
});

describeWithRedis("the job ops/watchdog with locks in Redis", () => {
  it("leaves a run that holds its lock there, and marks it once it does not", async () => {
    const redis = useTestRedis();
    onTestFinished(() => redis.close());
    const { database, env } = await openWorld();
    const world: World = { database, env: { ...env, REDIS_URL: redis.url } };
    const owner = "2026-11-25T00:00:00.000Z@runner:00000000-0000-4000-8000-00000000000a";
    await seedRun(database, { job: "ops/prune", hoursAgo: 3, outcome: null, owner });
    const key = lockKey({ environment: database.environment, job: "ops/prune" });
    const store = createRedisLockStore(redis.url, { now: () => systemClock.now() });
    onTestFinished(() => store.close());
    await store.acquire({ key, owner, ttlMs: 600_000 });

    const held = await run(WATCHDOG, world);
    expect(held.outputs, held.stderr).toMatchObject({ stuck: "1", lost: "0", marked_lost: "0" });

    await store.release({ key, owner });
    const gone = await run(WATCHDOG, world);
    expect(gone.outputs, gone.stderr).toMatchObject({ stuck: "0", lost: "1", marked_lost: "1" });
  });
});
