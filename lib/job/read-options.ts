import type { Env } from "../support/environment.ts";
import { DEFAULT_OPTIONS, withDryRun, type Output, type ParsedOptions } from "./common-options.ts";
import type { AnyJob } from "./define-job.ts";

/**
 * Reads the common flags and the job's own flags. A scheduled run has no flags, so the parser is loaded only
 * when there are some: a tenth of the code that a skipped run loads.
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
