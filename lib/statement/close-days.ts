import { inTransaction, type Db, type DbSession } from "../db/client.ts";
import type { NewFinding } from "../findings/index.ts";
import { postTransaction } from "../ledger/post-transaction.ts";
import { bookedBeforeOpening } from "../ledger/provider-cash.ts";
import { requireDay, type Day } from "../support/calendar.ts";
import type { Paise } from "../support/money.ts";

interface ClosingPorts {
  readonly db: Db;
  /** Payouts by which the provider collected its fees. */
  readonly feePayoutIds?: readonly string[];
  readonly find: (finding: NewFinding) => Promise<void>;
}

interface DaySums {
  day: Day;
  creditsPaise: Paise;
  debitsPaise: Paise;
  transactions: number;
  /** The balances that the provider states after the last transactions of the day; none: no transaction. */
  statedPaise: readonly string[];
}

/** More days than a year are not closed at once. */
const MOST_DAYS = 400;

/**
 * Closes every past day that is still open, and books the opening balance and added money. Closes only proven
 * days: opening balance and moves must equal the current balance of the account, and each closing balance must
 * equal the provider's. Otherwise closes nothing and stores a finding with the difference. Returns the number of
 * closed days.
 */
export async function closeDays(
  ports: ClosingPorts,
  { today, firstDay, balancePaise }: { today: Day; firstDay: Day; balancePaise: Paise },
): Promise<number> {
  const { db } = ports;
  await reportLate(ports);
  await reportUnexplained(ports);
  const last = await lastClosed(db);
  const openingPaise = last?.closingPaise ?? balancePaise - (await movedSince(db, undefined));
  const expectedPaise = openingPaise + (await movedSince(db, last?.day));
  if (expectedPaise !== balancePaise) {
    await ports.find(doesNotAddUp(today, { expectedPaise, statedPaise: balancePaise }));
    return 0;
  }

  const days = await daysToClose(db, { after: last?.day, firstDay, today });
  const closed: (DaySums & { openingPaise: Paise; closingPaise: Paise })[] = [];
  let opening = openingPaise;
  for (const sums of days) {
    const closing = opening + sums.creditsPaise - sums.debitsPaise;
    const stated = sums.statedPaise.map(BigInt);
    if (stated.length > 0 && !stated.includes(closing)) {
      await ports.find(
        doesNotAddUp(sums.day, { expectedPaise: closing, statedPaise: stated.at(-1) ?? null }),
      );
      break;
    }
    closed.push({ ...sums, openingPaise: opening, closingPaise: closing });
    opening = closing;
  }
  await inTransaction(db, async (tx) => {
    for (const day of closed) await insertDay(tx, day);
    if (last === undefined && closed.length > 0) await postOpening(tx, { firstDay, openingPaise });
    await postFunding(tx);
    await postFees(tx, ports.feePayoutIds ?? []);
  });
  return closed.length;
}

async function lastClosed(db: DbSession): Promise<{ day: Day; closingPaise: Paise } | undefined> {
  const [row] = await db.query<{ day: Day; closingPaise: bigint }[]>`
    SELECT day::text AS day, closing_paise AS "closingPaise" FROM provider_days
    WHERE provider_days.day < india_today() ORDER BY provider_days.day DESC LIMIT 1`;
  if (row) requireDay(row.day);
  return row;
}

/** Credits less debits after a day, or all of them. */
async function movedSince(db: DbSession, day: Day | undefined): Promise<Paise> {
  const [row] = await db.query<{ paise: bigint }[]>`
    SELECT COALESCE(sum(credit_paise - debit_paise), 0)::bigint AS paise FROM provider_transactions
    WHERE ${day ?? null}::date IS NULL
       OR at >= (${day ?? null}::date + 1)::timestamp AT TIME ZONE 'Asia/Kolkata'`;
  return row?.paise ?? 0n;
}

async function daysToClose(
  db: DbSession,
  { after, firstDay, today }: { after: Day | undefined; firstDay: Day; today: Day },
): Promise<DaySums[]> {
  const days = await db.query<DaySums[]>`
    SELECT calendar.day::date::text AS day,
           COALESCE(sums.credits, 0)::bigint AS "creditsPaise", COALESCE(sums.debits, 0)::bigint AS "debitsPaise",
           COALESCE(sums.transactions, 0)::int AS transactions,
           COALESCE(stated.paise, '{}') AS "statedPaise"
    FROM generate_series(COALESCE(${after ?? null}::date + 1, ${firstDay}::date), ${today}::date - 1, interval '1 day')
      AS calendar (day)
    CROSS JOIN LATERAL (
      SELECT sum(credit_paise) AS credits, sum(debit_paise) AS debits, count(*) AS transactions, max(at) AS newest
      FROM provider_transactions
      WHERE at >= calendar.day::timestamp AT TIME ZONE 'Asia/Kolkata'
        AND at < (calendar.day::timestamp + interval '1 day') AT TIME ZONE 'Asia/Kolkata') AS sums
    CROSS JOIN LATERAL (
      SELECT array_agg(balance_paise::text) FILTER (WHERE balance_paise IS NOT NULL) AS paise
      FROM provider_transactions WHERE at = sums.newest) AS stated
    ORDER BY calendar.day
    LIMIT ${MOST_DAYS}`;
  for (const { day } of days) requireDay(day);
  return days;
}

async function insertDay(
  tx: DbSession,
  day: DaySums & { openingPaise: Paise; closingPaise: Paise },
): Promise<void> {
  await tx.execute`
    INSERT INTO provider_days (day, opening_paise, credits_paise, debits_paise, closing_paise, transactions)
    VALUES (${day.day}::date, ${day.openingPaise}, ${day.creditsPaise}, ${day.debitsPaise},
            ${day.closingPaise}, ${day.transactions})
    ON CONFLICT (day) DO NOTHING`;
}

/**
 * The books' cash begins with the balance of the account plus the payouts that had already left and that the
 * books already hold. Otherwise these would be counted twice.
 */
async function postOpening(
  tx: DbSession,
  { firstDay, openingPaise }: { firstDay: Day; openingPaise: Paise },
): Promise<void> {
  const paise = openingPaise + (await bookedBeforeOpening(tx, firstDay));
  if (paise === 0n) return;
  await postTransaction(tx, {
    key: "provider-opening",
    kind: "provider-opening",
    entries: [
      { account: { code: "BANK" }, amountPaise: paise },
      { account: { code: "PLATFORM_CLEARING" }, amountPaise: -paise },
    ],
  });
}

/** Money added to the account comes from the funds of the platform. */
async function postFunding(tx: DbSession): Promise<void> {
  const added = await tx.query<{ id: string; paise: bigint }[]>`
    SELECT id, credit_paise AS paise FROM provider_transactions AS stored
    WHERE source_entity = 'bank_transfer' AND credit_paise > 0 AND NOT EXISTS (
      SELECT 1 FROM ledger_transactions WHERE key = 'provider-transaction:' || stored.id)
    ORDER BY at, id`;
  for (const { id, paise } of added) {
    await postTransaction(tx, {
      key: `provider-transaction:${id}`,
      kind: "provider-funding",
      entries: [
        { account: { code: "BANK" }, amountPaise: paise },
        { account: { code: "PLATFORM_CLEARING" }, amountPaise: -paise },
      ],
    });
  }
}

/** Fees that the provider collected are no longer owed to the provider. */
async function postFees(tx: DbSession, feePayoutIds: readonly string[]): Promise<void> {
  if (feePayoutIds.length === 0) return;
  const collected = await tx.query<{ id: string; paise: bigint }[]>`
    SELECT id, debit_paise - credit_paise AS paise FROM provider_transactions AS stored
    WHERE provider_payout_id = ANY(${feePayoutIds}::text[]) AND debit_paise <> credit_paise
      AND NOT EXISTS (SELECT 1 FROM ledger_transactions WHERE key = 'provider-transaction:' || stored.id)
    ORDER BY at, id`;
  for (const { id, paise } of collected) {
    await postTransaction(tx, {
      key: `provider-transaction:${id}`,
      kind: "provider-fees-collected",
      entries: [
        { account: { code: "PROVIDER_FEES_DUE" }, amountPaise: paise },
        { account: { code: "BANK" }, amountPaise: -paise },
      ],
    });
  }
}

/** A transaction that the provider listed after its day was closed. */
async function reportLate({ db, find }: ClosingPorts): Promise<void> {
  const late = await db.query<{ day: Day; expectedPaise: bigint; statedPaise: bigint }[]>`
    SELECT closed.day::text AS day, closed.credits_paise - closed.debits_paise AS "expectedPaise",
           COALESCE(sums.paise, 0)::bigint AS "statedPaise"
    FROM provider_days AS closed
    CROSS JOIN LATERAL (
      SELECT sum(credit_paise - debit_paise) AS paise FROM provider_transactions
      WHERE at >= closed.day::timestamp AT TIME ZONE 'Asia/Kolkata'
        AND at < (closed.day + 1)::timestamp AT TIME ZONE 'Asia/Kolkata') AS sums
    WHERE closed.credits_paise - closed.debits_paise <> COALESCE(sums.paise, 0)
    ORDER BY closed.day DESC LIMIT 31`;
  for (const { day, ...figures } of late) await find(doesNotAddUp(day, figures));
}

/** Neither a payout, nor returned money, nor added money: a person has to book it. */
async function reportUnexplained({ db, find }: ClosingPorts): Promise<void> {
  const unexplained = await db.query<
    { id: string; entity: string | null; creditPaise: bigint; debitPaise: bigint }[]
  >`
    SELECT id, source_entity AS entity, credit_paise AS "creditPaise", debit_paise AS "debitPaise"
    FROM provider_transactions
    WHERE provider_payout_id IS NULL AND NOT (source_entity = 'bank_transfer' AND credit_paise > 0)
       OR source_entity IS NULL
    ORDER BY at DESC, id LIMIT 100`;
  for (const { id, ...details } of unexplained) {
    await find({
      kind: "unexplained-transaction",
      severity: "warning",
      subjectType: "provider-transaction",
      subjectId: id,
      details,
    });
  }
}

function doesNotAddUp(
  day: Day,
  figures: { expectedPaise: Paise; statedPaise: Paise | null },
): NewFinding {
  return {
    kind: "statement-does-not-add-up",
    severity: "critical",
    subjectType: "provider-day",
    subjectId: day,
    details: figures,
  };
}
