import { seconds } from "../support/clock.ts";
import type { JobDefinition } from "./define-job.ts";
import { exitCodeOf } from "./outcome.ts";
import { runJob } from "./run-job.ts";

/** Time for open handles to close; less than the runner leaves between its signals. */
const LEAVE_MS = seconds(1);

/** Runs the job as this process, sets its exit code, and sees that it ends. */
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
  setTimeout(endProcess, LEAVE_MS).unref();
}

/**
 * By now everything is settled and written, and a process that still lives has a connection that was given up
 * while it was made: a handshake or a proxy without an answer keeps it for minutes, and a signal
 * would then replace its exit code. A pipe may not have taken all yet: the callbacks come after it has.
 */
function endProcess(): void {
  // eslint-disable-next-line no-restricted-properties -- nothing is left that a `finally` would have to do
  process.stdout.write("", () => process.stderr.write("", () => process.exit()));
}
