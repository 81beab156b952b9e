import type { Env } from "../support/environment.ts";
import { DEFAULT_OPTIONS, withDryRun, type Output, type ParsedOptions } from "./common-options.ts";
import type { AnyJob } from "./define-job.ts";

/**
 * Reads the flags that every job has, and the job's own. A scheduled run is given none, so what parses them
 * is loaded only for one that is: a tenth of what a skipped run loads.
 */
export async function readOptions(
  job: AnyJob,
  argv: readonly string[],
  env: Env,
  output: Output,
): Promise<ParsedOptions> {
  if (argv.length === 0 && (job.flags ?? []).length === 0) {
    return withDryRun({ kind: "run", options: DEFAULT_OPTIONS, flags: {} }, env);
  }
  const { parseOptions } = await import("./options.ts");
  return parseOptions(job, argv, env, output);
}
