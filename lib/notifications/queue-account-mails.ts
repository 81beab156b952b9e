import { inTransaction, type Db, type DbSession } from "../db/client.ts";
import { enqueueMail } from "./mail.ts";
import { toPayee } from "./payee-words.ts";
import { ruleOf } from "../provider/index.ts";

/** More at once would keep the holds locked for long; the next run writes the rest. */
const MOST = 500;

/**
 * Writes the mail to each payee whose account is on hold because the provider refused it, once for each hold. A
 * payee without a mail address, or with a newer account, gets none. Returns the number of mails.
 */
export async function queueAccountMails(db: Db): Promise<number> {
  return inTransaction(db, async (tx) => {
    const holds = await tx.query<{ id: string; consultantId: string; reason: string }[]>`
      SELECT hold.id, account.consultant_id AS "consultantId", hold.reason
      FROM payout_account_holds AS hold
      JOIN payout_accounts AS account ON account.id = hold.payout_account_id AND account.active
      JOIN consultants AS payee ON payee.id = account.consultant_id AND payee.email IS NOT NULL
      WHERE hold.released_at IS NULL AND hold.mail_queued_at IS NULL
      ORDER BY hold.id LIMIT ${MOST}
      FOR NO KEY UPDATE OF hold SKIP LOCKED`;
    for (const { id, consultantId, reason } of holds) {
      await enqueueMail(tx, {
        key: `account-refused:${id}`,
        consultantId,
        template: "account-refused",
        data: { because: toPayee(ruleOf(reason)?.means ?? "the account was refused") },
      });
    }
    if (holds.length > 0) {
      await tx.execute`
        UPDATE payout_account_holds SET mail_queued_at = now()
        WHERE id = ANY(${holds.map(({ id }) => id)}::uuid[]) AND released_at IS NULL`;
    }
    return holds.length;
  });
}

/** Payees with an account on hold and no mail address: a person has to ask them. */
export async function countWithoutAddress(db: DbSession): Promise<number> {
  const [row] = await db.query<{ count: number }[]>`
    SELECT count(DISTINCT payee.id)::int AS count
    FROM payout_account_holds AS hold
    JOIN payout_accounts AS account ON account.id = hold.payout_account_id AND account.active
    JOIN consultants AS payee ON payee.id = account.consultant_id AND payee.email IS NULL
    WHERE hold.released_at IS NULL`;
  return row?.count ?? 0;
}
