import type { DbSession } from "../../../db/client.ts";
import type { Day } from "../../../support/calendar.ts";
import type { Paise } from "../../../support/money.ts";

export type LineKind = "earned" | "refunded" | "recovered" | "paid" | "came-back";

/** One booking of a payee in one posting of the books. Amounts that do not apply to its kind are null. */
export interface StatementLine {
  /** The posting's day in India. */
  on: Day;
  kind: LineKind;
  bookingReference: string;
  creditedOn: Day;
  /** The buyer's price without GST; less than zero where it goes back. */
  grossPaise: Paise | null;
  feePaise: Paise | null;
  /** The buyer paid it to the payee directly. */
  paidDirectlyPaise: Paise | null;
  taxPaise: Paise | null;
  /** Sections of the tax. */
  section: string | null;
  netPaise: Paise | null;
  /** The change of what is owed to the payee. */
  owedPaise: Paise;
  payoutId: string | null;
  utr: string | null;
  /** Of `recovered`: the booking whose refund is recovered. */
  recoveredFor: string | null;
}

/** A line with the posting that it is a part of. */
export interface PostedLine extends StatementLine {
  key: string;
  currency: string;
}

/** The change that a posting makes to the payee's account. */
export interface Posting {
  key: string;
  kind: string;
  owedPaise: Paise;
  payoutId: string | null;
  /** Of the payout, as its row has it. */
  taxPaise: Paise | null;
}

export interface Period {
  consultantId: string;
  /** The first day in India, and the first day after it. */
  from: Day;
  to: Day;
}

/** Owed to the payee before a day in India, as the books have it. */
export async function owedBefore(
  tx: DbSession,
  { consultantId, day }: { consultantId: string; day: Day },
): Promise<Paise> {
  const [row] = await tx.query<{ paise: Paise }[]>`
    SELECT COALESCE(-sum(entry.amount_paise), 0)::bigint AS paise
    FROM ledger_accounts AS account
    JOIN ledger_entries AS entry ON entry.account_id = account.id
    JOIN ledger_transactions AS booking ON booking.id = entry.transaction_id
    WHERE account.code = 'CONSULTANT_PAYABLE' AND account.consultant_id = ${consultantId}::uuid
      AND booking.posted_at < ${day}::date::timestamp AT TIME ZONE 'Asia/Kolkata'`;
  return row?.paise ?? 0n;
}

/** The postings of the payee's account. */
export async function postingsOf(tx: DbSession, period: Period): Promise<Posting[]> {
  return tx.query<Posting[]>`
    SELECT booking.key, booking.kind, booking.payout_id AS "payoutId", payout.tax_paise AS "taxPaise",
           -sum(entry.amount_paise)::bigint AS "owedPaise"
    FROM ledger_accounts AS account
    JOIN ledger_entries AS entry ON entry.account_id = account.id
    JOIN ledger_transactions AS booking ON booking.id = entry.transaction_id
    LEFT JOIN payouts AS payout ON payout.id = booking.payout_id
    WHERE account.code = 'CONSULTANT_PAYABLE' AND account.consultant_id = ${period.consultantId}::uuid
      AND booking.posted_at >= ${period.from}::date::timestamp AT TIME ZONE 'Asia/Kolkata'
      AND booking.posted_at < ${period.to}::date::timestamp AT TIME ZONE 'Asia/Kolkata'
    GROUP BY booking.id, payout.id
    ORDER BY booking.posted_at, booking.key`;
}

/** The rows that these postings are about, in the order of the postings. Not from the books, which prove them. */
export async function linesOf(tx: DbSession, postings: readonly Posting[]): Promise<PostedLine[]> {
  const keys = postings.map(({ key }) => key);
  return tx.query<PostedLine[]>`
    SELECT line.*, (booking.posted_at AT TIME ZONE 'Asia/Kolkata')::date::text AS "on"
    FROM ledger_transactions AS booking
    JOIN LATERAL (
      SELECT booking.key, 'earned' AS kind, sale.booking_reference AS "bookingReference",
             sale.currency::text AS currency, sale.credited_on::text AS "creditedOn",
             sale.gross_paise AS "grossPaise", sale.platform_fee_paise AS "feePaise",
             sale.paid_directly_paise AS "paidDirectlyPaise", NULL::bigint AS "taxPaise", NULL AS section,
             NULL::bigint AS "netPaise", sale.amount_paise AS "owedPaise", NULL::uuid AS "payoutId",
             NULL AS utr, NULL AS "recoveredFor"
      FROM earnings AS sale
      WHERE booking.kind = 'earning-released' AND sale.id = booking.earning_id
    UNION ALL
      SELECT booking.key, CASE WHEN debt.id IS NULL THEN 'refunded' ELSE 'recovered' END,
             sale.booking_reference, sale.currency::text, sale.credited_on::text, -back.gross_paise,
             CASE WHEN back.gross_paise >= back.amount_paise THEN back.amount_paise - back.gross_paise END,
             NULL, NULL, NULL, NULL, -back.amount_paise, NULL, NULL, refunded.booking_reference
      FROM earning_refunds AS back
      JOIN earnings AS sale ON sale.id = back.earning_id
      LEFT JOIN earning_recoveries AS debt ON back.key = 'recovery:' || debt.id || ':' || sale.id
        AND debt.consultant_id = sale.consultant_id
      LEFT JOIN earnings AS refunded ON refunded.id = debt.earning_id
      WHERE booking.kind = 'earning-refunded' AND back.earning_id = booking.earning_id
        AND booking.key = 'earning-refunded:' || back.key
    UNION ALL
      SELECT booking.key, CASE booking.kind WHEN 'payout-completed' THEN 'paid' ELSE 'came-back' END,
             sale.booking_reference, sale.currency::text, sale.credited_on::text, NULL, NULL, NULL,
             sign.of * COALESCE(tax.paise, 0), tax.sections,
             sign.of * (item.amount_paise - COALESCE(tax.paise, 0)),
             -sign.of * item.amount_paise, payout.id, attempt.utr, NULL
      FROM payouts AS payout
      CROSS JOIN (SELECT CASE booking.kind WHEN 'payout-completed' THEN 1 ELSE -1 END AS of) AS sign
      -- What an earlier try assessed was taken back before the last try assessed anew.
      CROSS JOIN LATERAL (
        SELECT COALESCE(max(back.sequence), 0) AS sequence FROM tax_deductions AS back
        WHERE back.payout_id = payout.id AND back.reverses_id IS NOT NULL AND back.sequence < (
          SELECT max(sequence) FROM tax_deductions WHERE payout_id = payout.id AND reverses_id IS NULL)
      ) AS tried
      JOIN payout_items AS item ON item.payout_id = payout.id
      JOIN earnings AS sale ON sale.id = item.earning_id
      LEFT JOIN LATERAL (
        SELECT sum(taken.tax_paise)::bigint AS paise,
               string_agg(DISTINCT taken.section, ', ') FILTER (WHERE taken.tax_paise > 0) AS sections
        FROM tax_deductions AS taken
        WHERE taken.payout_id = payout.id AND taken.earning_id = item.earning_id
          AND taken.reverses_id IS NULL AND taken.sequence > tried.sequence
      ) AS tax ON true
      LEFT JOIN LATERAL (
        SELECT utr FROM payout_attempts
        WHERE payout_id = payout.id AND state IN ('PROCESSED', 'REVERSED')
        ORDER BY attempt_no DESC LIMIT 1
      ) AS attempt ON true
      WHERE booking.kind IN ('payout-completed', 'payout-reversed') AND payout.id = booking.payout_id
    ) AS line ON true
    WHERE booking.key = ANY(${keys}::text[])
    ORDER BY booking.posted_at, booking.key, line."creditedOn", line."bookingReference"`;
}
