import { recordAudit } from "../audit/audit-log.ts";
import { inTransaction, type Db, type DbSession } from "../db/client.ts";

export const MAIL_STATUSES = ["QUEUED", "SENT", "GAVE_UP", "LAPSED"] as const;
export type MailStatus = (typeof MAIL_STATUSES)[number];

/** A mail of the outbox, without personal data. */
export interface ListedMail {
  id: string;
  key: string;
  template: string;
  status: MailStatus;
  tries: number;
  /** Why the last try failed: our code, and the server's number. */
  lastError: string | null;
  createdAt: Date;
  dueAt: Date;
  settledAt: Date | null;
}

/** Mails of one status, or all that are neither sent nor lapsed, oldest first, and whether there are more. */
export async function listMails(
  db: DbSession,
  { status, limit }: { status: MailStatus | undefined; limit: number },
): Promise<{ mails: ListedMail[]; more: boolean }> {
  const wanted = status === undefined ? ["QUEUED", "GAVE_UP"] : [status];
  const rows = await db.query<ListedMail[]>`
    SELECT id, key, template, status::text AS status, tries, last_error AS "lastError",
           created_at AS "createdAt", due_at AS "dueAt", settled_at AS "settledAt"
    FROM outbox_mails WHERE status::text = ANY(${wanted})
    ORDER BY created_at, id LIMIT ${limit + 1}`;
  return { mails: rows.slice(0, limit), more: rows.length > limit };
}

export type Requeued =
  | { outcome: "requeued"; template: string }
  /** Only a mail that was given up can be queued again; nothing was changed. */
  | { outcome: "not-given-up"; status: MailStatus }
  | { outcome: "unknown" };

/** Queues a mail again that was given up: due at once, with all its tries. Audited. */
export async function requeueMail(
  db: Db,
  { mailId, by, reason }: { mailId: string; by: string; reason: string },
): Promise<Requeued> {
  return inTransaction(db, async (tx): Promise<Requeued> => {
    const [mail] = await tx.query<{ template: string; lastError: string | null }[]>`
      UPDATE outbox_mails SET status = 'QUEUED', settled_at = NULL, tries = 0, due_at = now()
      WHERE id = ${mailId}::uuid AND status = 'GAVE_UP'
      RETURNING template, last_error AS "lastError"`;
    if (mail) {
      await recordAudit(tx, {
        actor: by,
        category: "mail",
        action: "requeued",
        subjectType: "mail",
        subjectId: mailId,
        reason,
        detail: { ...mail },
      });
      return { outcome: "requeued", template: mail.template };
    }
    // A separate statement: it sees rows that were committed while the first one waited.
    const [other] = await tx.query<{ status: MailStatus }[]>`
      SELECT status::text AS status FROM outbox_mails WHERE id = ${mailId}::uuid`;
    return other ? { outcome: "not-given-up", status: other.status } : { outcome: "unknown" };
  });
}
