import { sql, type SqlPart } from "../../db/client.ts";

/** One rule of money, asked of the tables alone. */
export interface Question {
  /** Stable, in capitals. */
  code: string;
  /** The promise as a sentence without its full stop. */
  title: string;
  /** Selects `subject`, `expected` and `actual` in paise of each row that breaks the rule. */
  breaches: SqlPart;
}

/**
 * The same promises as those of ledger/reconcile-ledger, asked in other words: by sums over whole tables instead
 * of the database's own functions and views. A mistake in one is then not repeated in the other.
 *
 * The jobs' login cannot write sales, refunds of sales or payees: all other amounts are compared with these.
 */
export const QUESTIONS: readonly Question[] = [
  {
    code: "EARNING_PAID_OTHERWISE",
    title: "An earning is in one payout at most, with what the sale leaves of it",
    breaches: sql`
      SELECT 'earning ' || sale.id AS subject, sale.amount_paise - COALESCE(back.amount, 0) AS expected,
             held.amount AS actual
      FROM earnings AS sale
      JOIN (
        SELECT earning_id, sum(amount_paise) AS amount, sum(gross_paise) AS gross, count(*) AS payouts
        FROM payout_items WHERE released_at IS NULL GROUP BY earning_id
      ) AS held ON held.earning_id = sale.id
      LEFT JOIN (
        SELECT earning_id, sum(amount_paise) AS amount, sum(gross_paise) AS gross
        FROM earning_refunds GROUP BY earning_id
      ) AS back ON back.earning_id = sale.id
      WHERE held.payouts > 1 OR held.amount <> sale.amount_paise - COALESCE(back.amount, 0)
         OR held.gross <> sale.gross_paise - COALESCE(back.gross, 0)`,
  },
  {
    code: "PAYOUT_OF_OTHER_AMOUNT",
    title: "A payout is the sum of its items, all of its own payee",
    breaches: sql`
      SELECT 'payout ' || payout.id AS subject, COALESCE(items.amount, 0) AS expected, payout.amount_paise AS actual
      FROM payouts AS payout
      LEFT JOIN (
        SELECT item.payout_id, sum(item.amount_paise) AS amount, sum(item.gross_paise) AS gross,
               count(DISTINCT sale.consultant_id) AS payees, min(sale.consultant_id::text) AS payee
        FROM payout_items AS item JOIN earnings AS sale ON sale.id = item.earning_id GROUP BY item.payout_id
      ) AS items ON items.payout_id = payout.id
      WHERE (items.amount, items.gross, items.payees, items.payee)
        IS DISTINCT FROM (payout.amount_paise, payout.gross_paise, 1, payout.consultant_id::text)`,
  },
  {
    code: "SENT_OTHER_AMOUNT",
    title:
      "What was sent is the payout less the tax that its deductions say, to an account of its payee",
    breaches: sql`
      SELECT 'attempt ' || sent.id AS subject, payout.amount_paise - COALESCE(tax.paise, 0) AS expected,
             sent.amount_paise AS actual
      FROM payout_attempts AS sent
      JOIN payouts AS payout ON payout.id = sent.payout_id
      JOIN payout_accounts AS account ON account.id = sent.payout_account_id
      LEFT JOIN (
        SELECT line.payout_id, sum(line.tax_paise) AS paise FROM tax_deductions AS line
        WHERE line.reverses_id IS NULL AND NOT EXISTS (SELECT FROM tax_deductions WHERE reverses_id = line.id)
        GROUP BY line.payout_id
      ) AS tax ON tax.payout_id = payout.id
      WHERE sent.state IN ('PREPARED', 'UNKNOWN', 'ACCEPTED', 'PROCESSED')
        AND (sent.amount_paise <> payout.amount_paise - COALESCE(tax.paise, 0)
             OR account.consultant_id <> payout.consultant_id)`,
  },
  {
    code: "PAYEE_GOT_MORE_THAN_EARNED",
    title: "Nobody got more, with the tax taken for them, than their sales leave",
    breaches: sql`
      SELECT 'consultant ' || got.consultant_id AS subject, COALESCE(earned.paise, 0) AS expected, got.paise AS actual
      FROM (
        SELECT consultant_id, sum(paise) AS paise FROM (
          SELECT payout.consultant_id, sent.amount_paise AS paise
          FROM payout_attempts AS sent JOIN payouts AS payout ON payout.id = sent.payout_id
          WHERE sent.state = 'PROCESSED'
          UNION ALL
          SELECT consultant_id, tax_paise FROM tax_deductions WHERE status = 'FINAL'
        ) AS each GROUP BY consultant_id
      ) AS got
      LEFT JOIN (
        SELECT sale.consultant_id, sum(sale.amount_paise - COALESCE(back.paise, 0)) AS paise
        FROM earnings AS sale
        LEFT JOIN (SELECT earning_id, sum(amount_paise) AS paise FROM earning_refunds GROUP BY earning_id) AS back
          ON back.earning_id = sale.id
        GROUP BY sale.consultant_id
      ) AS earned USING (consultant_id)
      WHERE got.paise > COALESCE(earned.paise, 0)`,
  },
  {
    code: "OWED_OTHERWISE_IN_BOOKS",
    title: "The books owe each payee the sales less refunds and completed payouts",
    breaches: sql`
      SELECT 'consultant ' || consultant_id AS subject, sum(expected) AS expected, sum(actual) AS actual
      FROM (
        SELECT consultant_id, amount_paise AS expected, 0 AS actual FROM earnings
        UNION ALL
        SELECT sale.consultant_id, -back.amount_paise, 0
        FROM earning_refunds AS back JOIN earnings AS sale ON sale.id = back.earning_id
        UNION ALL
        SELECT consultant_id, -amount_paise, 0 FROM payouts WHERE status = 'COMPLETED'
        UNION ALL
        SELECT account.consultant_id, 0, -entry.amount_paise
        FROM ledger_entries AS entry JOIN ledger_accounts AS account ON account.id = entry.account_id
        WHERE account.code = 'CONSULTANT_PAYABLE'
      ) AS side
      GROUP BY consultant_id HAVING sum(expected) <> sum(actual)`,
  },
  {
    code: "PAYABLE_MOVED_BY_OTHER_POSTING",
    title:
      "What is owed to payees moves by sales, refunds and payouts alone, each with its own amount",
    breaches: sql`
      SELECT 'posting ' || COALESCE(moved.key, source.key) AS subject, COALESCE(source.paise, 0) AS expected,
             COALESCE(moved.paise, 0) AS actual
      FROM (
        SELECT booking.key, sum(entry.amount_paise) AS paise
        FROM ledger_transactions AS booking
        JOIN ledger_entries AS entry ON entry.transaction_id = booking.id
        JOIN ledger_accounts AS account ON account.id = entry.account_id
        WHERE account.code = 'CONSULTANT_PAYABLE'
        GROUP BY booking.key
      ) AS moved
      FULL JOIN (
        SELECT 'earning-released:' || id AS key, -amount_paise AS paise FROM earnings WHERE amount_paise <> 0
        UNION ALL SELECT 'earning-refunded:' || key, amount_paise FROM earning_refunds
        UNION ALL SELECT 'payout-completed:' || id, amount_paise FROM payouts WHERE status IN ('COMPLETED', 'REVERSED')
        UNION ALL SELECT 'payout-reversed:' || id, -amount_paise FROM payouts WHERE status = 'REVERSED'
      ) AS source USING (key)
      WHERE COALESCE(moved.paise, 0) <> COALESCE(source.paise, 0)`,
  },
  {
    code: "WALLET_HOLDS_OTHER_AMOUNT",
    title: "A wallet holds what the books say, and refunds to it have their refund",
    breaches: sql`
      SELECT 'wallet ' || wallet.id AS subject, COALESCE(booked.paise, 0) AS expected, wallet.balance_paise AS actual
      FROM wallet_accounts AS wallet
      LEFT JOIN (
        SELECT account.wallet_id, -sum(entry.amount_paise) AS paise
        FROM ledger_entries AS entry JOIN ledger_accounts AS account ON account.id = entry.account_id
        WHERE account.code = 'WALLET' GROUP BY account.wallet_id
      ) AS booked ON booked.wallet_id = wallet.id
      WHERE wallet.balance_paise <> COALESCE(booked.paise, 0)
      UNION ALL
      SELECT 'wallet ' || COALESCE(given.wallet_id, booked.wallet_id), COALESCE(given.paise, 0),
             COALESCE(booked.paise, 0)
      FROM (
        SELECT paid.wallet_id, sum(back.amount_paise) AS paise
        FROM refund_legs AS back JOIN payment_legs AS paid ON paid.id = back.payment_leg_id
        WHERE back.state = 'PROCESSED' AND paid.wallet_id IS NOT NULL GROUP BY paid.wallet_id
      ) AS given
      FULL JOIN (
        SELECT account.wallet_id, -sum(entry.amount_paise) AS paise
        FROM ledger_transactions AS booking
        JOIN ledger_entries AS entry ON entry.transaction_id = booking.id
        JOIN ledger_accounts AS account ON account.id = entry.account_id
        WHERE account.code = 'WALLET' AND booking.kind = 'wallet-refunded' GROUP BY account.wallet_id
      ) AS booked ON booked.wallet_id = given.wallet_id
      WHERE COALESCE(given.paise, 0) <> COALESCE(booked.paise, 0)`,
  },
  {
    code: "REFUNDED_MORE_THAN_PAID",
    title: "No more goes back to a buyer than was paid, leg by leg",
    breaches: sql`
      SELECT 'payment leg ' || paid.id AS subject, paid.amount_paise AS expected, back.paise AS actual
      FROM payment_legs AS paid
      JOIN (
        SELECT payment_leg_id, sum(amount_paise) AS paise FROM refund_legs WHERE state <> 'FAILED'
        GROUP BY payment_leg_id
      ) AS back ON back.payment_leg_id = paid.id
      WHERE back.paise > paid.amount_paise`,
  },
  {
    code: "TAX_BOOKED_OTHERWISE",
    title: "Tax in the books is what deductions took for good, less the deposits",
    breaches: sql`
      SELECT 'account TAX_PAYABLE' AS subject, owed.paise AS expected, booked.paise AS actual
      FROM (
        SELECT COALESCE((SELECT sum(tax_paise) FROM tax_deductions WHERE status = 'FINAL'), 0)
             - COALESCE((SELECT sum(amount_paise) FROM tax_deposits), 0) AS paise
      ) AS owed
      CROSS JOIN (
        SELECT COALESCE(-sum(entry.amount_paise), 0) AS paise
        FROM ledger_entries AS entry JOIN ledger_accounts AS account ON account.id = entry.account_id
        WHERE account.code = 'TAX_PAYABLE'
      ) AS booked
      WHERE owed.paise <> booked.paise`,
  },
  {
    code: "RULE_SWITCHED_OFF",
    title: "Every trigger of these tables is on",
    breaches: sql`
      SELECT 'trigger ' || trigger.tgname || ' on ' || trigger.tgrelid::regclass AS subject, 0 AS expected, 0 AS actual
      FROM pg_catalog.pg_trigger AS trigger
      JOIN pg_catalog.pg_class AS class ON class.oid = trigger.tgrelid
      WHERE class.relnamespace = 'public'::regnamespace AND trigger.tgenabled <> 'O'`,
  },
  {
    code: "STATEMENT_FROM_THE_FUTURE",
    title: "No transaction of the account is dated after tomorrow",
    breaches: sql`
      SELECT 'transaction ' || id AS subject, 0 AS expected, credit_paise - debit_paise AS actual
      FROM provider_transactions WHERE at > now() + interval '1 day'`,
  },
];
