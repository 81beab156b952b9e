import type { DbSession } from "../db/client.ts";
import type { Paise } from "../support/money.ts";

export interface TrialBalance {
  /** Sum of each account's entries: debits positive, credits negative; one line for all payables. */
  accounts: readonly { code: string; balancePaise: Paise }[];
  /** Whether each transaction, and so the whole, adds up to zero. */
  balanced: boolean;
  /** Owed to consultants by the books, less the sum of unpaid earnings; zero when they agree. */
  payableDriftPaise: Paise;
}

/** The state of the books, from the entries alone. */
export async function readTrialBalance(db: DbSession): Promise<TrialBalance> {
  const accounts = await db.query<{ code: string; balancePaise: bigint }[]>`
    SELECT account.code::text AS code, COALESCE(sum(entry.amount_paise), 0)::bigint AS "balancePaise"
    FROM ledger_accounts AS account LEFT JOIN ledger_entries AS entry ON entry.account_id = account.id
    GROUP BY account.code ORDER BY account.code`;
  const unbalanced = await db.query<{ id: string }[]>`
    SELECT transaction_id AS id FROM ledger_entries
    GROUP BY transaction_id HAVING sum(amount_paise) <> 0 LIMIT 1`;
  const [unpaid] = await db.query<{ amountPaise: bigint }[]>`
    SELECT COALESCE(sum(amount_paise), 0)::bigint AS "amountPaise" FROM earnings_net WHERE status <> 'PAID'`;
  const payable = accounts.find(({ code }) => code === "CONSULTANT_PAYABLE")?.balancePaise ?? 0n;
  return {
    accounts,
    balanced: unbalanced.length === 0,
    payableDriftPaise: -payable - (unpaid?.amountPaise ?? 0n),
  };
}
