import type { AnyJob } from "../../../lib/job/define-job.ts";
import { countsOf } from "../../../lib/ops/history.ts";
import { formatRupees } from "../../../lib/support/money.ts";
import type { SummaryTable } from "../../../lib/support/summary-table.ts";

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;
const WHOLE = /^-?\d+$/;

/** A report as its job made it: JSON has neither instants nor amounts. */
export function revived(value: unknown, name = ""): unknown {
  if (Array.isArray(value)) return value.map((item) => revived(item));
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, revived(item, key)]),
    );
  if (typeof value !== "string") return value;
  if (/paise$/i.test(name) && WHOLE.test(value)) return BigInt(value);
  return INSTANT.test(value) ? new Date(value) : value;
}

/**
 * The tables of a recorded run, as the run itself printed them. Undefined where this version of the job can not
 * read the report: an older version made it.
 */
export function tablesOf(
  job: AnyJob | undefined,
  report: unknown,
): readonly SummaryTable[] | undefined {
  if (job === undefined || typeof report !== "object" || report === null) return undefined;
  try {
    return job.summarise(revived(report));
  } catch {
    return undefined;
  }
}

/** The counts of a recorded run in the order in which its job declares them, amounts in rupees. */
export function countsInWords(job: AnyJob | undefined, report: unknown): string[] {
  return outputsOf(job, report).flatMap(([name, value]) => {
    const words = name.replace(/_paise$/, "").replaceAll("_", " ");
    if (!WHOLE.test(String(value)) || BigInt(String(value)) === 0n) return [];
    return name.endsWith("_paise")
      ? [`${words} ${formatRupees(BigInt(String(value)))}`]
      : [`${words} ${String(value)}`];
  });
}

function outputsOf(job: AnyJob | undefined, report: unknown): [string, unknown][] {
  if (job === undefined || typeof report !== "object" || report === null) return [];
  try {
    return Object.entries(job.outputs(revived(report)));
  } catch {
    return countsOf(report);
  }
}
