import type { FindingCode } from "../../findings/index.ts";
import { sql, type DbSession, type SqlPart } from "../../db/client.ts";
import type { Paise } from "../../support/money.ts";

/** One row that does not agree: its expected and its actual amount, in paise. */
export interface DriftRow {
  subjectType: string;
  subjectId: string;
  expectedPaise: Paise;
  actualPaise: Paise;
  /** Further details of the finding. */
  details?: Readonly<Record<string, unknown>>;
}

interface CheckResult {
  /** The first rows, by id. */
  rows: readonly DriftRow[];
  /** All of them. */
  count: number;
}

interface Check {
  code: FindingCode;
  /** The proven statement, as a sentence without its full stop. */
  title: string;
  /** Selects `subject_type, subject_id, expected, actual` of each row that breaks the rule. */
  drifts: SqlPart;
}

/** Rows of one check that are listed; all are counted. */
export const MOST_ROWS = 100;

/** That the payout which a posting names was paid, or came back, as the posting says. */
const IS_OF_PAYMENT = sql`(
  booking.kind = 'payout-completed' AND payout.status IN ('COMPLETED', 'REVERSED')
  OR booking.kind = 'payout-reversed' AND payout.status = 'REVERSED')`;

/**
 * Every check except that of the provider's cash, which has its own figures. Each adds up all entries once and
 * joins the sums. A look-up for each row takes more of the processor: 2.3 times for the balance of transactions,
 * 2.4 for the amounts owed to consultants, 4 for the posting of each earning (20,000 of each).
 */
export const CHECKS: readonly Check[] = [
  {
    code: "TRANSACTION_UNBALANCED",
    title: "Every transaction has two entries or more, and they balance",
    drifts: sql`
      SELECT 'ledger-transaction' AS subject_type, booking.id::text AS subject_id, 0 AS expected,
             COALESCE(sum(entry.amount_paise), 0) AS actual
      FROM ledger_transactions AS booking LEFT JOIN ledger_entries AS entry ON entry.transaction_id = booking.id
      GROUP BY booking.id
      HAVING COALESCE(sum(entry.amount_paise), 0) <> 0 OR count(entry.id) < 2`,
  },
  {
    code: "PAYABLE_DRIFT",
    title: "What the books owe each consultant is the sum of the unpaid earnings",
    drifts: sql`
      SELECT 'consultant' AS subject_type, consultant_id::text AS subject_id,
             COALESCE(owed.paise, 0) AS expected, COALESCE(booked.paise, 0) AS actual
      FROM (
        SELECT consultant_id, sum(amount_paise) AS paise FROM earnings_net
        WHERE status <> 'PAID' GROUP BY consultant_id
      ) AS owed
      FULL JOIN (
        SELECT account.consultant_id, -sum(entry.amount_paise) AS paise
        FROM ledger_accounts AS account JOIN ledger_entries AS entry ON entry.account_id = account.id
        WHERE account.code = 'CONSULTANT_PAYABLE' GROUP BY account.consultant_id
      ) AS booked USING (consultant_id)
      WHERE COALESCE(owed.paise, 0) <> COALESCE(booked.paise, 0)`,
  },
  {
    code: "EARNING_NOT_BOOKED",
    title: "Every earning and every refund is booked once, with its amount",
    drifts: sql`
      SELECT obligation.subject_type, obligation.subject_id, obligation.paise AS expected,
             COALESCE(booked.paise, 0) AS actual
      FROM (
        SELECT 'earning' AS subject_type, id::text AS subject_id, 'earning-released:' || id AS key,
               amount_paise AS paise
        FROM earnings
        UNION ALL
        SELECT 'earning-refund', id::text, 'earning-refunded:' || key, -amount_paise FROM earning_refunds
      ) AS obligation
      LEFT JOIN (
        SELECT booking.key, -sum(entry.amount_paise) AS paise
        FROM ledger_transactions AS booking
        JOIN ledger_entries AS entry ON entry.transaction_id = booking.id
        JOIN ledger_accounts AS account ON account.id = entry.account_id AND account.code = 'CONSULTANT_PAYABLE'
        WHERE booking.kind IN ('earning-released', 'earning-refunded')
        GROUP BY booking.key
      ) AS booked ON booked.key = obligation.key
      WHERE COALESCE(booked.paise, 0) <> obligation.paise`,
  },
  {
    code: "PAYOUT_NOT_OF_EARNINGS",
    title: "Every payout pays what is left of the earnings it holds",
    // Amounts first: where these agree, the gross or single items differ.
    drifts: sql`
      SELECT 'payout' AS subject_type, payout.id::text AS subject_id,
             CASE WHEN COALESCE(held.amount, 0) <> payout.amount_paise THEN COALESCE(held.amount, 0)
                  ELSE COALESCE(held.gross, 0) END AS expected,
             CASE WHEN COALESCE(held.amount, 0) <> payout.amount_paise THEN payout.amount_paise
                  ELSE payout.gross_paise END AS actual
      FROM payouts AS payout
      LEFT JOIN (
        SELECT item.payout_id, sum(net.amount_paise) AS amount, sum(net.gross_paise) AS gross,
               bool_and((item.amount_paise, item.gross_paise) = (net.amount_paise, net.gross_paise)
                        AND net.consultant_id = payee.consultant_id) AS copied
        FROM payout_items AS item
        JOIN payouts AS payee ON payee.id = item.payout_id
        JOIN earnings_net AS net ON net.earning_id = item.earning_id
        WHERE item.released_at IS NULL GROUP BY item.payout_id
      ) AS held ON held.payout_id = payout.id
      WHERE payout.status IN ('PENDING', 'APPROVED', 'PROCESSING', 'COMPLETED')
        AND (held.amount, held.gross, held.copied) IS DISTINCT FROM (payout.amount_paise, payout.gross_paise, true)`,
  },
  {
    code: "POSTING_WITHOUT_SOURCE",
    title: "Every posting is of a known kind and says what its source says",
    // A posting of a payout that was not paid has no source either: BOOKED_NOT_COMPLETED names it, and says more.
    drifts: sql`
      SELECT 'posting' AS subject_type, booking.key || ' ' || side.code AS subject_id,
             sum(side.expected) AS expected, sum(side.actual) AS actual
      FROM (
        SELECT booking.id, source.code, source.owner, source.amount_paise AS expected, 0 AS actual
        FROM ledger_transactions AS booking CROSS JOIN LATERAL ledger_source(booking) AS source
        UNION ALL
        SELECT entry.transaction_id, account.code, COALESCE(account.consultant_id, account.wallet_id), 0,
               entry.amount_paise
        FROM ledger_entries AS entry JOIN ledger_accounts AS account ON account.id = entry.account_id
      ) AS side
      JOIN ledger_transactions AS booking ON booking.id = side.id
      LEFT JOIN payouts AS payout ON payout.id = booking.payout_id
      WHERE payout.id IS NULL OR ${IS_OF_PAYMENT}
      GROUP BY booking.key, side.code, side.owner
      HAVING sum(side.expected) <> sum(side.actual)`,
  },
  {
    code: "COMPLETED_NOT_BOOKED",
    title: "Every completed payout is booked, every reversed one there and back",
    drifts: sql`
      SELECT 'payout' AS subject_type, payout.id::text AS subject_id, booking.sign * payout.amount_paise AS expected,
             0 AS actual
      FROM payouts AS payout
      CROSS JOIN (VALUES ('payout-completed', 1), ('payout-reversed', -1)) AS booking (kind, sign)
      LEFT JOIN ledger_transactions AS posted ON posted.key = booking.kind || ':' || payout.id
      WHERE (payout.status = 'REVERSED' OR (payout.status = 'COMPLETED' AND booking.sign = 1)) AND posted.id IS NULL`,
  },
  {
    code: "BOOKED_NOT_COMPLETED",
    title: "Nothing is booked for a payout that was not paid",
    drifts: sql`
      SELECT 'payout' AS subject_type, payout.id::text AS subject_id, 0 AS expected,
             COALESCE(sum(entry.amount_paise) FILTER (WHERE entry.amount_paise > 0), 0) AS actual
      FROM ledger_transactions AS booking
      JOIN payouts AS payout ON payout.id = booking.payout_id
      JOIN ledger_entries AS entry ON entry.transaction_id = booking.id
      WHERE NOT ${IS_OF_PAYMENT}
      GROUP BY payout.id`,
  },
  {
    code: "WALLET_BALANCE_DRIFT",
    title: "Every wallet's balance is that of its account in the books",
    drifts: sql`
      SELECT 'wallet' AS subject_type, wallet.id::text AS subject_id,
             COALESCE(-sum(entry.amount_paise), 0) AS expected, wallet.balance_paise AS actual
      FROM wallet_accounts AS wallet
      LEFT JOIN ledger_accounts AS account ON account.wallet_id = wallet.id
      LEFT JOIN ledger_entries AS entry ON entry.account_id = account.id
      GROUP BY wallet.id
      HAVING wallet.balance_paise <> COALESCE(-sum(entry.amount_paise), 0)`,
  },
  {
    code: "WALLET_ATTRIBUTION_DRIFT",
    title:
      "Every refund to a wallet has one audit row and one posting, with its amount and its organization",
    drifts: sql`
      SELECT 'refund-leg' AS subject_type, COALESCE(leg_id, 'no refund leg') AS subject_id,
             COALESCE(refunded.paise, 0) AS expected,
             CASE WHEN posted.organization_id IS NOT DISTINCT FROM refunded.organization_id
                   AND audited.organization_id IS NOT DISTINCT FROM refunded.organization_id
                   AND audited.paise IS NOT DISTINCT FROM posted.paise
                  THEN COALESCE(posted.paise, 0) ELSE 0 END AS actual
      FROM (
        SELECT leg.id::text AS leg_id, leg.amount_paise AS paise,
               COALESCE(payment.organization_id, wallet.organization_id) AS organization_id
        FROM refund_legs AS leg
        JOIN payment_legs AS paid ON paid.id = leg.payment_leg_id
        JOIN payments AS payment ON payment.id = paid.payment_id
        JOIN wallet_accounts AS wallet ON wallet.id = paid.wallet_id
        WHERE leg.state = 'PROCESSED'
      ) AS refunded
      FULL JOIN (
        SELECT split_part(booking.key, ':', 2) AS leg_id, booking.organization_id,
               -sum(entry.amount_paise) AS paise
        FROM ledger_transactions AS booking
        JOIN ledger_entries AS entry ON entry.transaction_id = booking.id
        JOIN ledger_accounts AS account ON account.id = entry.account_id AND account.code = 'WALLET'
        WHERE booking.kind = 'wallet-refunded'
        GROUP BY booking.id
      ) AS posted USING (leg_id)
      FULL JOIN (
        SELECT detail ->> 'refundLegId' AS leg_id, organization_id,
               (detail ->> 'amountPaise')::numeric AS paise
        FROM audit_log WHERE category = 'WALLET' AND action = 'WALLET_REFUND'
      ) AS audited USING (leg_id)
      WHERE refunded.paise IS DISTINCT FROM posted.paise
         OR refunded.paise IS DISTINCT FROM audited.paise
         OR refunded.organization_id IS DISTINCT FROM posted.organization_id
         OR refunded.organization_id IS DISTINCT FROM audited.organization_id`,
  },
  {
    code: "TAX_PAYABLE_DRIFT",
    title: "Tax in the books is what was withheld for good, less what was deposited",
    drifts: sql`
      SELECT subject_type, subject_id, sum(expected) AS expected, sum(actual) AS actual
      FROM (
        SELECT 'payout' AS subject_type, payout_id::text AS subject_id, tax_paise AS expected, 0 AS actual
        FROM tax_deductions WHERE status = 'FINAL'
        UNION ALL
        SELECT 'tax-deposit', id::text, -amount_paise, 0 FROM tax_deposits
        UNION ALL
        SELECT CASE WHEN booking.payout_id IS NOT NULL THEN 'payout'
                    WHEN booking.kind = 'tax-deposited' THEN 'tax-deposit' ELSE 'ledger-transaction' END,
               COALESCE(booking.payout_id::text,
                        CASE WHEN booking.kind = 'tax-deposited' THEN split_part(booking.key, ':', 2) END,
                        booking.id::text),
               0, -entry.amount_paise
        FROM ledger_entries AS entry
        JOIN ledger_accounts AS account ON account.id = entry.account_id AND account.code = 'TAX_PAYABLE'
        JOIN ledger_transactions AS booking ON booking.id = entry.transaction_id
      ) AS tax
      GROUP BY subject_type, subject_id
      HAVING sum(expected) <> sum(actual)`,
  },
  {
    code: "TAX_DEPOSIT_EXCEEDS",
    title:
      "No more tax was deposited for a month than was withheld for it, or owed for it at that time",
    drifts: sql`
      SELECT 'tax-month' AS subject_type,
             to_char(deposited.month, 'YYYY-MM') || ' ' || deposited.section || ' ' || deposited.code AS subject_id,
             GREATEST(withheld.paise, deposited.owed, 0) AS expected, deposited.paise AS actual
      FROM (
        SELECT month, section, code, sum(amount_paise) AS paise, max(owed_paise) AS owed
        FROM tax_deposits GROUP BY month, section, code
      ) AS deposited
      LEFT JOIN (
        SELECT date_trunc('month', credited_on)::date AS month, section, code, sum(tax_paise) AS paise
        FROM tax_deductions WHERE status = 'FINAL' GROUP BY 1, section, code
      ) AS withheld USING (month, section, code)
      WHERE deposited.paise > GREATEST(withheld.paise, deposited.owed, 0)`,
  },
  {
    code: "TAX_YEAR_DIFFERS",
    title: "Every sale is taxed in the financial year in which it was credited",
    // Tax counted in a wrong year; an amount taken back again counts in none.
    drifts: sql`
      SELECT 'tax-deduction' AS subject_type, id::text AS subject_id, 0 AS expected, gross_paise AS actual
      FROM tax_deductions AS line
      WHERE reverses_id IS NULL
        AND fiscal_year IS DISTINCT FROM EXTRACT(YEAR FROM credited_on - interval '3 months')
        AND NOT EXISTS (SELECT FROM tax_deductions WHERE reverses_id = line.id)`,
  },
];

/** Asks one question of the whole books. */
export async function runCheck(tx: DbSession, { drifts }: Check): Promise<CheckResult> {
  const rows = await tx.query<(DriftRow & { count: number })[]>`
    SELECT subject_type AS "subjectType", subject_id AS "subjectId", expected::bigint AS "expectedPaise",
           actual::bigint AS "actualPaise", (count(*) OVER ())::int AS count
    FROM (${drifts}) AS drift
    ORDER BY subject_type, subject_id, expected
    LIMIT ${MOST_ROWS}`;
  return {
    count: rows[0]?.count ?? 0,
    rows: rows.map(({ subjectType, subjectId, expectedPaise, actualPaise }) => ({
      subjectType,
      subjectId,
      expectedPaise,
      actualPaise,
    })),
  };
}
