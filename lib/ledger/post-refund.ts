import type { DbSession } from "../db/client.ts";
import type { Paise } from "../support/money.ts";

/**
 * Posts that a consultant is owed less, since a buyer got money back before the earning was paid: debit
 * CONSULTANT_PAYABLE, credit PLATFORM_CLEARING. The key of the transaction, `earning-refunded:<key>`,
 * makes it happen once. Belongs into the transaction that inserts the refund.
 */
export async function postEarningRefunded(
  tx: DbSession,
  { key, earningId, amountPaise }: { key: string; earningId: string; amountPaise: Paise },
): Promise<void> {
  await tx.execute`
    INSERT INTO ledger_accounts (code, consultant_id)
    SELECT 'PLATFORM_CLEARING'::ledger_account_code, NULL
    UNION ALL
    SELECT 'CONSULTANT_PAYABLE', consultant_id FROM earnings WHERE id = ${earningId}::uuid
    ON CONFLICT DO NOTHING`;
  await tx.execute`
    WITH posted AS (
      INSERT INTO ledger_transactions (key, kind, earning_id)
      VALUES ('earning-refunded:' || ${key}, 'earning-refunded', ${earningId}::uuid)
      ON CONFLICT (key) DO NOTHING
      RETURNING id
    )
    INSERT INTO ledger_entries (transaction_id, account_id, amount_paise)
    SELECT posted.id, account.id,
           CASE account.code WHEN 'CONSULTANT_PAYABLE' THEN ${amountPaise}::bigint ELSE -${amountPaise}::bigint END
    FROM posted
    JOIN earnings AS earning ON earning.id = ${earningId}::uuid
    JOIN ledger_accounts AS account
      ON account.code = 'PLATFORM_CLEARING'
      OR (account.code = 'CONSULTANT_PAYABLE' AND account.consultant_id = earning.consultant_id)`;
}
