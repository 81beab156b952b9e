import { mkdirSync, rmSync } from "node:fs";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { describeWithRedis, useTestRedis } from "../../support/redis.ts";
import { useGithubStep } from "./github-step.ts";
import { openMonitor, type Monitor } from "./settle/monitor.ts";
import { openTcpProxy } from "../../support/tcp-proxy.ts";
import { REPORT, runTestJob, testJob } from "./test-job.ts";

const step = useGithubStep();
let database: TestDatabase;
let monitor: Monitor;
let env: Record<string, string>;
beforeEach(async () => {
  database = await createTestDatabase();
  monitor = await openMonitor();
  env = { DATABASE_URL: database.url, HEARTBEAT_URL: monitor.url, ...step.env };
});
afterEach(async () => {
  vi.restoreAllMocks();
  await monitor.close();
  await database.drop();
});

const messages = (log: Record<string, unknown>[]) => log.map(({ msg }) => String(msg));
const completed = { verdict: { kind: "completed" as const }, report: REPORT };

describe("settling goes on, and changes no outcome, when", () => {
  it("GITHUB_OUTPUT is a folder, the run record fails and nobody reads the output: all at once", async () => {
    rmSync(step.env["GITHUB_OUTPUT"] ?? "");
    mkdirSync(step.env["GITHUB_OUTPUT"] ?? "");
    const stdout = new PassThrough();
    stdout.destroy();
    try {
      const job = testJob({
        run: async () => {
          await database.query("DROP TABLE job_runs");
          return completed;
        },
      });
      const { outcome, log } = await runTestJob(job, { env, stdout });
      expect(outcome).toEqual({ kind: "completed" });
      expect(messages(log)).toEqual(
        expect.arrayContaining([
          "the run record failed; the run itself is not changed by this",
          "a report to GitHub Actions is incomplete",
        ]),
      );
      expect(step.summary()).toContain("₹12,34,567.00");
      expect(monitor.pings.at(-1)).toMatch(/^POST \/ping\/token\?rid=/);
      expect(await database.query("SELECT owner FROM job_leases")).toEqual([{ owner: null }]);
    } finally {
      rmSync(step.env["GITHUB_OUTPUT"] ?? "", { recursive: true });
    }
  });

  it("the output breaks while it is written", async () => {
    const stdout = new PassThrough();
    vi.spyOn(stdout, "write").mockImplementation(() => {
      stdout.destroy(Object.assign(new Error("write EPIPE"), { code: "EPIPE" }));
      return false;
    });
    const { outcome } = await runTestJob(testJob(), { env, stdout });
    expect(outcome).toEqual({ kind: "completed" });
    expect(await database.query("SELECT outcome FROM job_runs")).toEqual([
      { outcome: "completed" },
    ]);
  });

  it("the monitor answers with an error, or breaks", async () => {
    const broken = await openMonitor((request, response) => {
      if (request.url?.includes("/start")) response.writeHead(500).end();
      else request.socket.destroy();
    });
    try {
      const { outcome, log } = await runTestJob(testJob(), {
        env: { ...env, HEARTBEAT_URL: broken.url },
      });
      expect(outcome).toEqual({ kind: "completed" });
      expect(messages(log)).toEqual(
        expect.arrayContaining([
          "the monitor was not told of the start",
          "the monitor was not told of the end",
        ]),
      );
      expect(JSON.stringify(log)).not.toContain("/ping/token");
    } finally {
      await broken.close();
    }
  });

  it("the job's own report cannot be written", async () => {
    const job = testJob({
      summarise: () => {
        throw new Error("no table");
      },
    });
    const { outcome, log } = await runTestJob(job, { env });
    expect(outcome).toEqual({ kind: "completed" });
    expect(JSON.stringify(log)).toContain("no table");
    expect(step.outputs()).toMatchObject({ outcome: "completed", processed: "3" });
    expect(await database.query("SELECT outcome FROM job_runs")).toEqual([
      { outcome: "completed" },
    ]);
    expect(monitor.pings.at(-1)).toMatch(/^POST \/ping\/token\?rid=/);
  });

  it("the job's own outputs cannot be made", async () => {
    const job = testJob({
      outputs: () => {
        throw new Error("no numbers");
      },
    });
    const { outcome, log } = await runTestJob(job, { env });
    expect(outcome).toEqual({ kind: "completed" });
    expect(JSON.stringify(log)).toContain("no numbers");
    expect(step.outputs()).toMatchObject({ outcome: "completed", success: "true" });
    expect(step.summary()).toContain("₹12,34,567.00");
    expect(await database.query("SELECT outcome FROM job_runs")).toEqual([
      { outcome: "completed" },
    ]);
  });

  it("the lock cannot be freed: the core's own error stays the outcome", async () => {
    const job = testJob({
      run: async () => {
        await database.query("DROP TABLE job_leases");
        throw new Error("boom");
      },
    });
    const { outcome, log } = await runTestJob(job, { env });
    expect(outcome).toMatchObject({ kind: "failed", code: "unexpected-error", message: "boom" });
    expect(messages(log).at(-1)).toBe(
      "releasing the lock failed; the run itself is not changed by this",
    );
    expect(await database.query("SELECT outcome, reason FROM job_runs")).toEqual([
      { outcome: "failed", reason: "unexpected-error" },
    ]);
  });

  it("the database ends the control session under the run", async () => {
    const job = testJob({
      run: async () => {
        await database.query(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
           WHERE datname = current_database() AND application_name = 'afterhours tests/count-things control'`,
        );
        return completed;
      },
    });
    const { outcome } = await runTestJob(job, { env });
    expect(outcome).toEqual({ kind: "completed" });
    expect(await database.query("SELECT outcome FROM job_runs")).toEqual([
      { outcome: "completed" },
    ]);
    expect(await database.query("SELECT owner FROM job_leases")).toEqual([{ owner: null }]);
  });
});

describeWithRedis("a Redis that falls silent during the run", () => {
  it("leaves no connection behind, and the outcome as it was", async () => {
    const redis = useTestRedis();
    const proxy = await openTcpProxy(redis.url);
    try {
      const job = testJob({
        run: () => {
          proxy.silence();
          return Promise.resolve(completed);
        },
      });
      const REDIS_URL = proxy.through(redis.url);
      const { outcome, log } = await runTestJob(job, {
        env: { ...env, REDIS_URL, AFTERHOURS_ENV: redis.keyPrefix },
      });
      expect(outcome).toEqual({ kind: "completed" });
      expect(messages(log).at(-1)).toContain("releasing the lock failed");
      await vi.waitUntil(() => proxy.open() === 0);
    } finally {
      await proxy.close();
      for (const key of await redis.client.keys(`*${encodeURIComponent(redis.keyPrefix)}*`)) {
        await redis.client.del(key);
      }
      await redis.close();
    }
  });
});

describe("under GitHub Actions", () => {
  it("secrets are masked before anything is printed, and a red run is one annotation", async () => {
    vi.stubEnv("GITHUB_ACTIONS", "true");
    const printed: string[] = [];
    vi.spyOn(process.stdout, "write").mockImplementation((text) => {
      printed.push(String(text));
      return true;
    });
    const job = testJob({
      run: () =>
        Promise.resolve({
          verdict: {
            kind: "partial",
            reason: "items-failed",
            message: "2 of 3.\n::debug::x",
            remedy: "Look.",
          },
          report: REPORT,
        }),
    });
    await runTestJob(job, { env: { ...env, GITHUB_ACTIONS: "true" } });
    const masks = [env["DATABASE_URL"], monitor.url, "test-api-key-1"];
    expect(printed).toEqual(expect.arrayContaining(masks.map((mask) => `::add-mask::${mask}\n`)));
    const last = printed.findLastIndex((line) => line.startsWith("::add-mask::"));
    expect(printed.slice(0, last).filter((line) => !line.startsWith("::add-mask::"))).toEqual([]);
    expect(printed.filter((line) => line.startsWith("::error"))).toEqual([
      "::error title=tests/count-things%3A partial (items-failed)::2 of 3.%0A::debug::x%0ALook.%0Ahttps://github.example/acme/afterhours/blob/0123456789abcdef0123456789abcdef01234567/docs/jobs/count-things.md#when-it-is-red\n",
    ]);
    expect(printed.findLastIndex((line) => line.startsWith("::add-mask"))).toBeLessThan(
      printed.findIndex((line) => line.startsWith("::error")),
    );
  });
});
