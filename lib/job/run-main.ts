import type { JobDefinition } from "./define-job.ts";
import { exitCodeOf } from "./outcome.ts";
import { runJob } from "./run-job.ts";

/** Runs the job as this process, and sets its exit code. */
export async function runMain<Settings, Report, Flag extends string>(
  job: JobDefinition<Settings, Report, Flag>,
): Promise<void> {
  const outcome = await runJob(job, {
    argv: process.argv.slice(2),
    env: process.env,
    stdout: process.stdout,
    stderr: process.stderr,
  });
  process.exitCode = exitCodeOf(outcome);
}
