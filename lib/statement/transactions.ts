import { inTransaction, sql, type Db, type DbSession } from "../db/client.ts";
import type { NewFinding } from "../findings/index.ts";
import { requireDay, type Day } from "../support/calendar.ts";
import { toJson } from "../support/log.ts";
import type { Transaction } from "../provider/index.ts";

/** Each reading repeats these hours, for transactions that the provider lists late. */
const OVERLAP_HOURS = 24;
const CHUNK = 500;

/**
 * Today in India, the first day that is ever closed, and since when transactions are read: now at the latest, so that
 * a row with a date to come hides nothing.
 */
export async function readReach(
  db: DbSession,
  from: string,
): Promise<{ today: Day; firstDay: Day; fromMs: number }> {
  const [row] = await db.query<{ today: Day; firstDay: Day; fromMs: number }[]>`
    WITH first AS (
      SELECT COALESCE(
        (SELECT min(day) FROM provider_days WHERE provider_days.day < india_today()),
        (${from}::text::timestamptz AT TIME ZONE 'Asia/Kolkata')::date) AS day
    )
    SELECT india_today()::text AS today, first.day::text AS "firstDay",
           (extract(epoch FROM COALESCE(
             (SELECT LEAST(at, now()) - make_interval(hours => ${OVERLAP_HOURS}) FROM provider_transactions
              WHERE EXISTS (SELECT 1 FROM provider_days WHERE day < india_today()) ORDER BY at DESC LIMIT 1),
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

/** Of a row with `at`: the provider's date can't be, nor can its place among the balances be known by it. */
const IS_TO_COME = sql`at > now() + interval '1 day'`;

/** A finding for each transaction that the provider dates later than tomorrow. */
export async function findWrongDates(
  db: DbSession,
  transactions: readonly Transaction[],
): Promise<NewFinding[]> {
  const wrong = await db.query<{ id: string; statedAt: string }[]>`
    SELECT id, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS "statedAt"
    FROM unnest(${transactions.map(({ id }) => id)}::text[],
                ${transactions.map(({ createdAt }) => createdAt.toISOString())}::timestamptz[]) AS row (id, at)
    WHERE ${IS_TO_COME} ORDER BY id`;
  return wrong.map(({ id, statedAt }) => ({
    kind: "statement-date-wrong",
    severity: "warning",
    subjectType: "provider-transaction",
    subjectId: id,
    details: { statedAt },
  }));
}

/**
 * Stores new transactions, oldest first. If this is interrupted, everything before the newest stored one is
 * stored, and the next reading begins there. A date in the future becomes the time of the reading, and the
 * balance after that transaction is left out.
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
        SELECT id, credit, debit, CASE WHEN ${IS_TO_COME} THEN NULL ELSE balance END, entity, source, payout,
               CASE WHEN ${IS_TO_COME} THEN now() ELSE at END
        FROM jsonb_to_recordset(${toJson(rows)}::jsonb) AS row (
          id text, credit bigint, debit bigint, balance bigint, entity text, source text, payout text,
          at timestamptz)
        ON CONFLICT (id) DO NOTHING`,
    );
  }
}
