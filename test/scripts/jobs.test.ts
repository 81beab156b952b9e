import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { jobs } from "../../jobs/registry.ts";
import { cronInWords } from "../../lib/support/cron-in-words.ts";
import { checkMailServer } from "../../scripts/cli/jobs/check/mail.ts";
import { checkWorkflows } from "../../scripts/cli/jobs/check/workflows.ts";
import { startMailSandbox } from "../../scripts/sandbox/mail/index.ts";
import { startSandbox } from "../../scripts/sandbox/razorpay/index.ts";
import { freePort } from "../../scripts/dev/services/free-port.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { seedRun } from "../support/ops.ts";
import { describeWithRedis, useTestRedis } from "../support/redis.ts";
import { runScript, type ScriptResult } from "../support/run-script.ts";

const PAYOUTS = "payouts/process-payouts";
const DELIVERY = "notifications/deliver-outbox";

function command(args: string[], env: Record<string, string> = {}): Promise<ScriptResult> {
  return runScript("scripts/cli/jobs.ts", { args, env });
}

describe("npm run jobs -- list", () => {
  it("shows every job with its schedule in words, next time, lock and maintenance rule", async () => {
    const list = await command(["list"]);
    expect(list, list.stderr).toMatchObject({ exitCode: 0, stderr: "" });
    for (const { name } of jobs) expect(list.stdout).toContain(name);
    expect(list.stdout).toMatch(
      /payouts\/process-payouts +At 15:37, only on Monday \(UTC\) +\d{4}-\d\d-\d\d 21:07 +closed, 35 min +degraded, offline/,
    );
    expect(list.stdout).toMatch(/payments\/cancel-pending +by hand +none/);
  });

  it("says the same in JSON", async () => {
    const list = await command(["list", "--json"]);
    const rows = JSON.parse(list.stdout) as { name: string; cron: string | null }[];
    expect(rows.map(({ name }) => name)).toEqual(jobs.map(({ name }) => name));
    expect(rows.find(({ name }) => name === PAYOUTS)).toMatchObject({
      cron: "37 15 * * 1",
      schedule: `${cronInWords("37 15 * * 1")} (UTC)`,
      lock: "closed",
      lockMinutes: 35,
      pausedBy: "degraded",
      movesMoney: true,
    });
  });
});

describe("npm run jobs", () => {
  it.each<[string[], string]>([
    [["last", "payouts/none"], "expected the name of a job"],
    [["check", "none"], "expected the name of a job"],
    [["run"], "missing required argument 'name'"],
    [["history", "--outcome", "green"], "expected one of running, completed"],
    [["history", "--since", "yesterday"], "expected a day, or a time with its zone"],
    [["history", "--limit", "0"], "expected a whole number from 1"],
    [["history"], "DATABASE_URL is not set"],
    [["start"], "unknown command"],
  ])("refuses %j and says what it expected", async (args, said) => {
    const end = await command(args);
    expect(end).toMatchObject({ exitCode: 2, stdout: "" });
    expect(end.stderr).toContain(said);
  });
});

describe("with a database, npm run jobs", () => {
  let database: TestDatabase;
  let env: Record<string, string>;
  beforeEach(async () => {
    database = await createTestDatabase();
    onTestFinished(() => database.drop());
    env = { DATABASE_URL: database.url };
  });

  it("runs a job with its own flags, and ends with its exit status", async () => {
    const help = await command(["run", "ops/prune", "--help"], env);
    expect(help).toMatchObject({ exitCode: 0 });
    expect(help.stdout).toContain("RETENTION_RUNS_DAYS");
    const bad = await command(["run", "ops/prune", "--limit", "none"], env);
    expect(bad).toMatchObject({ exitCode: 2 });
    expect(bad.stdout + bad.stderr).toContain("--limit");

    const real = await command(["run", "ops/prune"], env);
    expect(real, real.stderr).toMatchObject({ exitCode: 0 });
    expect(await database.query("SELECT job, outcome FROM job_runs")).toEqual([
      { job: "ops/prune", outcome: "completed" },
    ]);
  });

  it("shows runs, newest first, by job, outcome and time", async () => {
    const runUrl = "https://github.example/acme/afterhours/actions/runs/77";
    await seedRun(database, {
      job: PAYOUTS,
      outcome: "partial",
      reason: "payouts-failed",
      hoursAgo: 2,
      report: { claimed: 3, failed: 1, held: 0, plan: [] },
      commit: "0123456789abcdef",
      runUrl,
    });
    await seedRun(database, { job: "ops/prune", hoursAgo: 1 });
    await seedRun(database, { job: PAYOUTS, outcome: null, hoursAgo: 60 });

    const text = await command(["history"], env);
    expect(text, text.stderr).toMatchObject({ exitCode: 0, stderr: "" });
    const [, first, second] = text.stdout.split("\n");
    expect(first).toMatch(/ops\/prune +completed/);
    expect(second).toMatch(
      /process-payouts +partial +payouts-failed +1 min 0 s +failed 1, claimed 3 +01234567 +https/,
    );
    expect(second).toContain(runUrl);

    const json = async (...args: string[]): Promise<{ job: string; outcome: string }[]> =>
      JSON.parse((await command(["history", "--json", ...args], env)).stdout) as {
        job: string;
        outcome: string;
      }[];
    expect(await json("--job", PAYOUTS)).toMatchObject([
      { job: PAYOUTS, outcome: "partial", durationMs: 60_000, runUrl, exitCode: 1 },
      { job: PAYOUTS, outcome: "running" },
    ]);
    expect(await json("--outcome", "completed")).toMatchObject([{ job: "ops/prune" }]);
    const since = new Date(Date.now() - 86_400_000).toISOString();
    expect(await json("--since", since)).toHaveLength(2);

    const cut = await command(["history", "--limit", "1"], env);
    expect(cut.stderr).toContain("There are more than 1");
  });

  it("shows everything about the last run of a job, and says when there is none", async () => {
    await seedRun(database, { job: PAYOUTS, hoursAgo: 9 });
    const report = { claimed: 3, failed: 1 };
    await seedRun(database, { job: PAYOUTS, outcome: "failed", reason: "caps-exceeded", report });

    const last = await command(["last", PAYOUTS], env);
    expect(last, last.stderr).toMatchObject({ exitCode: 0 });
    expect(last.stdout).toContain("failed (caps-exceeded)");
    expect(last.stdout).toMatch(/claimed +3/);
    const json = await command(["last", PAYOUTS, "--json"], env);
    expect(JSON.parse(json.stdout)).toMatchObject({ outcome: "failed", report });

    const history = await command(["history", "--json", "--limit", "1"], env);
    expect(JSON.parse(history.stdout)).toMatchObject([{ report }]);

    const none = await command(["last", "ops/prune"], env);
    expect(none).toMatchObject({ exitCode: 1 });
    expect(none.stderr).toContain("ops/prune has no recorded run");
  });

  it("prints the amounts of a stored report in rupees, wherever they are", async () => {
    const report = {
      duePaise: "142006250",
      taxPaise: null,
      cash: { driftPaise: "-5" },
      inFlight: { count: 2, paise: "120000" },
      items: [{ payoutId: "a", netPaise: "90001" }],
    };
    await seedRun(database, { job: PAYOUTS, report });
    const inRupees = {
      dueRupees: "1420062.50",
      taxRupees: null,
      cash: { driftRupees: "-0.05" },
      inFlight: { count: 2, rupees: "1200.00" },
      items: [{ payoutId: "a", netRupees: "900.01" }],
    };
    const last = await command(["last", PAYOUTS, "--json"], env);
    expect((JSON.parse(last.stdout) as { report: unknown }).report).toEqual(inRupees);
    const history = await command(["history", "--json"], env);
    expect(JSON.parse(history.stdout)).toMatchObject([{ report: inRupees }]);
  });

  it("checks a job that has all it needs, by reads alone", async () => {
    const sandbox = await startSandbox();
    onTestFinished(() => sandbox.close());
    const check = await command(["check", PAYOUTS, "--json"], { ...env, ...sandbox.env });
    const states = statesOf(check);
    expect(states, check.stdout).toMatchObject({
      [`environment of ${PAYOUTS}`]: "ok",
      database: "ok",
      connection: "ok",
      role: "warning",
      clocks: "ok",
      runs: "ok",
      redis: "not-checked",
      "provider: payouts": "ok",
    });
    expect(check.stdout).toContain("the server says plain text; plain text within this machine");
    expect(check.stdout).toContain("takes the key; plain text within this machine");
    expect(sandbox.calls().filter(({ mutating }) => mutating)).toEqual([]);
    expect(await database.query("SELECT 1 FROM job_runs")).toEqual([]);
  });

  it("checks that the provider takes the keys", async () => {
    const sandbox = await startSandbox();
    onTestFinished(() => sandbox.close());
    const wrongKeys = Object.fromEntries(
      Object.entries(sandbox.env).map(([name, value]) =>
        name.endsWith("_SECRET") ? [name, "wrong-secret-000000000000"] : [name, value],
      ),
    );
    const check = await command(["check", "ops/prune", "--json"], { ...env, ...wrongKeys });
    expect(check).toMatchObject({ exitCode: 1 });
    expect(statesOf(check)).toMatchObject({
      "provider: payouts": "wrong",
      "provider: payments": "wrong",
    });
    expect(check.stdout).toMatch(
      /tried to list payouts at 127\.0\.0\.1:\d+: The provider does not accept our credentials\. \(credentials\) Check RAZORPAYX_KEY_ID/,
    );
    expect(check.stdout).toMatch(/tried to ask for an order at .* Check RAZORPAY_KEY_ID/);
    expect(check.stdout).not.toContain("wrong-secret");
  });

  it("says of a wrong setting what was tried, what happened and what to do", async () => {
    const sandbox = await startSandbox();
    onTestFinished(() => sandbox.close());
    const other = { ...sandbox.env, RAZORPAYX_ACCOUNT_NUMBER: "7878780080316399" };
    const account = await command(["check", "ops/prune"], { ...env, ...other });
    expect(account.stdout).toMatch(/account-refused\) Check RAZORPAYX_ACCOUNT_NUMBER/);

    const port = String(await freePort());
    const closed = { ...sandbox.env, RAZORPAY_BASE_URL: `http://127.0.0.1:${port}/v1` };
    const away = await command(["check", "ops/prune"], { ...env, ...closed });
    expect(away.stdout).toContain(`tried to list payouts at 127.0.0.1:${port}: `);
    expect(away.stdout).toContain("(gateway-unreachable)");

    const mysql = await command(["check", "ops/prune"], { DATABASE_URL: "mysql://x" });
    expect(mysql.stdout).toMatch(/WRONG +database +DATABASE_URL is not a PostgreSQL URL/);
    expect(mysql.stdout).not.toMatch(/database +.*\[redacted\]/);
  });

  it("checks that the mail server takes the login, and sends nothing", async () => {
    const login = { user: "jobs", password: "open-sesame" };
    const mail = await startMailSandbox({ login });
    onTestFinished(() => mail.close());
    const check = await command(["check", DELIVERY, "--json"], { ...env, ...mail.env });
    expect(statesOf(check), check.stdout).toMatchObject({ "mail server": "ok" });
    expect(check.stdout).toContain("takes the login; plain text within this machine");

    const sending = jobs.filter(({ name }) => name === DELIVERY);
    const told = async (own: Record<string, string>): Promise<string> =>
      JSON.stringify(await checkMailServer({ ...mail.env, ...own }, sending));
    const wrong = await told({ SMTP_URL: mail.url.replace("open-sesame", "wrong-word") });
    expect(wrong).toContain("mail-login-refused");
    expect(wrong).not.toContain("wrong-word");
    const away = await told({ SMTP_URL: `smtp://127.0.0.1:${await freePort()}` });
    expect(away).toContain("mail-server-unreachable");
    // The sandbox has no TLS.
    expect(await told({ SMTP_TLS: "required" })).toContain("wrong");
    expect(await told({ MAIL_FROM: "nobody" })).toContain("MAIL_FROM");
    expect(mail.mails()).toEqual([]);

    const prune = jobs.filter(({ name }) => name === "ops/prune");
    expect(await checkMailServer(mail.env, prune)).toEqual([]);
  });

  it("says which variable of a named job is missing, and which job was missed", async () => {
    await seedRun(database, { job: PAYOUTS, hoursAgo: 24 * 30 });
    await seedRun(database, { job: PAYOUTS, hoursAgo: 24 * 31, outcome: null });
    const check = await command(["check", PAYOUTS], env);
    expect(check).toMatchObject({ exitCode: 1 });
    expect(check.stdout).toMatch(
      /WRONG +environment of payouts\/process-payouts +.*RAZORPAYX_KEY_ID/,
    );
    expect(check.stdout).toMatch(/WRONG +runs +payouts\/process-payouts missed since/);
    expect(check.stdout).toMatch(/WRONG +runs +payouts\/process-payouts without an end since/);
    expect(
      await database.query("SELECT count(*)::int AS open FROM job_runs WHERE outcome IS NULL"),
    ).toEqual([{ open: 1 }]);
  });

  it("says whether Redis answers, without the password of its address", async () => {
    const REDIS_URL = "redis://:planted-password@127.0.0.1:1";
    const away = await command(["check", "ops/prune", "--json"], { ...env, REDIS_URL });
    expect(away).toMatchObject({ exitCode: 1 });
    expect(statesOf(away)).toMatchObject({ redis: "wrong", database: "ok" });
    expect(away.stdout).not.toContain("planted-password");
    const off = { ...env, REDIS_URL, LOCK_STORE: "postgres" };
    expect(statesOf(await command(["check", "ops/prune", "--json"], off))).toMatchObject({
      redis: "not-checked",
    });
  });

  it("says that a database is not migrated, or not there", async () => {
    await database.query(`DELETE FROM _prisma_migrations WHERE migration_name LIKE '%retention'`);
    const behind = await command(["check", "ops/prune"], env);
    expect(behind).toMatchObject({ exitCode: 1 });
    expect(behind.stdout).toMatch(/WRONG +database +.*lacks 20261126000000_retention/);

    const away = await command(["check", "ops/prune"], {
      DATABASE_URL: "postgres://nobody:planted-password@127.0.0.1:1/none",
    });
    expect(away).toMatchObject({ exitCode: 1 });
    expect(away.stdout).toMatch(/WRONG +database +.*127.0.0.1:1\/none cannot be reached/);
    expect(away.stdout).not.toContain("planted-password");
  });
});

describeWithRedis("npm run jobs -- check with Redis", () => {
  it("says that it answers", async () => {
    const redis = useTestRedis();
    onTestFinished(() => redis.close());
    const check = await command(["check", "--json"], { REDIS_URL: redis.url });
    expect(statesOf(check)).toMatchObject({ redis: "ok" });
    expect(check.stdout).toContain("answers; plain text within this machine");
  });
});

describe("npm run jobs -- check without any variable", () => {
  it("checks what needs none, says what it could not check, and is green", async () => {
    const check = await command(["check"]);
    expect(check.stdout).toMatch(/not checked +environment +DATABASE_URL is not set/);
    expect(check.stdout).toMatch(/not checked +database +DATABASE_URL is not set/);
    expect(check.stdout).toMatch(/not checked +redis/);
    expect(check.stdout).toMatch(/not checked +provider: payouts +no key is set/);
    expect(check, check.stdout).toMatchObject({ exitCode: 0, stderr: "" });
    expect(await command(["check", "--offline"])).toMatchObject({ exitCode: 0 });
  });
});

describe("the registry against workflows", () => {
  const twoJobs = jobs.filter(({ name }) => ["ops/prune", "ops/watchdog"].includes(name));

  function check(files: Record<string, string>): string[] {
    const folder = mkdtempSync(join(tmpdir(), "afterhours-workflows-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    mkdirSync(folder, { recursive: true });
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    return checkWorkflows({ folder, all: jobs, chosen: twoJobs }).map(
      ({ state, detail }) => `${state}: ${detail}`,
    );
  }
  const workflow = (job: string, cron: string): string =>
    `on:\n  schedule:\n    - cron: "${cron}"\njobs:\n  run:\n    steps:\n      - run: node --import tsx jobs/${job}.ts\n`;
  const good = {
    "prune.yml": workflow("ops/prune", "21 20 * * *"),
    "watchdog.yaml": workflow("ops/watchdog", "51 4 * * *"),
  };

  it("is not checked where there are none", () => {
    expect(check({})).toEqual(["not-checked: no workflows in .github/workflows"]);
  });

  it("agrees when each job has one workflow that fires at its times", () => {
    const others = { "ci.yml": "on: push\njobs:\n  test:\n    steps:\n      - run: npm test\n" };
    expect(check({ ...good, ...others })).toEqual(["ok: 2 jobs agree with 3 workflows"]);
  });

  it("says which job has none, one at another time, or two", () => {
    expect(check({ "prune.yml": good["prune.yml"] })).toEqual([
      "wrong: no workflow with a schedule runs ops/watchdog",
    ]);
    expect(check({ ...good, "prune.yml": workflow("ops/prune", "0 0 * * *") })).toEqual([
      'wrong: ops/prune is due at "21 20 * * *", and prune.yml does not fire then',
      'wrong: prune.yml fires at "0 0 * * *", which is the time of no job it runs',
    ]);
    expect(check({ ...good, "again.yml": good["prune.yml"] })).toEqual([
      'wrong: ops/prune is started more than once at "21 20 * * *": again.yml, prune.yml',
    ]);
  });

  it("says which workflow names no job, or can not be read", () => {
    expect(check({ ...good, "old.yml": workflow("ops/prune-old", "1 1 * * *") })).toEqual([
      "wrong: old.yml names jobs/ops/prune-old.ts, which is no job of the registry",
    ]);
    expect(check({ ...good, "broken.yml": "on: [\n" })).toEqual([
      expect.stringContaining("wrong: broken.yml can not be read: "),
    ]);
  });
});

function statesOf({ stdout }: ScriptResult): Record<string, string> {
  const findings = JSON.parse(stdout) as { part: string; state: string }[];
  return Object.fromEntries(findings.map(({ part, state }) => [part, state]));
}
