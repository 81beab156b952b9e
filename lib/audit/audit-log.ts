import type { DbSession } from "../db/prisma.ts";
import { toJson } from "../support/log.ts";

/** One change, as it is written down: who, what, to which row, why. Holds no personal data of payees. */
export interface AuditEntry {
  /** A person's name, or `job:<name>`. */
  actor: string;
  /** What kind of thing: `payout`, `hold`, `organization`, `finding`, `tax`, `maintenance`, `WALLET`, `CHECKOUT`, `REFUND`. */
  category: string;
  /** What was done to it: `approved`, `rejected`. */
  action: string;
  subjectType: AuditSubject;
  subjectId: string;
  reason: string | null;
  /** Whose books the change touches, if it is an organization's. */
  organizationId?: string | null;
  /** Whatever explains the change; bigints become decimal text. */
  detail?: Readonly<Record<string, unknown>>;
}

export type AuditSubject =
  | "payout"
  | "consultant"
  | "organization"
  | "finding"
  | "tax-deposit"
  | "wallet"
  | "payment"
  | "booking"
  | "mail"
  | "maintenance";

export interface RecordedAuditEntry extends Omit<AuditEntry, "detail" | "organizationId"> {
  at: Date;
  organizationId: string | null;
  detail: Record<string, unknown>;
}

/** Writes an entry. Belongs into the transaction of the change, so that there is none without the other. */
export async function recordAudit(tx: DbSession, entry: AuditEntry): Promise<void> {
  await tx.$executeRaw`
    INSERT INTO audit_log (actor, category, action, subject_type, subject_id, reason, organization_id, detail)
    VALUES (${entry.actor}, ${entry.category}, ${entry.action}, ${entry.subjectType}, ${entry.subjectId},
            ${entry.reason}, ${entry.organizationId ?? null}::uuid, ${toJson(entry.detail ?? {})}::jsonb)`;
}

/** What was done to one row, oldest first. */
export async function readAudit(
  db: DbSession,
  { subjectType, subjectId }: Pick<AuditEntry, "subjectType" | "subjectId">,
): Promise<RecordedAuditEntry[]> {
  return db.$queryRaw<RecordedAuditEntry[]>`
    SELECT at, actor, category, action, subject_type AS "subjectType", subject_id AS "subjectId", reason,
           organization_id AS "organizationId", detail
    FROM audit_log
    WHERE subject_type = ${subjectType} AND subject_id = ${subjectId}
    ORDER BY id`;
}
