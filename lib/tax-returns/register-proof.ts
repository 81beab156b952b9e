import type { DbSession } from "../db/client.ts";
import type { Paise } from "../support/money.ts";
import type { Quarter } from "./periods.ts";

/** The withheld tax of a quarter compared with the books. */
export interface RegisterProof {
  /** Payouts with lines in the quarter whose tax in the books is another than in all of their lines. */
  disagreeing: readonly { payoutId: string; registerPaise: Paise; ledgerPaise: Paise }[];
}

/** Compared payout by payout, since the lines of one may be of two quarters and its posting is one. */
export async function proveRegister(db: DbSession, { from, to }: Quarter): Promise<RegisterProof> {
  const disagreeing = await db.query<
    { payoutId: string; registerPaise: bigint; ledgerPaise: bigint }[]
  >`
    SELECT line.payout_id AS "payoutId", line.paise::bigint AS "registerPaise",
           COALESCE(booked.paise, 0)::bigint AS "ledgerPaise"
    FROM (
      SELECT payout_id, sum(tax_paise) AS paise,
             bool_or(credited_on BETWEEN ${from}::date AND ${to}::date) AS is_of_quarter
      FROM tax_deductions WHERE status = 'FINAL' GROUP BY payout_id
    ) AS line
    LEFT JOIN (
      SELECT booking.payout_id, -sum(entry.amount_paise) AS paise
      FROM ledger_transactions AS booking
      JOIN ledger_entries AS entry ON entry.transaction_id = booking.id
      JOIN ledger_accounts AS account ON account.id = entry.account_id AND account.code = 'TAX_PAYABLE'
      WHERE booking.payout_id IS NOT NULL
      GROUP BY booking.payout_id
    ) AS booked USING (payout_id)
    WHERE line.is_of_quarter AND line.paise <> COALESCE(booked.paise, 0)
    ORDER BY line.payout_id LIMIT 100`;
  return { disagreeing };
}
