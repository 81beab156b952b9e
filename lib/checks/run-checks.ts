import type { DbSession, SqlPart } from "../db/client.ts";
import type { FindingKind, FindingSeverity } from "../findings/index.ts";
import { CHECKS } from "./all.ts";
import type { CheckRules } from "./settings.ts";

/** Rows of one check that are listed and stored; all are counted. */
export const MOST_ROWS = 100;

interface FoundRow {
  subjectType: string;
  subjectId: string;
  details: Record<string, unknown>;
}

interface CheckedRecords {
  kind: FindingKind;
  severity: FindingSeverity;
  title: string;
  count: number;
  /** The first, by subject. */
  rows: readonly FoundRow[];
}

/** Asks every check that is switched on, on the caller's snapshot. Ends early when told to. */
export async function checkRecords(
  tx: DbSession,
  { rules, signal }: { rules: CheckRules; signal: AbortSignal },
): Promise<CheckedRecords[]> {
  const outcomes: CheckedRecords[] = [];
  for (const { name: kind, severity, sentence: title, rows } of CHECKS) {
    if (signal.aborted) break;
    const query = rows(rules);
    if (query !== undefined)
      outcomes.push({ kind, severity, title, ...(await findRows(tx, query)) });
  }
  return outcomes;
}

async function findRows(
  tx: DbSession,
  query: SqlPart,
): Promise<Pick<CheckedRecords, "count" | "rows">> {
  const found = await tx.query<(FoundRow & { count: number })[]>`
    SELECT subject_type AS "subjectType", subject_id AS "subjectId", details, (count(*) OVER ())::int AS count
    FROM (${query}) AS found
    ORDER BY subject_type, subject_id
    LIMIT ${MOST_ROWS}`;
  const rows = found.map(({ subjectType, subjectId, details }) => ({
    subjectType,
    subjectId,
    details,
  }));
  return { count: found[0]?.count ?? 0, rows };
}
