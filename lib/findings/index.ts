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
  /** The difference, without personal data. */
  details: Record<string, unknown>;
}

/**
 * Stores a difference that a job may not correct, and returns whether the finding is open. The same difference
 * seen again is the same finding. A finding that a person resolved stays resolved while its details stay equal;
 * changed details make a new finding. Each sighting is recorded, and keeps the finding from being pruned. An
 * open finding stays open beside resolved ones, and its severity only rises.
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

/** Whether a person has resolved this very difference; for callers that may not write. */
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
