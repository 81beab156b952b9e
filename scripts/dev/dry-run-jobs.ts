import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { jobs } from "../../jobs/registry.ts";
import { endedByArguments, newCommand } from "../cli/frame/command-line.ts";
import { runChild } from "./demo/child.ts";
import { insertSampleCheckout } from "./demo/sample-checkout.ts";
import { migrate } from "./migrate/apply.ts";
import { startMailSandbox } from "../sandbox/mail/index.ts";
import { startSandbox } from "../sandbox/razorpay/index.ts";
import { startPostgres } from "./services/postgres.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

const command = newCommand("jobs:dry-run")
  .description("Dry-runs every job on a sample database of its own; ends with 1 when one fails.")
  .allowExcessArguments(false)
  .showHelpAfterError();
process.exitCode = endedByArguments(command) ?? (await main());

/**
 * Dry-runs every job of the registry, through its real file, on a database seeded with the sample week
 * and an abandoned checkout. A job that fails, a provider that was asked to change anything or a mail
 * server that was connected to makes this red.
 */
async function main(): Promise<number> {
  const never = new AbortController().signal;
  const postgres = await startPostgres({ durability: "none", inMemory: true });
  const sandbox = await startSandbox();
  const mail = await startMailSandbox();
  try {
    await migrate({ url: postgres.url });
    const env = {
      ...process.env,
      ...sandbox.env,
      ...mail.env,
      DATABASE_URL: postgres.url,
      REDIS_URL: "",
      GITHUB_OUTPUT: "",
    };
    const sample = join(ROOT, "scripts/dev/demo/sample-earnings.csv");
    const seeded = await runChild(ROOT, ["scripts/cli/import-earnings.ts", sample, "--approve"], {
      env,
      signal: never,
      show: "stderr",
    });
    if (seeded !== 0) return seeded;
    const values = await insertSampleCheckout(postgres.url);

    const failed: string[] = [];
    for (const { name, flags = [] } of jobs) {
      const own = flags.flatMap(({ name: flag, default: fallback = "" }) => [
        `--${flag}`,
        values[flag] ?? fallback,
      ]);
      const exitCode = await runChild(ROOT, [`jobs/${name}.ts`, "--dry-run", ...own], {
        env,
        signal: never,
        show: "all",
      });
      if (exitCode !== 0) failed.push(`${name} ended with exit code ${exitCode}`);
    }
    const writes = sandbox.calls().filter(({ mutating }) => mutating);
    if (writes.length > 0) failed.push(`${writes.length} mutating calls reached the provider`);
    if (mail.reached("connect") > 0) failed.push("the mail server was connected to");
    for (const problem of failed) console.error(problem);
    console.log(`${jobs.length} jobs dry-run, ${failed.length} problems`);
    return failed.length === 0 && jobs.length > 0 ? 0 : 1;
  } finally {
    await mail.close();
    await sandbox.close();
    await postgres.stop();
  }
}
