import { realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { JobDefinition } from "./define-job.ts";
import { runMain } from "./run-main.ts";

/** Runs the job if its file is the one that Node was started with; does nothing when the file is imported. */
export async function runIfMain<Settings, Report, Flag extends string>(
  meta: { url: string },
  job: JobDefinition<Settings, Report, Flag>,
): Promise<void> {
  const entry = process.argv[1];
  if (entry === undefined || realpathSync(entry) !== fileURLToPath(meta.url)) return;
  await runMain(job);
}
