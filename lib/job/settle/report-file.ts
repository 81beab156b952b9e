import { toJson } from "../../support/log.ts";
import { writePrivateFile } from "../../support/private-file.ts";
import type { OutputValue } from "../define-job.ts";
import type { SummaryInput } from "./summary.ts";

/** Everything there is to say of a run, for a program that reads it later. */
interface ReportFile {
  summary: SummaryInput;
  exitCode: number;
  origin: { commit: string | undefined; runUrl: string | undefined };
  /** The job's own outputs. */
  outputs: Record<string, OutputValue>;
  /** The core's report, redacted; undefined when the core was not called. */
  report: unknown;
}

/** Writes it as JSON, amounts as decimal digits, for its owner alone. */
export function writeReportFile(path: string, file: ReportFile): void {
  const { summary, exitCode, outputs, report } = file;
  const { tables, ...end } = summary;
  const { commit, runUrl } = file.origin;
  const text = toJson(
    { ...end, exitCode, commit, runUrl, outputs, report: report ?? null, tables },
    2,
  );
  writePrivateFile(path, `${text}\n`);
}
