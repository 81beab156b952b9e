import type { DbSession } from "../db/client.ts";
import { AfterhoursError } from "../support/errors.ts";
import { toJson } from "../support/log.ts";
import { formatRupees, sumPaise, type Paise } from "../support/money.ts";

type LedgerAccountName =
  | {
      code:
        | "PLATFORM_CLEARING"
        | "BANK"
        | "BANK_OTHER"
        | "TAX_PAYABLE"
        | "PROVIDER_FEES"
        | "PROVIDER_FEES_TAX"
        | "PROVIDER_FEES_DUE";
    }
  | { code: "CONSULTANT_PAYABLE"; consultantId: string }
  | { code: "WALLET"; walletId: string };

export interface Posting {
  /** Makes each posting happen once, however often it is retried. */
  key: string;
  kind: string;
  payoutId?: string;
  /** The owner of a wallet's movement. */
  organizationId?: string;
  /** Debits positive, credits negative; entries of zero are left out. */
  entries: readonly { account: LedgerAccountName; amountPaise: Paise }[];
}

/**
 * Posts a balanced transaction to the books, once for its key. The database refuses an unbalanced one
 * as well.
 *
 * @throws {AfterhoursError} `LEDGER_UNBALANCED`
 */
export async function postTransaction(tx: DbSession, posting: Posting): Promise<void> {
  await postTransactions(tx, [posting]);
}

/** As `postTransaction`, for several of different keys. */
export async function postTransactions(tx: DbSession, postings: readonly Posting[]): Promise<void> {
  const rows = toJson(postings.flatMap(entriesOf));
  await createAccounts(tx, rows);
  const transactions = toJson(
    postings.map(({ key, kind, payoutId, organizationId }) => ({
      key,
      kind,
      payoutId,
      organizationId,
    })),
  );
  // All entries of a transaction in one statement: the database wants them balanced at its end. Each account is
  // looked up, one for each entry: joined, every account there is was read (100 postings, 20,000 accounts: 1.4
  // times as much of the processor), and posted ones compared with each entry. One posting after the other: 18 times.
  await tx.execute`
    WITH posted AS (
      INSERT INTO ledger_transactions (key, kind, payout_id, organization_id)
      SELECT key, kind, "payoutId", "organizationId"
      FROM jsonb_to_recordset(${transactions}::jsonb)
        AS posting (key text, kind text, "payoutId" uuid, "organizationId" uuid)
      ON CONFLICT (key) DO NOTHING
      RETURNING id, key
    )
    INSERT INTO ledger_entries (transaction_id, account_id, amount_paise)
    SELECT posted.id, account.id, entry."amountPaise"
    FROM jsonb_to_recordset(${rows}::jsonb)
      AS entry (key text, code text, owner uuid, "amountPaise" bigint)
    JOIN posted ON posted.key = entry.key
    CROSS JOIN LATERAL (
      SELECT id FROM ledger_accounts
      WHERE code = entry.code::ledger_account_code
        AND COALESCE(consultant_id, wallet_id, ${NOBODY}::uuid) = entry.owner
      LIMIT 1
    ) AS account`;
}

/** Owner of an account that there is once, as the unique index of owners has it. */
const NOBODY = "00000000-0000-0000-0000-000000000000";

interface EntryRow {
  key: string;
  code: LedgerAccountName["code"];
  consultantId: string | null;
  walletId: string | null;
  owner: string;
  amountPaise: Paise;
}

function entriesOf({ key, entries: given }: Posting): EntryRow[] {
  const entries = given.filter(({ amountPaise }) => amountPaise !== 0n);
  const total = sumPaise(entries.map(({ amountPaise }) => amountPaise));
  if (total !== 0n) {
    throw new AfterhoursError(
      "LEDGER_UNBALANCED",
      `posting ${key} is out of balance by ${formatRupees(total)}`,
    );
  }
  return entries.map(({ account, amountPaise }) => {
    const consultantId = "consultantId" in account ? account.consultantId : null;
    const walletId = "walletId" in account ? account.walletId : null;
    const owner = consultantId ?? walletId ?? NOBODY;
    return { key, code: account.code, consultantId, walletId, owner, amountPaise };
  });
}

/**
 * Makes the accounts that there are not yet. The unique index of owners says which those are: asked for with
 * NOT EXISTS first, all accounts were read (1.4 times as much of the processor, 100 postings and 20,000
 * accounts). In one order, so that no two postings wait for each other.
 */
async function createAccounts(tx: DbSession, rows: string): Promise<void> {
  await tx.execute`
    INSERT INTO ledger_accounts (code, consultant_id, wallet_id)
    SELECT DISTINCT code::ledger_account_code, "consultantId", "walletId"
    FROM jsonb_to_recordset(${rows}::jsonb) AS entry (code text, "consultantId" uuid, "walletId" uuid)
    ORDER BY 1, 2, 3
    ON CONFLICT DO NOTHING`;
}

/**
 * Posts the exact inverse of a posted transaction, once for its own key: each debit becomes a credit. The
 * entries are read, not computed again.
 *
 * @throws {AfterhoursError} `LEDGER_NOTHING_TO_INVERT` when the books have no transaction of that key
 */
export async function postInverse(
  tx: DbSession,
  { key, kind, payoutId, of }: { key: string; kind: string; payoutId: string; of: string },
): Promise<void> {
  const posted = await tx.execute`
    WITH posted AS (
      INSERT INTO ledger_transactions (key, kind, payout_id)
      SELECT ${key}, ${kind}, ${payoutId}::uuid
      WHERE EXISTS (SELECT 1 FROM ledger_transactions WHERE key = ${of})
      ON CONFLICT (key) DO NOTHING
      RETURNING id
    )
    INSERT INTO ledger_entries (transaction_id, account_id, amount_paise)
    SELECT posted.id, entry.account_id, -entry.amount_paise
    FROM posted
    JOIN ledger_transactions AS original ON original.key = ${of}
    JOIN ledger_entries AS entry ON entry.transaction_id = original.id`;
  if (posted > 0) return;
  const [already] = await tx.query<unknown[]>`
    SELECT 1 FROM ledger_transactions WHERE key = ${key}`;
  if (already !== undefined) return;
  throw new AfterhoursError(
    "LEDGER_NOTHING_TO_INVERT",
    `the books have no transaction ${of}, so ${key} can not be posted`,
    {
      remedy:
        "Run ledger/reconcile-ledger: a completed payout without its posting is reported there.",
    },
  );
}
