import { realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { JobDefinition } from "./define-job.ts";
import { exitCodeOf } from "./outcome.ts";
import { runJob } from "./run-job.ts";

/**
 * Runs the job if its file is the one that Node was started with, and sets the exit code; does nothing
 * when the file is imported.
 */
export async function runIfMain<Settings, Report, Flag extends string>(
  meta: { url: string },
  job: JobDefinition<Settings, Report, Flag>,
): Promise<void> {
  const entry = process.argv[1];
  if (entry === undefined || realpathSync(entry) !== fileURLToPath(meta.url)) return;
  const outcome = await runJob(job, {
    argv: process.argv.slice(2),
    env: process.env,
    stdout: process.stdout,
    stderr: process.stderr,
  });
  process.exitCode = exitCodeOf(outcome);
}
