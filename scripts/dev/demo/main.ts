import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { minutes, sleep } from "../../../lib/support/clock.ts";
import { toError } from "../../../lib/support/errors.ts";
import { migrate } from "../migrate/apply.ts";
import { startSandbox, type Sandbox } from "../../sandbox/razorpay/index.ts";
import { startPostgres, type RunningPostgres } from "../services/postgres.ts";
import { refusedAccounts, timeoutAccounts } from "./bad-accounts.ts";
import { runChild } from "./child.ts";
import { demonstrateMarketplace } from "./marketplace/run.ts";
import { readResult, printResult } from "./result.ts";
import { demonstrateScenes } from "./scenes/run.ts";
import { connectAdmin } from "../../cli/frame/database-url.ts";
import { newCommand, readerLost } from "../../cli/frame/command-line.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const SAMPLE = join(ROOT, "scripts/dev/demo/sample-earnings.csv");
/** Short, so that the one payout whose answer never comes does not hold up the demo. */
const TIMEOUT_MS = 2000;

process.exitCode = await main();

/**
 * The main job on real parts: an embedded PostgreSQL, the provider's sandbox, the shipped week of earnings or
 * the user's own. Every started server is stopped at the end, also after an error.
 */
async function main(): Promise<number> {
  const program = newCommand("demo")
    .description("Pays a week of earnings on an embedded PostgreSQL and the provider's sandbox.")
    .option("--earnings <file>", "a finance export of your own instead of the shipped sample")
    .option(
      "--all",
      "then the jobs of waitlist, checkouts, refunds and mail on a seeded marketplace, and what goes wrong between the jobs",
    )
    .option("--keep", "leave database and sandbox up until Ctrl-C, and say how to reach them")
    .parse();
  const {
    earnings = SAMPLE,
    keep = false,
    all = false,
  } = program.opts<{ earnings?: string; keep?: boolean; all?: boolean }>();
  const file = resolve(process.env["INIT_CWD"] ?? process.cwd(), earnings);
  if (!existsSync(file)) {
    console.error(`${earnings}: no such file`);
    return 2;
  }

  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => stop.abort());
  if (keep) void readerLost.then(() => stop.abort());
  const cleanups: (() => Promise<void>)[] = [];
  try {
    return await demonstrate({ file, keep, all, signal: stop.signal, cleanups });
  } catch (error) {
    if (!stop.signal.aborted)
      console.error(`\nThe demo could not go on: ${toError(error).message}`);
    return stop.signal.aborted ? 130 : 1;
  } finally {
    for (const cleanup of cleanups.reverse()) await cleanup().catch(() => undefined);
  }
}

interface Stage {
  file: string;
  keep: boolean;
  all: boolean;
  signal: AbortSignal;
  /** Clean-up steps, in the order of the starts. */
  cleanups: (() => Promise<void>)[];
}

async function demonstrate({ file, keep, all, signal, cleanups }: Stage): Promise<number> {
  const home = await mkdtemp(join(tmpdir(), "afterhours-demo-"));
  const summaryFile = join(home, "summary.md");
  await writeFile(summaryFile, "", { flag: "wx", mode: 0o600 });

  say("Starting PostgreSQL");
  const postgres = await startPostgres();
  cleanups.push(() => postgres.stop());
  signal.throwIfAborted();
  say("Starting the provider's sandbox");
  const sandbox = await startSandbox();
  cleanups.push(() => sandbox.close());
  sandbox.addFaults(sampleFaults());
  say("Creating the tables");
  await migrate({ url: postgres.url });

  const env = {
    ...process.env,
    ...sandbox.env,
    DATABASE_URL: postgres.url,
    RAZORPAY_REQUESTS_PER_SECOND: "100",
    RAZORPAY_TIMEOUT_MS: String(TIMEOUT_MS),
    GITHUB_STEP_SUMMARY: summaryFile,
    GITHUB_OUTPUT: "",
    GITHUB_ACTIONS: "",
    REDIS_URL: "",
    DRY_RUN: "",
  };
  signal.throwIfAborted();
  say("Importing the earnings and approving their payouts");
  const imported = await runChild(ROOT, ["scripts/cli/import-earnings.ts", file, "--approve"], {
    env,
    signal,
    show: "all",
  });
  if (imported !== 0) {
    await rm(home, { recursive: true, force: true });
    return imported;
  }

  signal.throwIfAborted();
  say("Running jobs/payouts/process-payouts.ts");
  const started = performance.now();
  const exitCode = await runChild(
    ROOT,
    ["jobs/payouts/process-payouts.ts", "--log-level", "error"],
    { env, signal, show: "stderr" },
  );
  signal.throwIfAborted();
  say(
    `It ended with exit code ${exitCode} after ${((performance.now() - started) / 1000).toFixed(1)} s`,
  );

  const result = await readResult(postgres.url);
  printResult(result, sandbox.payouts());
  const summary = await readFile(summaryFile, "utf8").catch(() => "");
  console.log(
    summary === ""
      ? "\nNo summary was written."
      : `\nThe full summary, as GitHub Actions shows it: ${summaryFile}`,
  );
  const isAllDone = !all || (await demonstrateAll({ home, postgres, sandbox, env, signal }));
  if (keep)
    await keepRunning({
      env: { ...sandbox.env, DATABASE_URL: postgres.url },
      control: sandbox.url,
      signal,
    });
  // The last line, for programs.
  console.log(JSON.stringify(result.line));
  const isPaid = result.line.outcome === "completed" || result.line.outcome === "partial";
  return isPaid && isAllDone ? 0 : 1;
}

/** @returns whether every job did all its work, and each scene came to its end */
async function demonstrateAll({
  postgres,
  sandbox,
  ...stage
}: {
  home: string;
  postgres: RunningPostgres;
  sandbox: Sandbox;
  env: NodeJS.ProcessEnv;
  signal: AbortSignal;
}): Promise<boolean> {
  const common = { ...stage, root: ROOT, say };
  const isDone = await demonstrateMarketplace({ ...common, sandbox, databaseUrl: postgres.url });
  const admin = await connectAdmin(postgres.url);
  try {
    await admin.query("CREATE DATABASE scenes");
  } finally {
    await admin.end();
  }
  return (await demonstrateScenes({ ...common, databaseUrl: postgres.urlOf("scenes") })) && isDone;
}

/** The provider's faults for the sample's bad accounts. */
function sampleFaults(): Parameters<Awaited<ReturnType<typeof startSandbox>>["addFaults"]>[0] {
  return [
    ...refusedAccounts.map((account_number) => ({
      on: "POST /fund_accounts" as const,
      match: { account_number },
      times: -1,
      status: 400,
      error: { code: "BAD_REQUEST_ERROR", reason: "bank_account_invalid", field: "account_number" },
    })),
    ...timeoutAccounts.map((account_number) => ({
      on: "POST /payouts" as const,
      match: { account_number },
      times: -1,
      hang: true as const,
      accept: true,
    })),
  ];
}

async function keepRunning({
  env,
  control,
  signal,
}: {
  env: Record<string, string>;
  control: string;
  signal: AbortSignal;
}): Promise<void> {
  console.log("\nDatabase and sandbox stay up until Ctrl-C. In another terminal:\n");
  for (const [name, value] of Object.entries(env)) console.log(`export ${name}='${value}'`);
  console.log(`\ncurl ${control}/__sandbox/payouts   # what the provider accepted`);
  while (!signal.aborted) await sleep(minutes(60), signal);
}

function say(what: string): void {
  console.log(`• ${what}`);
}
