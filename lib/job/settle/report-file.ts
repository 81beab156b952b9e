import { rename, writeFile } from "node:fs/promises";
import { toJson } from "../../support/log.ts";
import type { OutputValue } from "../define-job.ts";
import type { SummaryInput } from "./summary.ts";

/** Everything there is to say of a run, for a program that reads it later. */
export interface ReportFile {
  summary: SummaryInput;
  exitCode: number;
  origin: { commit: string | undefined; runUrl: string | undefined };
  /** The job's own outputs. */
  outputs: Record<string, OutputValue>;
  /** The core's report, redacted; undefined when the core was not called. */
  report: unknown;
}

/**
 * Writes it as JSON, amounts as decimal digits. Whoever finds the file finds all of it: it takes its name
 * once it is complete. Only its owner may read it.
 */
export async function writeReportFile(path: string, file: ReportFile): Promise<void> {
  const { summary, exitCode, outputs, report } = file;
  const { tables, ...end } = summary;
  const { commit, runUrl } = file.origin;
  const unfinished = `${path}.unfinished`;
  const text = toJson(
    { ...end, exitCode, commit, runUrl, outputs, report: report ?? null, tables },
    2,
  );
  await writeFile(unfinished, `${text}\n`, { mode: 0o600 });
  await rename(unfinished, path);
}
