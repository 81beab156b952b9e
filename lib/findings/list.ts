import { sql, type DbSession } from "../db/client.ts";

/** Critical: money may be wrong, somebody looks today. */
export type FindingSeverity = "critical" | "warning";

export const FINDING_SEVERITIES: readonly FindingSeverity[] = ["critical", "warning"];

export interface Finding {
  id: string;
  /** Stable, in kebab-case. */
  kind: string;
  severity: FindingSeverity;
  subjectType: string;
  subjectId: string;
  /** The difference, without personal data. */
  details: unknown;
  /** As they were first seen; null before that was kept. */
  firstDetails: unknown;
  firstSeenAt: Date;
  lastSeenAt: Date;
  /** Null while it is open, as the two below. */
  resolvedAt: Date | null;
  resolvedBy: string | null;
  resolution: string | null;
  /** The database login that resolved it, which nobody can claim; null before that was kept. */
  resolvedLogin: string | null;
}

export interface FindingFilter {
  /** Also those that are resolved. */
  all: boolean;
  severity: FindingSeverity | undefined;
  kind: string | undefined;
  limit: number;
}

const FINDINGS = sql`
  SELECT id, kind, severity::text AS severity, subject_type AS "subjectType", subject_id AS "subjectId",
         details, first_details AS "firstDetails", first_seen_at AS "firstSeenAt", last_seen_at AS "lastSeenAt",
         resolved_at AS "resolvedAt", resolved_by AS "resolvedBy", resolution,
         resolved_login AS "resolvedLogin"
  FROM findings`;

/** Findings, open before resolved, critical first, last seen first, and whether there are more than the limit. */
export async function listFindings(
  db: DbSession,
  { all, severity, kind, limit }: FindingFilter,
): Promise<{ findings: Finding[]; more: boolean }> {
  const rows = await db.query<Finding[]>`
    ${FINDINGS}
    WHERE (${all}::boolean OR resolved_at IS NULL)
      AND (${severity ?? null}::finding_severity IS NULL OR severity = ${severity ?? null}::finding_severity)
      AND (${kind ?? null}::text IS NULL OR kind = ${kind ?? null}::text)
    ORDER BY resolved_at IS NOT NULL, findings.severity, last_seen_at DESC, id
    LIMIT ${limit + 1}`;
  return { findings: rows.slice(0, limit), more: rows.length > limit };
}

/** The findings whose id begins so, two at most: more than one names none. */
export async function findFindings(db: DbSession, idOrPrefix: string): Promise<Finding[]> {
  const pattern = `${idOrPrefix.toLowerCase().replace(/[\\%_]/g, "\\$&")}%`;
  return db.query<Finding[]>`
    ${FINDINGS}
    WHERE id::text LIKE ${pattern}
    ORDER BY id LIMIT 2`;
}
