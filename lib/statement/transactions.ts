import { inTransaction, type Db, type DbSession } from "../db/client.ts";
import type { Transaction } from "../razorpay/index.ts";
import { requireDay, type Day } from "../support/calendar.ts";
import { toJson } from "../support/log.ts";

/** Read again at each reading, for what the provider lists late. */
const OVERLAP_HOURS = 24;
const CHUNK = 500;

/** Today in India, the first day that is ever closed, and since when transactions are read. */
export async function readReach(
  db: DbSession,
  from: string,
): Promise<{ today: Day; firstDay: Day; fromMs: number }> {
  const [row] = await db.query<{ today: Day; firstDay: Day; fromMs: number }[]>`
    WITH first AS (
      SELECT COALESCE(
        (SELECT min(day) FROM provider_days),
        (${from}::text::timestamptz AT TIME ZONE 'Asia/Kolkata')::date) AS day
    )
    SELECT india_today()::text AS today, first.day::text AS "firstDay",
           (extract(epoch FROM COALESCE(
             (SELECT max(at) - make_interval(hours => ${OVERLAP_HOURS}) FROM provider_transactions
              WHERE EXISTS (SELECT 1 FROM provider_days)),
             first.day::timestamp AT TIME ZONE 'Asia/Kolkata')) * 1000)::float8 AS "fromMs"
    FROM first`;
  if (!row) throw new Error("a row without a table was not returned");
  for (const day of [row.today, row.firstDay]) requireDay(day);
  return row;
}

/** How many of these are not stored yet. */
export async function countNew(
  db: DbSession,
  transactions: readonly Transaction[],
): Promise<number> {
  const stored = await db.query<{ count: number }[]>`
    SELECT count(*)::int AS count FROM provider_transactions
    WHERE id = ANY(${transactions.map(({ id }) => id)}::text[])`;
  return transactions.length - (stored[0]?.count ?? 0);
}

/**
 * Stores what is not stored yet, oldest first: wherever this is cut short, everything before the newest
 * stored one is stored, and the next reading begins there.
 */
export async function storeTransactions(
  db: Db,
  oldestFirst: readonly Transaction[],
): Promise<void> {
  for (let start = 0; start < oldestFirst.length; start += CHUNK) {
    const rows = oldestFirst.slice(start, start + CHUNK).map((transaction) => ({
      id: transaction.id,
      credit: transaction.creditPaise,
      debit: transaction.debitPaise,
      balance: transaction.balancePaise,
      entity: transaction.source?.entity ?? null,
      source: transaction.source?.id ?? null,
      payout: transaction.payoutId,
      at: transaction.createdAt,
    }));
    await inTransaction(
      db,
      (tx) => tx.execute`
        INSERT INTO provider_transactions (
          id, credit_paise, debit_paise, balance_paise, source_entity, source_id, provider_payout_id, at)
        SELECT id, credit, debit, balance, entity, source, payout, at
        FROM jsonb_to_recordset(${toJson(rows)}::jsonb) AS row (
          id text, credit bigint, debit bigint, balance bigint, entity text, source text, payout text,
          at timestamptz)
        ON CONFLICT (id) DO NOTHING`,
    );
  }
}
