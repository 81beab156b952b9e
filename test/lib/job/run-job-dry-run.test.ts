import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { lockKey } from "../../../lib/job/lock/index.ts";
import { freePort } from "../../../scripts/dev/services/free-port.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { useGithubStep } from "./github-step.ts";
import { openMonitor } from "./settle/monitor.ts";
import { REPORT, runTestJob, testJob } from "./test-job.ts";

const step = useGithubStep();
let database: TestDatabase;
let env: Record<string, string>;
beforeEach(async () => {
  database = await createTestDatabase();
  env = { DATABASE_URL: database.url, ...step.env };
});
afterEach(() => database.drop());

describe("a dry run", () => {
  it.each([
    ["by its flag", ["--dry-run"], {}],
    ["by DRY_RUN", [], { DRY_RUN: "1" }],
  ])("%s says so everywhere, and leaves no trace in the database", async (_how, argv, more) => {
    const { outcome, stdout, log } = await runTestJob(testJob(), {
      argv,
      env: { ...env, ...more },
    });
    expect(outcome).toEqual({ kind: "completed" });
    expect(stdout).toContain("tests/count-things [dry run]: completed");
    expect(step.outputs()).toMatchObject({ dry_run: "true", outcome: "completed", processed: "3" });
    expect(step.summary()).toContain("(dry run)");
    expect(log[0]).toMatchObject({ msg: "started", dryRun: true });
    expect(await database.query("SELECT * FROM job_runs")).toEqual([]);
    expect(await database.query("SELECT * FROM job_leases")).toEqual([]);
  });

  it("cannot write: a stray write is an error from Postgres itself", async () => {
    const errors: unknown[] = [];
    const job = testJob({
      run: async ({ db, dryRun }) => {
        expect(dryRun).toBe(true);
        for (const write of [
          () => db.execute`INSERT INTO job_leases (key, fence) VALUES ('stray', 1)`,
          () => db.transaction((tx) => tx.execute`DELETE FROM job_leases`),
        ]) {
          await write().catch((error: unknown) => errors.push(error));
        }
        await db.execute`INSERT INTO job_leases (key, fence) VALUES ('stray', 1)`;
        return { verdict: { kind: "completed" }, report: REPORT };
      },
    });
    const { outcome } = await runTestJob(job, { argv: ["--dry-run"], env });
    expect(errors).toHaveLength(2);
    for (const error of errors) expect(String(error)).toContain("read-only transaction");
    expect(outcome).toMatchObject({
      kind: "failed",
      message: expect.stringContaining("read-only transaction") as string,
    });
    expect(await database.query("SELECT * FROM job_leases")).toEqual([]);
  });

  it("takes no lock and asks for none: it runs beside a real run, and without a lock store", async () => {
    await database.query(
      `INSERT INTO job_leases (key, owner, fence, acquired_at, expires_at)
       SELECT $1, 'a real run', 1, now(), '2099-01-01T00:00:00Z'::timestamptz
       FROM set_config('session_replication_role', 'replica', true)`,
      [lockKey({ environment: "production", job: "tests/count-things" })],
    );
    const job = testJob({
      run: ({ lease }) => {
        // As the next holder of the lock would, it sees the claims of every earlier one.
        expect(lease.fence).toBe(2n ** 63n - 1n);
        lease.assertTrusted();
        return Promise.resolve({ verdict: { kind: "completed" }, report: REPORT });
      },
    });
    const REDIS_URL = `redis://127.0.0.1:${await freePort()}`;
    for (const more of [{}, { REDIS_URL }]) {
      const { outcome } = await runTestJob(job, { argv: ["--dry-run"], env: { ...env, ...more } });
      expect(outcome).toEqual({ kind: "completed" });
    }
  });

  it("pings no monitor", async () => {
    const monitor = await openMonitor();
    try {
      const job = testJob({ run: () => Promise.reject(new Error("boom")) });
      for (const each of [testJob(), job]) {
        await runTestJob(each, {
          argv: ["--dry-run"],
          env: { ...env, HEARTBEAT_URL: monitor.url },
        });
      }
      expect(monitor.pings).toEqual([]);
    } finally {
      await monitor.close();
    }
  });

  it("is skipped during maintenance as a real run is, without a record", async () => {
    await database.query("INSERT INTO maintenance (phase) VALUES ('offline')");
    const { outcome } = await runTestJob(testJob(), { argv: ["--dry-run"], env });
    expect(outcome).toMatchObject({ kind: "skipped", reason: "maintenance" });
    expect(await database.query("SELECT * FROM job_runs")).toEqual([]);
  });
});
