import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { JobContext } from "../../../lib/job/define-job.ts";
import { LeaseLostError } from "../../../lib/support/lease.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { useGithubStep } from "./github-step.ts";
import { openMonitor } from "./settle/monitor.ts";
import { REPORT, runTestJob, testJob, type TestSettings } from "./test-job.ts";

const step = useGithubStep();
let database: TestDatabase;
let env: Record<string, string>;
beforeEach(async () => {
  database = await createTestDatabase();
  env = { DATABASE_URL: database.url, ...step.env };
});
// Fails when a session is left: every run gives back what it took, however it ended.
afterEach(() => database.drop());

const records = () => database.query("SELECT * FROM job_runs");
const lease = async () => (await database.query("SELECT * FROM job_leases"))[0];

describe("a run that completes", () => {
  it("gives its core what it needs", async () => {
    let given: JobContext<TestSettings> | undefined;
    const job = testJob({
      run: async (context) => {
        given = context;
        context.lease.assertTrusted();
        await context.db.query`SELECT 1`;
        context.progress.update(1, 100);
        return { verdict: { kind: "completed" }, report: REPORT };
      },
    });
    const { outcome } = await runTestJob(job, { env, argv: ["--limit", "7"] });
    expect(outcome).toEqual({ kind: "completed" });
    expect(given).toMatchObject({
      dryRun: false,
      limit: 7,
      settings: { apiKey: "test-api-key-1" },
      lease: { fence: 1n },
      runId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
    });
    expect(given?.signal.aborted).toBe(false);
  });

  it("says the same numbers in outputs, summary, log, output and run record", async () => {
    const { stdout, log } = await runTestJob(testJob(), { env });
    const [record] = await records();
    expect(record).toMatchObject({
      job: "tests/count-things",
      owner: expect.stringMatching(/^\d{4}-.*Z@.+:[0-9a-f-]{36}$/) as string,
      fence: 1n,
      outcome: "completed",
      reason: null,
      exit_code: 0,
      report: { processed: 3, totalPaise: "123456700", payees: REPORT.payees },
      commit: step.env["GITHUB_SHA"],
      run_url: "https://github.example/acme/afterhours/actions/runs/42",
      started_at: expect.any(Date) as Date,
      finished_at: expect.any(Date) as Date,
    });
    expect(step.outputs()).toEqual({
      processed: "3",
      total_paise: "123456700",
      outcome: "completed",
      reason: "",
      success: "true",
      dry_run: "false",
      run_id: String(record?.["id"]),
    });
    expect(step.summary()).toContain("| 3 | ₹12,34,567.00 |");
    expect(step.summary()).toContain(`Run \`${String(record?.["id"])}\``);
    expect(stdout).toContain("3       ₹12,34,567.00");
    expect(log.at(-1)).toMatchObject({
      level: "info",
      outcome: "completed",
      report: { processed: 3, total_paise: "123456700" },
      runId: String(record?.["id"]),
    });
  });

  it("writes its log as JSON lines, each with the job and the run", async () => {
    const job = testJob({
      run: ({ log }) => {
        log.info({ payoutId: "one" }, "paid");
        log.debug("too much detail");
        return Promise.resolve({ verdict: { kind: "completed" }, report: REPORT });
      },
    });
    const { log } = await runTestJob(job, { env });
    expect(log.map(({ msg }) => msg)).toEqual([
      "started",
      "paid",
      "Everything that was due is done.",
    ]);
    for (const line of log) expect(line).toMatchObject({ job: "tests/count-things" });
    expect(new Set(log.map(({ runId }) => runId)).size).toBe(1);
  });

  it("frees its lock, and the next run gets the next fence", async () => {
    await runTestJob(testJob(), { env });
    expect(await lease()).toMatchObject({ owner: null, fence: 1n });
    await runTestJob(testJob(), { env });
    expect(await lease()).toMatchObject({ owner: null, fence: 2n });
    expect((await records()).map(({ fence }) => fence as bigint).sort()).toEqual([1n, 2n]);
  });

  it("tells the monitor of its start and its success", async () => {
    const monitor = await openMonitor();
    try {
      await runTestJob(testJob(), { env: { ...env, HEARTBEAT_URL: monitor.url } });
      const runId = step.outputs()["run_id"];
      expect(monitor.pings).toEqual([
        `POST /ping/token/start?rid=${runId}`,
        `POST /ping/token?rid=${runId}`,
      ]);
    } finally {
      await monitor.close();
    }
  });

  it("tells a monitor of its own where it has one, and not the one of all jobs", async () => {
    const [shared, own] = [await openMonitor(), await openMonitor()];
    try {
      const urls = { HEARTBEAT_URL: shared.url, HEARTBEAT_URL_TESTS_COUNT_THINGS: own.url };
      await runTestJob(testJob(), { env: { ...env, ...urls } });
      expect(shared.pings).toEqual([]);
      expect(own.pings).toHaveLength(2);
    } finally {
      await shared.close();
      await own.close();
    }
  });

  it("removes private data and secrets from log, summary and output, whoever wrote them", async () => {
    const secrets = ["test-api-key-1", "ABCDE1234F", "50100012345678", "asha@okbank"];
    const text = secrets.join(" and ");
    const job = testJob({
      run: ({ log }) => {
        log.warn({ detail: text }, text);
        return Promise.resolve({
          verdict: { kind: "partial", reason: "items-failed", message: text, remedy: text },
          report: { ...REPORT, payees: [text] },
        });
      },
    });
    const { stdout, stderr } = await runTestJob(job, { env });
    for (const secret of secrets) {
      expect(stdout + stderr + step.summary()).not.toContain(secret);
    }
  });
});

describe("a run that does not complete", () => {
  it("as partial: exit by verdict, with reason, message and remedy", async () => {
    const verdict = {
      kind: "partial" as const,
      reason: "items-failed",
      message: "2 of 3 are done.",
      remedy: "Run it again.",
    };
    const job = testJob({ run: () => Promise.resolve({ verdict, report: REPORT }) });
    const { outcome, stdout } = await runTestJob(job, { env });
    expect(outcome).toEqual(verdict);
    expect(stdout).toContain("tests/count-things: partial (items-failed)\n  2 of 3 are done.\n");
    expect(stdout).toContain("What to do: Run it again.");
    expect(step.outputs()).toMatchObject({
      outcome: "partial",
      reason: "items-failed",
      success: "false",
    });
    expect(await records()).toMatchObject([
      { outcome: "partial", reason: "items-failed", exit_code: 1, report: { processed: 3 } },
    ]);
  });

  it("as failed: the numbers of the report are said all the same", async () => {
    const verdict = {
      kind: "failed" as const,
      code: "work-left-behind",
      message: "Nothing was done.",
    };
    const job = testJob({
      run: () => Promise.resolve({ verdict, report: { ...REPORT, processed: 0 } }),
    });
    const { outcome } = await runTestJob(job, { env });
    expect(outcome).toEqual(verdict);
    expect(step.outputs()).toMatchObject({
      outcome: "failed",
      reason: "work-left-behind",
      processed: "0",
    });
    expect(await records()).toMatchObject([
      { outcome: "failed", reason: "work-left-behind", exit_code: 1, report: { processed: 0 } },
    ]);
  });

  it("by an error: a failure with the error in the log, and the monitor is told", async () => {
    const monitor = await openMonitor();
    try {
      const job = testJob({
        run: () => Promise.reject(new TypeError("boom", { cause: new Error("the reason") })),
      });
      const { outcome, log } = await runTestJob(job, {
        env: { ...env, HEARTBEAT_URL: monitor.url },
      });
      expect(outcome).toMatchObject({ kind: "failed", code: "unexpected-error", message: "boom" });
      expect(log.at(-1)).toMatchObject({
        level: "error",
        reason: "unexpected-error",
        err: { type: "TypeError", message: "boom", cause: { message: "the reason" } },
      });
      expect(step.outputs()).not.toHaveProperty("processed");
      expect(await records()).toMatchObject([
        {
          outcome: "failed",
          reason: "unexpected-error",
          report: null,
          finished_at: expect.any(Date) as Date,
        },
      ]);
      expect(await lease()).toMatchObject({ owner: null });
      expect(monitor.pings[1]).toMatch(/^POST \/ping\/token\/fail\?rid=/);
    } finally {
      await monitor.close();
    }
  });

  it("by an error that is thrown at once, or that is no error at all", async () => {
    const thrown = testJob({
      run: () => {
        throw new RangeError("at once");
      },
    });
    expect((await runTestJob(thrown, { env })).outcome).toMatchObject({ message: "at once" });
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- libraries do it
    const odd = testJob({ run: () => Promise.reject({ statusCode: 400 }) });
    expect((await runTestJob(odd, { env })).outcome).toMatchObject({ code: "unexpected-error" });
  });

  it("by a table that is missing, through the core's own session", async () => {
    const job = testJob({
      run: async ({ db }) => {
        await db.query`SELECT * FROM not_made_yet`;
        return { verdict: { kind: "completed" }, report: REPORT };
      },
    });
    const { outcome } = await runTestJob(job, { env });
    expect(outcome).toMatchObject({
      kind: "failed",
      code: "db-not-migrated",
      remedy: expect.stringContaining("npm run db:migrate") as string,
    });
  });

  it("by a database that ends the core's session, and everything else is released", async () => {
    const job = testJob({
      run: async ({ db }) => {
        const [row] = await db.query<{ pid: number }[]>`SELECT pg_backend_pid() AS pid`;
        const asked = db.query`SELECT pg_sleep(60)`.then(
          () => undefined,
          (error: unknown) => error,
        );
        await database.query(`SELECT pg_terminate_backend($1) FROM generate_series(1, 1)`, [
          row?.pid,
        ]);
        throw await asked;
      },
    });
    const { outcome } = await runTestJob(job, { env });
    expect(outcome).toMatchObject({ kind: "failed", code: "db-unreachable" });
    expect(await records()).toMatchObject([{ outcome: "failed", reason: "db-unreachable" }]);
    expect(await lease()).toMatchObject({ owner: null });
  });

  it("because its deadline passed: it is interrupted and says so", async () => {
    const job = testJob({
      deadlineMs: 300,
      run: async ({ signal }) => {
        if (!signal.aborted) {
          await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
        }
        return { verdict: { kind: "interrupted" }, report: REPORT };
      },
    });
    const { outcome } = await runTestJob(job, { env });
    expect(outcome).toMatchObject({ kind: "interrupted", reason: "deadline" });
    expect(await records()).toMatchObject([
      { outcome: "interrupted", reason: "deadline", exit_code: 130 },
    ]);
  });

  it("because another owner took its lease: no step that spends money passes the check", async () => {
    const job = testJob({
      lock: { failMode: "closed", ttlMs: 6000 },
      deadlineMs: 5900,
      run: async ({ signal, lease: held }) => {
        await database.query("UPDATE job_leases SET owner = 'somebody else'");
        await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
        held.assertTrusted();
        throw new Error("the check passed");
      },
    });
    const { outcome } = await runTestJob(job, { env });
    expect(outcome).toMatchObject({ kind: "interrupted", reason: "lease-lost" });
    expect(await lease()).toMatchObject({ owner: "somebody else" });
  });

  it("because its lease had ended when the core was done: it is never green then", async () => {
    const job = testJob({
      run: async () => {
        await database.query("UPDATE job_leases SET expires_at = now() - interval '1 second'");
        return { verdict: { kind: "completed" }, report: REPORT };
      },
    });
    const { outcome } = await runTestJob(job, { env });
    expect(outcome).toMatchObject({ kind: "interrupted", reason: "lease-lost" });
  });

  it("because a core threw the loss of its lease", async () => {
    const job = testJob({ run: () => Promise.reject(new LeaseLostError("key")) });
    expect((await runTestJob(job, { env })).outcome).toMatchObject({
      kind: "interrupted",
      reason: "lease-lost",
    });
  });
});

describe("the process", () => {
  it("has the same signal handlers and no more timers after a run", async () => {
    const before = [process.listeners("SIGINT"), process.listeners("SIGTERM")];
    const timers = () =>
      process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
    const timersBefore = timers();
    await runTestJob(testJob(), { env });
    expect([process.listeners("SIGINT"), process.listeners("SIGTERM")]).toEqual(before);
    expect(timers()).toBeLessThanOrEqual(timersBefore);
  });

  it("gets only the help when that is asked for", async () => {
    const { outcome, stdout, log } = await runTestJob(testJob(), { argv: ["--help"] });
    expect(outcome).toEqual({ kind: "completed" });
    expect(stdout).toContain("Usage: tests/count-things");
    expect(log).toEqual([]);
    expect(step.outputs()).toEqual({});
  });
});
