import type { DbSession } from "../db/prisma.ts";
import { toJson } from "../support/log.ts";
import type { FindingSeverity } from "./list.ts";

export {
  FINDING_SEVERITIES,
  findFindings,
  listFindings,
  type Finding,
  type FindingFilter,
  type FindingSeverity,
} from "./list.ts";
export { resolveFinding, type Resolution } from "./resolve.ts";

export interface NewFinding {
  /** Stable, in kebab-case. */
  kind: string;
  severity: FindingSeverity;
  subjectType: string;
  subjectId: string;
  /** What differs, without personal data. */
  details: Record<string, unknown>;
}

/**
 * Stores a difference that a job may not mend by itself. The same difference seen again is the same
 * finding until a person resolves it; after that it is a new one.
 */
export async function recordFinding(tx: DbSession, finding: NewFinding): Promise<void> {
  await tx.$executeRaw`
    INSERT INTO findings (kind, severity, subject_type, subject_id, details)
    VALUES (${finding.kind}, ${finding.severity}::finding_severity, ${finding.subjectType},
            ${finding.subjectId}, ${toJson(finding.details)}::jsonb)
    ON CONFLICT (kind, subject_type, subject_id) WHERE resolved_at IS NULL
    DO UPDATE SET last_seen_at = now(), details = EXCLUDED.details, severity = EXCLUDED.severity`;
}
