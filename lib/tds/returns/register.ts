import type { DbSession } from "../../db/client.ts";
import { requireDay, type Day } from "../../support/calendar.ts";
import type { Paise } from "../../support/money.ts";
import { depositDueOn, type Quarter } from "./periods.ts";

/** One line of the deductee register: a credit with what was withheld, or a line that takes one back. */
export interface RegisterLine {
  /** How the marketplace names the payee. */
  payeeRef: string;
  payeeName: string;
  /** Null: none furnished. */
  pan: string | null;
  section: string;
  /** Payment code of the statement form. */
  code: string;
  creditedOn: Day;
  grossPaise: Paise;
  rateBps: number;
  taxPaise: Paise;
  depositDueOn: Day;
  /** Why the tax is what it is. */
  reason: string;
  isReversal: boolean;
  payoutId: string;
}

const PAGE = 1_000;

/** The final deductions on credits of a quarter, in the order in which they were assessed. */
export async function* registerLines(
  db: DbSession,
  { from, to }: Quarter,
): AsyncGenerator<RegisterLine> {
  for (let after = 0n; ;) {
    const rows = await db.query<(Omit<RegisterLine, "depositDueOn"> & { sequence: bigint })[]>`
      SELECT line.sequence, payee.external_ref AS "payeeRef", payee.name AS "payeeName", profile.pan,
             line.section, line.code, line.credited_on::text AS "creditedOn",
             line.gross_paise AS "grossPaise", line.rate_bps AS "rateBps", line.tax_paise AS "taxPaise",
             line.reason, line.reverses_id IS NOT NULL AS "isReversal", line.payout_id AS "payoutId"
      FROM tax_deductions AS line
      JOIN consultants AS payee ON payee.id = line.consultant_id
      LEFT JOIN tax_profiles AS profile ON profile.consultant_id = line.consultant_id
      WHERE line.status = 'FINAL' AND line.credited_on BETWEEN ${from}::date AND ${to}::date
        AND line.sequence > ${after}
      ORDER BY line.sequence
      LIMIT ${PAGE}`;
    for (const { sequence, ...line } of rows) {
      after = sequence;
      requireDay(line.creditedOn);
      yield { ...line, depositDueOn: depositDueOn(line.creditedOn) };
    }
    if (rows.length < PAGE) return;
  }
}

/** How the register of a quarter stands to the books, and what is not in it yet. */
export interface RegisterProof {
  /** Payouts with lines in the quarter whose tax in the books is another than in all of their lines. */
  disagreeing: readonly { payoutId: string; registerPaise: Paise; ledgerPaise: Paise }[];
  /** Reserved for payouts that are in flight: lines of a later register, if they are paid. */
  inFlight: { lines: number; taxPaise: Paise };
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
  const [inFlight] = await db.query<{ lines: number; taxPaise: bigint }[]>`
    SELECT count(*)::int AS lines, COALESCE(sum(tax_paise), 0)::bigint AS "taxPaise"
    FROM tax_deductions AS line
    WHERE status = 'RESERVED' AND reverses_id IS NULL
      AND credited_on BETWEEN ${from}::date AND ${to}::date
      AND NOT EXISTS (SELECT 1 FROM tax_deductions WHERE reverses_id = line.id)`;
  return { disagreeing, inFlight: inFlight ?? { lines: 0, taxPaise: 0n } };
}
