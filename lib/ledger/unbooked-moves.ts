import { sql, type SqlPart } from "../db/client.ts";
import { toJson } from "../support/log.ts";
import type { Paise } from "../support/money.ts";

/** A transaction of the account that belongs to a payout, as the statement shows it. */
export interface PayoutMove {
  id: string;
  creditPaise: Paise;
  debitPaise: Paise;
  payoutId: string | null;
}

/** So long after it was first read, money that the books do not have is no longer "on its way". */
export const UNBOOKED_HOURS = 24;

/**
 * Moves of our payouts that the statement shows and the books lack: a debit without its completion, a credit
 * without its reversal. One row for each attempt, with `is_open` (only a debit, and the provider has not
 * finished) and `is_late`. A debit and the credit that reversed it are zero together.
 *
 * `unstored`: transactions that were read but not stored, as in a dry run.
 */
export function unbookedMoves(unstored: readonly PayoutMove[] = []): SqlPart {
  const shown = sql`
    SELECT provider_payout_id, credit_paise, debit_paise, read_at FROM provider_transactions`;
  const fresh = unstored
    .filter(({ payoutId }) => payoutId !== null)
    .map(({ id, creditPaise, debitPaise, payoutId }) => ({
      id,
      credit: creditPaise,
      debit: debitPaise,
      payout: payoutId,
    }));
  const all =
    fresh.length === 0
      ? shown
      : sql`
    ${shown}
    UNION ALL
    SELECT payout, credit, debit, now()
    FROM jsonb_to_recordset(${toJson(fresh)}::jsonb) AS fresh (id text, credit bigint, debit bigint, payout text)
    WHERE NOT EXISTS (SELECT 1 FROM provider_transactions AS known WHERE known.id = fresh.id)`;
  return sql`
    SELECT attempt.id AS attempt_id, attempt.payout_id, attempt.provider_payout_id,
           sum(moved.debit_paise) AS debit_paise, sum(moved.credit_paise) AS credit_paise,
           sum(moved.debit_paise - moved.credit_paise) AS out_paise,
           attempt.state IN ('PREPARED', 'UNKNOWN', 'ACCEPTED') AND sum(moved.credit_paise) = 0 AS is_open,
           max(moved.read_at) <= now() - make_interval(hours => ${UNBOOKED_HOURS}) AS is_late
    FROM (${all}) AS moved
    JOIN payout_attempts AS attempt ON attempt.provider_payout_id = moved.provider_payout_id
    WHERE NOT (attempt.state IN ('PROCESSED', 'REVERSED') AND EXISTS (
      SELECT 1 FROM ledger_transactions AS booking
      WHERE booking.key = CASE WHEN moved.debit_paise > 0 THEN 'payout-completed:' ELSE 'payout-reversed:' END
                          || attempt.payout_id))
    GROUP BY attempt.id`;
}
