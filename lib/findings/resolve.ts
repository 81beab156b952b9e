import { recordAudit } from "../audit/audit-log.ts";
import { inTransaction, type Db } from "../db/client.ts";

export type Resolution =
  | { outcome: "resolved"; kind: string }
  /** Somebody was first; nothing was changed. */
  | { outcome: "already"; by: string; at: Date; reason: string }
  | { outcome: "unknown" };

/**
 * Closes a finding for good, with the person's name and reason. Of several people at once one succeeds, and the
 * others get that person's name. The same difference, seen again later, is a new finding.
 */
export async function resolveFinding(
  db: Db,
  { findingId, by, reason }: { findingId: string; by: string; reason: string },
): Promise<Resolution> {
  return inTransaction(db, async (tx): Promise<Resolution> => {
    const [finding] = await tx.query<{ kind: string; subjectType: string; subjectId: string }[]>`
      UPDATE findings SET resolved_at = now(), resolved_by = ${by}, resolution = ${reason}
      WHERE id = ${findingId}::uuid AND resolved_at IS NULL
      RETURNING kind, subject_type AS "subjectType", subject_id AS "subjectId"`;
    if (finding) {
      await recordAudit(tx, {
        actor: by,
        category: "finding",
        action: "resolved",
        subjectType: "finding",
        subjectId: findingId,
        reason,
        detail: { ...finding },
      });
      return { outcome: "resolved", kind: finding.kind };
    }
    // A separate statement: it sees rows that were committed while the first one waited.
    const [first] = await tx.query<{ by: string; at: Date; reason: string }[]>`
      SELECT resolved_by AS by, resolved_at AS at, resolution AS reason
      FROM findings WHERE id = ${findingId}::uuid AND resolved_at IS NOT NULL`;
    return first ? { outcome: "already", ...first } : { outcome: "unknown" };
  });
}
