import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { lockKey } from "../../../lib/job/lock/index.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { runNode, startChild } from "./child.ts";

const PAYOUTS = "jobs/payouts/process-payouts.ts";
const WAITING = "test/lib/job/fixtures/waiting-job.ts";

let database: TestDatabase;
let env: Record<string, string>;
beforeEach(async () => {
  database = await createTestDatabase();
  env = {
    DATABASE_URL: database.url,
    RAZORPAYX_KEY_ID: "rzp_test_key",
    RAZORPAYX_KEY_SECRET: "rzp_test_secret",
    RAZORPAYX_ACCOUNT_NUMBER: "2323230000000001",
    // Nobody listens there: what is tested here calls no provider.
    RAZORPAY_BASE_URL: "http://127.0.0.1:9/v1",
  };
});
afterEach(() => database.drop());

describe("what a run of the payout job loads", () => {
  let folder: string;
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "afterhours-loaded-"))));
  afterEach(() => rmSync(folder, { recursive: true }));

  /** Every script of a run: the engine itself writes them down at the end. */
  async function loadedBy(
    args: readonly string[],
    more: Record<string, string>,
  ): Promise<{ code: number | null; stdout: string; core: boolean; razorpay: boolean }> {
    const { code, stdout } = await runNode([PAYOUTS, ...args], {
      ...env,
      ...more,
      NODE_V8_COVERAGE: folder,
    });
    const urls = readdirSync(folder).flatMap((file) =>
      (
        JSON.parse(readFileSync(join(folder, file), "utf8")) as { result: { url: string }[] }
      ).result.map(({ url }) => url),
    );
    expect(urls.some((url) => url.includes("/lib/job/run-job.ts"))).toBe(true);
    const loads = (part: RegExp) => urls.some((url) => part.test(url));
    return {
      code,
      stdout,
      core: loads(/\/lib\/payouts\/pay\/process-payouts\.ts$/),
      razorpay: loads(/node_modules\/razorpay\//),
    };
  }

  it("is neither the core nor the provider's package when maintenance skips it", async () => {
    const { stdout, ...rest } = await loadedBy([], { MAINTENANCE_PHASE: "offline" });
    expect(rest).toEqual({ code: 0, core: false, razorpay: false });
    expect(stdout).toContain("skipped (maintenance)");
  });

  it("is neither the core nor the provider's package when another run holds the lock", async () => {
    await database.query(
      `INSERT INTO job_leases (key, owner, fence, acquired_at, expires_at)
       SELECT $1, 'another run', 1, now(), '2099-01-01T00:00:00Z'::timestamptz
       FROM set_config('session_replication_role', 'replica', true)`,
      [lockKey({ environment: "production", job: "payouts/process-payouts" })],
    );
    const { stdout, ...rest } = await loadedBy([], {});
    expect(rest).toEqual({ code: 0, core: false, razorpay: false });
    expect(stdout).toContain("skipped (lock-held)");
  });

  it("is neither of them when it is misconfigured, or asked for help", async () => {
    expect(await loadedBy([], { RAZORPAYX_KEY_SECRET: "" })).toMatchObject({
      code: 2,
      core: false,
      razorpay: false,
    });
    expect(await loadedBy(["--help"], {})).toMatchObject({
      code: 0,
      core: false,
      razorpay: false,
    });
  });

  it("is the core, and the package only when there is something to ask", async () => {
    expect(await loadedBy(["--dry-run"], {})).toMatchObject({
      code: 0,
      core: true,
      razorpay: false,
    });
  });
});

describe("a reader that goes away", () => {
  /** Runs the job in a pipe to a program that reads nothing; answers with the job's own exit code. */
  const runUnread = (redirect: string, more: Record<string, string>) =>
    startChild(
      "bash",
      [
        "-c",
        `"$0" --import tsx ${PAYOUTS} ${redirect} | true; exit "\${PIPESTATUS[0]}"`,
        process.execPath,
      ],
      { ...env, ...more },
    ).ended;

  it.each([
    ["of standard output", ""],
    ["of the log", "2>&1 >/dev/null"],
    ["of both", "2>&1"],
  ])(
    "%s does not change the exit code of a run, and the run is recorded",
    async (_which, redirect) => {
      const skipped = await runUnread(redirect, { MAINTENANCE_PHASE: "offline" });
      expect(skipped.code).toBe(0);
      expect(await database.query("SELECT outcome FROM job_runs")).toEqual([
        { outcome: "skipped" },
      ]);
      const misconfigured = await runUnread(redirect, { RAZORPAYX_KEY_SECRET: "" });
      expect(misconfigured.code).toBe(2);
    },
  );
});

describe("a run that is told to stop", () => {
  it.each(["SIGINT", "SIGTERM"] as const)(
    "by %s finishes what is in hand, records it, frees its lock and ends with 130",
    async (signal) => {
      const child = startChild(process.execPath, ["--import", "tsx", WAITING], env);
      await child.said('"waiting"');
      child.process.kill(signal);
      const { code, stdout } = await child.ended;
      expect(code).toBe(130);
      expect(stdout).toContain(`tests/wait-long: interrupted (${signal})`);
      expect(
        await database.query("SELECT outcome, reason, exit_code, report FROM job_runs"),
      ).toEqual([
        { outcome: "interrupted", reason: signal, exit_code: 130, report: { finished: 1 } },
      ]);
      expect(await database.query("SELECT owner FROM job_leases")).toEqual([{ owner: null }]);
    },
  );

  it("as the workflows start it: the shell becomes the job and its signal reaches it", async () => {
    const line = `exec "$0" --import tsx ${WAITING}`;
    const child = startChild("bash", ["-e", "-c", line, process.execPath], env);
    await child.said('"waiting"');
    child.process.kill("SIGINT");
    expect((await child.ended).code).toBe(130);
  });

  it("goes on when its terminal is closed", async () => {
    const child = startChild(process.execPath, ["--import", "tsx", WAITING], env);
    await child.said('"waiting"');
    child.process.kill("SIGHUP");
    child.process.kill("SIGTERM");
    const { code, stdout } = await child.ended;
    expect(code).toBe(130);
    expect(stdout).toContain("(SIGTERM)");
  });
});

describe("a run that is killed", () => {
  it("leaves a record without an end, and its lease until the time to live has passed", async () => {
    const child = startChild(process.execPath, ["--import", "tsx", WAITING], env);
    await child.said('"waiting"');
    child.process.kill("SIGKILL");
    expect((await child.ended).signal).toBe("SIGKILL");
    const [record] = await database.query("SELECT owner, outcome, finished_at FROM job_runs");
    expect(record).toMatchObject({ outcome: null, finished_at: null });

    const second = await runNode([WAITING], env);
    expect(second.code).toBe(0);
    expect(second.stdout).toContain("skipped (lock-held)");
    expect(second.stdout).toContain(String(record?.["owner"]));

    await database.query("UPDATE job_leases SET expires_at = clock_timestamp()");
    const third = startChild(process.execPath, ["--import", "tsx", WAITING], env);
    await third.said('"waiting"');
    third.process.kill("SIGTERM");
    expect((await third.ended).code).toBe(130);
    expect(await database.query("SELECT fence FROM job_leases")).toEqual([{ fence: 2n }]);
  });
});
