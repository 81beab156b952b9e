import { openDatabase } from "../../lib/db/client.ts";
import {
  payeesWithStatement,
  readStatement,
  type PayeeStatement,
} from "../../lib/payouts/operate/index.ts";
import { sumPaise } from "../../lib/support/money.ts";
import type { TestDatabase } from "./database.ts";

type Database = Pick<TestDatabase, "url" | "query">;

/**
 * Reads the statement of every payee and month that the books know, and asks the ledger for the same sums on its
 * own; every disagreement is a line.
 */
export async function statementBreaches(database: Database): Promise<string[]> {
  const breaches: string[] = [];
  for (const { statement, problem, booked, ref, month } of await allStatements(database)) {
    const name = `statement of ${ref} for ${month}`;
    if (statement === undefined) {
      breaches.push(`${name}: ${problem ?? ""}`);
      continue;
    }
    const { openingPaise, closingPaise, lines, totals } = statement;
    const owed = sumPaise(lines.map((line) => line.owedPaise));
    const byKind = sumPaise(Object.values(totals).map((total) => total.owedPaise));
    if (openingPaise !== booked.before) breaches.push(`${name} opens at ${openingPaise}`);
    if (closingPaise !== booked.before + booked.within)
      breaches.push(`${name} closes at ${closingPaise}`);
    if (owed !== booked.within || byKind !== owed) breaches.push(`${name} moves ${owed}`);
    if (totals.paid.netPaise + totals["came-back"].netPaise !== booked.sent)
      breaches.push(`${name} sends ${totals.paid.netPaise}`);
  }
  return breaches;
}

interface Read {
  ref: string;
  month: string;
  statement: PayeeStatement | undefined;
  problem?: string;
  /** By the ledger alone. `sent`: what left the banks for this payee, less what came back. */
  booked: { before: bigint; within: bigint; sent: bigint };
}

async function allStatements(database: Database): Promise<Read[]> {
  const rows = await database.query<{
    id: string;
    ref: string;
    month: string;
    before: bigint;
    within: bigint;
    sent: bigint;
  }>(ACCOUNTS);
  const db = openDatabase({
    url: database.url,
    applicationName: "statements under test",
    readOnly: true,
    connections: 1,
  });
  try {
    const all: Read[] = [];
    for (const { id, ref, month, ...booked } of rows) {
      const isWanted = booked.before !== 0n || booked.within !== 0n;
      if (isWanted && !(await payeesWithStatement(db, month)).includes(id)) {
        all.push({ ref, month, booked, statement: undefined, problem: "is not among all" });
        continue;
      }
      try {
        const statement = await readStatement(db, { consultantId: id, month });
        all.push({ ref, month, booked, statement });
      } catch (error) {
        all.push({ ref, month, booked, statement: undefined, problem: String(error) });
      }
    }
    return all;
  } finally {
    await db.close();
  }
}

const ACCOUNTS = `
  WITH entries AS (
    SELECT account.consultant_id AS id, to_char(booking.posted_at AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM') AS month,
           booking.id AS booking, booking.kind, booking.payout_id, -entry.amount_paise AS paise
    FROM ledger_entries AS entry
    JOIN ledger_transactions AS booking ON booking.id = entry.transaction_id
    JOIN ledger_accounts AS account ON account.id = entry.account_id
    WHERE account.code = 'CONSULTANT_PAYABLE'
  ), months AS (SELECT DISTINCT month FROM entries)
  SELECT payee.id, payee.external_ref AS ref, months.month,
         COALESCE((SELECT sum(paise) FROM entries WHERE id = payee.id AND entries.month < months.month), 0)::bigint AS before,
         COALESCE((SELECT sum(paise) FROM entries WHERE id = payee.id AND entries.month = months.month), 0)::bigint AS within,
         COALESCE((SELECT -sum(other.amount_paise)
                   FROM entries JOIN ledger_entries AS other ON other.transaction_id = entries.booking
                   JOIN ledger_accounts AS bank ON bank.id = other.account_id
                     AND bank.code IN ('BANK', 'BANK_OTHER', 'PROVIDER_FEES', 'PROVIDER_FEES_TAX', 'PROVIDER_FEES_DUE')
                   WHERE entries.id = payee.id AND entries.month = months.month), 0)::bigint AS sent
  FROM consultants AS payee CROSS JOIN months
  WHERE EXISTS (SELECT FROM entries WHERE id = payee.id)
  ORDER BY months.month, payee.external_ref`;
