import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { jobs } from "../../jobs/registry.ts";
import { insertSampleCheckout } from "../../scripts/dev/demo/sample-checkout.ts";
import { startMailSandbox, type MailSandbox } from "../../scripts/sandbox/mail/index.ts";
import { startSandbox, type Sandbox } from "../../scripts/sandbox/razorpay/index.ts";
import { openMonitor } from "../lib/job/settle/monitor.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { startStep, type JobEnd } from "../support/job-process.ts";
import { checkMoneyInvariants, seedApprovedPayouts } from "../support/payout-world.ts";
import { ROOT } from "./files.ts";
import { startWorkflowStep, type Event } from "./runner.ts";

const PAYOUTS = "payouts/process-payouts";
const CONFIGURATION = ["package.json", "package-lock.json", "tsconfig.json"];
const CANCEL = "payments/cancel-pending";

let database: TestDatabase;
let sandbox: Sandbox;
let mail: MailSandbox;
let checkout: Readonly<Record<string, string>>;
let settings: Record<string, string>;
beforeAll(async () => {
  [database, sandbox, mail] = [
    await createTestDatabase(),
    await startSandbox(),
    await startMailSandbox(),
  ];
  await seedApprovedPayouts(database, { count: 3, payees: 3 });
  checkout = await insertSampleCheckout(database.url);
  settings = { DATABASE_URL: database.url, ...sandbox.env, ...mail.env };
});
afterAll(async () => {
  await mail.close();
  await sandbox.close();
  await database.drop();
});

/** The step of a job's workflow from its start to its end, with the report that would be uploaded. */
async function runWorkflow(
  job: string,
  { event, with: more = {} }: { event?: Event; with?: Record<string, string> } = {},
): Promise<JobEnd & { report: unknown }> {
  const step = startWorkflowStep(job, {
    ...(event === undefined ? {} : { event }),
    settings: { ...settings, ...more },
  });
  const end = await step.ended;
  return { ...end, report: step.report() };
}

const byHand = (inputs: Record<string, string | boolean> = {}): Event => ({
  name: "workflow_dispatch",
  inputs,
});

describe("started by hand as a dry run", () => {
  it.each(jobs.map(({ name }) => name))(
    "%s says what it would do, and changes nothing",
    async (name) => {
      const flags = jobs.find((job) => job.name === name)?.flags ?? [];
      const own = flags.map((flag): [string, string] => [
        flag.name.replaceAll("-", "_"),
        checkout[flag.name] ?? "",
      ]);
      const event = byHand({ ...Object.fromEntries(own), dry_run: true });
      const end = await runWorkflow(name, {
        event,
        with: { HEARTBEAT_BASE_URL: "http://127.0.0.1:9" },
      });
      const told = { outcome: "completed", success: "true", dry_run: "true" };
      expect(end, end.stdout + end.stderr).toMatchObject({ exitCode: 0, outputs: told });
      expect(end.summary).toContain("(dry run)");
      expect(end.report).toMatchObject({
        job: name,
        dryRun: true,
        runId: end.outputs["run_id"],
        runUrl: "https://github.example/acme/afterhours/actions/runs/1658821493",
      });
      expect(await database.query("SELECT 1 FROM job_runs")).toEqual([]);
      expect(sandbox.calls().filter(({ mutating }) => mutating)).toEqual([]);
      expect(mail.reached("connect")).toBe(0);
    },
  );
});

describe("a job that moves money, started by hand", () => {
  it("is dry unless its starter says otherwise, and heeds the limit that was put in", async () => {
    const end = await runWorkflow(PAYOUTS, { event: byHand({ limit: "1" }) });
    expect(end.outputs).toMatchObject({ outcome: "completed", dry_run: "true" });
    expect(end.report).toMatchObject({ outputs: { planned: 1 } });
  });

  it.each([
    '1"; touch /tmp/afterhours-was-here; "',
    "$(touch /tmp/afterhours-was-here)`touch /tmp/afterhours-was-here`",
    "1\n--log-level=trace --dry-run",
  ])("takes the input %j for one value, and refuses it", async (limit) => {
    const end = await runWorkflow(PAYOUTS, { event: byHand({ limit }) });
    expect(end, end.stderr).toMatchObject({
      exitCode: 2,
      outputs: { outcome: "misconfigured", success: "false" },
      report: { outcome: "misconfigured", report: null },
    });
    expect(end.stdout).toContain("expected a whole number of at least 1");
    expect(existsSync("/tmp/afterhours-was-here")).toBe(false);
  });
});

describe("a workflow whose secrets were never set", () => {
  it("is red at once and names them all", async () => {
    const unset = { ...settings, DATABASE_URL: "", RAZORPAYX_KEY_SECRET: "" };
    const step = startWorkflowStep(PAYOUTS, { settings: unset });
    const end = await step.ended;
    expect(end).toMatchObject({ exitCode: 2, outputs: { outcome: "misconfigured" } });
    expect(end.summary).toContain("DATABASE&#95;URL: is missing");
    expect(end.summary).toContain("RAZORPAYX&#95;KEY&#95;SECRET");
    expect(end.stdout).toMatch(/^::error title=payouts\/process-payouts/m);
  });

  it("uses the name that older deployments gave to the payouts secret", async () => {
    const { RAZORPAYX_KEY_SECRET = "", ...others } = settings;
    const old = { ...others, RAZORPAY_SECRET: RAZORPAYX_KEY_SECRET };
    const step = startWorkflowStep(PAYOUTS, { event: byHand(), settings: old });
    expect((await step.ended).outputs).toMatchObject({ outcome: "completed" });
  });
});

describe("started by its schedule", () => {
  it("the payout job pays, tells its own check of the monitor, and shows no secret", async () => {
    const monitor = await openMonitor();
    onTestFinished(() => monitor.close());
    const end = await runWorkflow(PAYOUTS, { with: { HEARTBEAT_BASE_URL: monitor.url } });
    expect(end, end.stdout + end.stderr).toMatchObject({
      exitCode: 0,
      outputs: { outcome: "completed", dry_run: "false", succeeded: "3" },
      report: { outcome: "completed", dryRun: false, exitCode: 0 },
    });
    expect(await database.query("SELECT id, outcome FROM job_runs")).toEqual([
      { id: end.outputs["run_id"], outcome: "completed" },
    ]);
    expect(monitor.pings.map((ping) => ping.replace(/\?.*/, ""))).toEqual([
      "POST /ping/token/payouts-process-payouts/start",
      "POST /ping/token/payouts-process-payouts",
    ]);
    await checkMoneyInvariants(database, sandbox);

    const shown = [
      end.stdout.replace(/^::add-mask::.*$/gm, ""),
      end.stderr,
      end.summary,
      JSON.stringify(end.outputs),
      JSON.stringify(end.report),
    ].join("\n");
    for (const name of ["DATABASE_URL", "RAZORPAYX_KEY_SECRET", "RAZORPAYX_ACCOUNT_NUMBER"])
      expect(shown).not.toContain(settings[name]);
  });

  it("a job with a monitor of its own tells that one, and not the one of all jobs", async () => {
    const [all, own] = [await openMonitor(), await openMonitor()];
    onTestFinished(() => all.close());
    onTestFinished(() => own.close());
    const end = await runWorkflow("ops/prune", {
      with: { HEARTBEAT_BASE_URL: all.url, HEARTBEAT_URL_OPS_PRUNE: own.url },
    });
    expect(end, end.stdout + end.stderr).toMatchObject({ exitCode: 0 });
    expect(all.pings).toEqual([]);
    expect(own.pings.map((ping) => ping.replace(/\?.*/, ""))).toEqual([
      "POST /ping/token/start",
      "POST /ping/token",
    ]);
    expect(end.stdout.replace(/^::add-mask::.*$/gm, "") + end.summary).not.toContain(own.url);
  });
});

describe("a job for one thing, started by hand", () => {
  it("gets the flags that were put in, and does it where the dry run is switched off", async () => {
    const inputs = {
      payment_id: checkout["payment-id"] ?? "",
      user_id: checkout["user-id"] ?? "",
      dry_run: false,
    };
    const end = await runWorkflow(CANCEL, { event: byHand(inputs) });
    expect(end, end.stdout + end.stderr).toMatchObject({
      exitCode: 0,
      outputs: { outcome: "completed", dry_run: "false" },
    });
    expect(
      await database.query("SELECT status FROM payments WHERE id = $1", [inputs.payment_id]),
    ).toEqual([{ status: "EXPIRED" }]);
  });
});

describe("setting up", () => {
  it("installs what a job needs as the lock file has it, runs nobody's install script, and bundles every job", async () => {
    const checkoutFolder = mkdtempSync(join(tmpdir(), "afterhours-checkout-"));
    onTestFinished(() => rmSync(checkoutFolder, { recursive: true, force: true }));
    for (const part of ["jobs", "lib", "scripts", ...CONFIGURATION])
      cpSync(join(ROOT, part), join(checkoutFolder, part), { recursive: true });
    copyProductionPackages(checkoutFolder);
    const bin = join(checkoutFolder, "bin");
    mkdirSync(bin);
    writeFileSync(
      join(bin, "npm"),
      `#!/bin/sh\necho "$@" >> "${join(bin, "calls")}"\nenv > "${join(bin, "environment")}"\n`,
    );
    chmodSync(join(bin, "npm"), 0o755);

    const step = startWorkflowStep(PAYOUTS, {
      step: "Bundle the jobs",
      settings,
      path: bin,
      cwd: checkoutFolder,
    });
    const end = await step.ended;
    expect(end, end.stderr).toMatchObject({ exitCode: 0 });
    expect(readFileSync(join(bin, "calls"), "utf8")).toBe(
      "ci --omit=dev --ignore-scripts --no-audit --no-fund\n",
    );
    const environment = readFileSync(join(bin, "environment"), "utf8");
    for (const secret of ["DATABASE_URL", "RAZORPAYX_KEY_SECRET"])
      expect(environment).not.toContain(secret);
    // Without a home that npm may write to, it fails, or makes a folder named ~ in the checkout.
    expect(environment).toMatch(/^HOME=\/./m);
    for (const { name } of jobs)
      expect(existsSync(join(checkoutFolder, `dist/jobs/${name}.js`)), name).toBe(true);
  });

  it("needs no package: a bundle runs without node_modules", async () => {
    const folder = mkdtempSync(join(tmpdir(), "afterhours-bundles-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    cpSync(join(ROOT, "dist"), join(folder, "dist"), { recursive: true });
    for (const { name } of jobs) {
      const script = `exec node dist/jobs/${name}.js --help`;
      const end = await startStep({ script, env: {}, cwd: folder }).ended;
      expect(end, end.stderr).toMatchObject({ exitCode: 0 });
      expect(end.stdout).toContain("--dry-run");
    }
  });

  it("is said to be what is missing where a job has no bundle", async () => {
    const folder = mkdtempSync(join(tmpdir(), "afterhours-no-bundles-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const end = await startWorkflowStep(PAYOUTS, { settings, cwd: folder }).ended;
    expect(end).toMatchObject({ exitCode: 2, stderr: "" });
    expect(end.stdout).toMatch(/^::error .*dist\/jobs\/payouts\/process-payouts\.js is not there/);
    expect(end.stdout).toContain("npm run build");
  });

  it("leaves no package that a job loads to development", () => {
    const { dependencies } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
      dependencies: Record<string, string>;
    };
    const loaded = new Set<string>();
    for (const folder of ["lib", "jobs"]) {
      for (const file of readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })) {
        if (!file.endsWith(".ts")) continue;
        const text = readFileSync(join(ROOT, folder, file), "utf8");
        const imports = text.matchAll(/^(?:import|export)(?! type)[^;]*?from "([^".][^"]*)"/gm);
        for (const [, name = ""] of [...imports, ...text.matchAll(/import\("([^".][^"]*)"\)/g)]) {
          if (!name.startsWith("node:")) loaded.add(packageOf(name));
        }
      }
    }
    expect(loaded.size).toBeGreaterThan(10);
    expect([...loaded].filter((name) => dependencies[name] === undefined)).toEqual([]);
  });
});

/** What `npm ci --omit=dev` installs. */
function copyProductionPackages(to: string): void {
  const { packages } = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8")) as {
    packages: Record<string, { dev?: boolean }>;
  };
  for (const [path, { dev }] of Object.entries(packages)) {
    // Those of other platforms are absent.
    if (path === "" || dev === true || !existsSync(join(ROOT, path))) continue;
    cpSync(join(ROOT, path), join(to, path), { recursive: true });
  }
}

function packageOf(specifier: string): string {
  return specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
}
