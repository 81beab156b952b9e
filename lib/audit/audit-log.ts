import type { ClientBase } from "pg";
import type { DbSession } from "../db/client.ts";
import { toJson } from "../support/log.ts";

/** One recorded change: actor, action, row and reason. Holds no personal data of payees. */
export interface AuditEntry {
  /** A person's name, or `job:<name>`. */
  actor: string;
  /**
   * The kind of row: `payout`, `hold`, `organization`, `finding`, `tax`, `maintenance`, `WALLET`, `CHECKOUT`,
   * `REFUND`, `DISPUTE`, `import`, `account`, `caps`, `plan`.
   */
  category: string;
  /** The action: `approved`, `rejected`. */
  action: string;
  subjectType: AuditSubject;
  subjectId: string;
  reason: string | null;
  /** Whose books the change touches, if it is an organization's. */
  organizationId?: string | null;
  /** Further facts that explain the change; bigints become decimal text. */
  detail?: Readonly<Record<string, unknown>>;
}

type AuditSubject =
  | "payout"
  | "consultant"
  | "organization"
  | "finding"
  | "tax-deposit"
  | "wallet"
  | "payment"
  | "booking"
  | "plan"
  | "mail"
  | "maintenance"
  | "import"
  | "job";

export interface RecordedAuditEntry extends Omit<AuditEntry, "detail" | "organizationId"> {
  at: Date;
  organizationId: string | null;
  detail: Record<string, unknown>;
  /** The database login that wrote it, which nobody can claim; null before that was recorded. */
  login: string | null;
}

/** Writes an entry. Belongs into the transaction of the change, so that there is none without the other. */
export async function recordAudit(tx: DbSession, entry: AuditEntry): Promise<void> {
  await recordAudits(tx, [entry]);
}

/** As `recordAudit`, for the changes of several rows, in their order. */
export async function recordAudits(tx: DbSession, entries: readonly AuditEntry[]): Promise<void> {
  if (entries.length === 0) return;
  await tx.execute`
    INSERT INTO audit_log (actor, category, action, subject_type, subject_id, reason, organization_id, detail)
    SELECT actor, category, action, "subjectType", "subjectId", reason, "organizationId", detail
    FROM jsonb_to_recordset(${asRows(entries)}::jsonb) AS entry (
      position int, actor text, category text, action text, "subjectType" text, "subjectId" text,
      reason text, "organizationId" uuid, detail jsonb)
    ORDER BY position`;
}

/** As `recordAudits`, for callers with a session of the driver itself, such as the import. */
export async function recordAuditsOn(
  client: ClientBase,
  entries: readonly AuditEntry[],
): Promise<void> {
  if (entries.length === 0) return;
  await client.query(
    `INSERT INTO audit_log (actor, category, action, subject_type, subject_id, reason, organization_id, detail)
     SELECT actor, category, action, "subjectType", "subjectId", reason, "organizationId", detail
     FROM jsonb_to_recordset($1::jsonb) AS entry (
       position int, actor text, category text, action text, "subjectType" text, "subjectId" text,
       reason text, "organizationId" uuid, detail jsonb)
     ORDER BY position`,
    [asRows(entries)],
  );
}

function asRows(entries: readonly AuditEntry[]): string {
  return toJson(
    entries.map((entry, position) => ({ position, ...entry, detail: entry.detail ?? {} })),
  );
}

/** All recorded changes of one row, oldest first. */
export async function readAudit(
  db: DbSession,
  { subjectType, subjectId }: Pick<AuditEntry, "subjectType" | "subjectId">,
): Promise<RecordedAuditEntry[]> {
  return db.query<RecordedAuditEntry[]>`
    SELECT at, actor, category, action, subject_type AS "subjectType", subject_id AS "subjectId", reason,
           organization_id AS "organizationId", detail, login
    FROM audit_log
    WHERE subject_type = ${subjectType} AND subject_id = ${subjectId}
    ORDER BY id`;
}
