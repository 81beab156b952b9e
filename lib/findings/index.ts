import { sql, type DbSession, type SqlPart } from "../db/client.ts";
import { toJson } from "../support/log.ts";
import type { FindingKind } from "./kinds.ts";
import type { FindingSeverity } from "./list.ts";

export { FINDING_KINDS, kindOfCode, type FindingCode, type FindingKind } from "./kinds.ts";
export {
  FINDING_SEVERITIES,
  findFindings,
  listFindings,
  type Finding,
  type FindingFilter,
  type FindingSeverity,
} from "./list.ts";
export { payoutsOf, type FindingPayout } from "./about.ts";
export { resolveFinding, type Resolution } from "./resolve.ts";

export interface NewFinding {
  kind: FindingKind;
  severity: FindingSeverity;
  subjectType: string;
  subjectId: string;
  /** What differs, without personal data. */
  details: Record<string, unknown>;
}

/**
 * Stores a difference that a job may not mend by itself, and says whether it is open. The same difference
 * seen again is the same finding; one that a person has resolved stays resolved as long as its details are
 * the ones that the person saw, and is a new finding once they differ. That it was seen is written down even so,
 * and keeps it from being pruned. Where one is open, it stays open, whatever stands resolved beside it. The severity
 * of an open one only rises.
 */
export async function recordFinding(tx: DbSession, finding: NewFinding): Promise<boolean> {
  const details = toJson(finding.details);
  const stored = await tx.execute`
    WITH known AS (
      UPDATE findings SET last_seen_at = now()
      WHERE kind = ${finding.kind} AND subject_type = ${finding.subjectType}
        AND subject_id = ${finding.subjectId} AND details = ${details}::jsonb AND resolved_at IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM findings AS open WHERE ${isOpenOne(finding)})
      RETURNING id)
    INSERT INTO findings (kind, severity, subject_type, subject_id, details)
    SELECT ${finding.kind}, ${finding.severity}::finding_severity, ${finding.subjectType},
           ${finding.subjectId}, ${details}::jsonb
    WHERE NOT EXISTS (SELECT 1 FROM known)
    ON CONFLICT (kind, subject_type, subject_id) WHERE resolved_at IS NULL
    DO UPDATE SET last_seen_at = now(), details = EXCLUDED.details,
                  severity = LEAST(findings.severity, EXCLUDED.severity)`;
  return stored > 0;
}

/** Whether a person has resolved this very difference; for who may not write. */
export async function isResolved(db: DbSession, finding: NewFinding): Promise<boolean> {
  const rows = await db.query<unknown[]>`
    SELECT 1 FROM findings
    WHERE kind = ${finding.kind} AND subject_type = ${finding.subjectType}
      AND subject_id = ${finding.subjectId} AND details = ${toJson(finding.details)}::jsonb
      AND resolved_at IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM findings AS open WHERE ${isOpenOne(finding)})
    LIMIT 1`;
  return rows.length > 0;
}

/** Of a row named `open`: it is an open finding of the same difference. */
function isOpenOne({ kind, subjectType, subjectId }: NewFinding): SqlPart {
  return sql`open.kind = ${kind} AND open.subject_type = ${subjectType} AND open.subject_id = ${subjectId}
    AND open.resolved_at IS NULL`;
}
