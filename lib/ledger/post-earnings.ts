import type { ClientBase } from "pg";

/**
 * Posts that these earnings are owed from now on: debit PLATFORM_CLEARING, credit the consultant's
 * CONSULTANT_PAYABLE, each with gross less platform fee. The key of the transaction,
 * `earning-released:<earning id>`, makes it happen once: an earning that is posted already is passed
 * over, and so is one that was paid directly, of which nothing is owed. Belongs into the transaction that inserts the earnings. Returns how many were posted.
 */
export async function postEarningsReleased(
  client: ClientBase,
  earningIds: readonly string[],
): Promise<number> {
  await client.query(CREATE_CLEARING_ACCOUNT);
  await client.query(CREATE_PAYABLE_ACCOUNTS, [earningIds]);
  const { rows } = await client.query<{ id: string }>(INSERT_TRANSACTIONS, [earningIds]);
  await client.query(INSERT_ENTRIES, [rows.map(({ id }) => id)]);
  return rows.length;
}

const CREATE_CLEARING_ACCOUNT = `
  INSERT INTO ledger_accounts (code) VALUES ('PLATFORM_CLEARING') ON CONFLICT DO NOTHING`;

/** In the order of consultants, so that two imports cannot wait for each other in a circle. */
const CREATE_PAYABLE_ACCOUNTS = `
  INSERT INTO ledger_accounts (code, consultant_id)
  SELECT DISTINCT 'CONSULTANT_PAYABLE'::ledger_account_code, consultant_id
  FROM earnings
  WHERE id = ANY ($1::uuid[])
  ORDER BY consultant_id
  ON CONFLICT DO NOTHING`;

const INSERT_TRANSACTIONS = `
  INSERT INTO ledger_transactions (key, kind, earning_id)
  SELECT 'earning-released:' || id, 'earning-released', id
  FROM earnings
  WHERE id = ANY ($1::uuid[]) AND amount_paise > 0
  ON CONFLICT (key) DO NOTHING
  RETURNING id`;

/** Debits are positive, credits negative. */
const INSERT_ENTRIES = `
  WITH posted AS (
    SELECT t.id, e.consultant_id, e.amount_paise
    FROM ledger_transactions t
    JOIN earnings e ON e.id = t.earning_id
    WHERE t.id = ANY ($1::uuid[])
  )
  INSERT INTO ledger_entries (transaction_id, account_id, amount_paise)
  SELECT posted.id, clearing.id, posted.amount_paise
  FROM posted
  JOIN ledger_accounts clearing ON clearing.code = 'PLATFORM_CLEARING'
  UNION ALL
  SELECT posted.id, payable.id, -posted.amount_paise
  FROM posted
  JOIN ledger_accounts payable
    ON payable.code = 'CONSULTANT_PAYABLE' AND payable.consultant_id = posted.consultant_id`;
