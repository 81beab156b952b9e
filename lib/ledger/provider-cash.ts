import { sql, type DbSession } from "../db/client.ts";
import type { Paise } from "../support/money.ts";
import { UNBOOKED_HOURS, unbookedMoves } from "./unbooked-moves.ts";

/** Our account at the provider, as last read, beside the balance in the books. */
export interface ProviderCash {
  /** Balance by the transactions that were read. */
  providerPaise: Paise;
  /** Balance of BANK in the books. */
  ledgerPaise: Paise;
  /**
   * Left the account (or came back) and not booked yet: the payout is not finished, or the statement was read
   * recently. Amounts that stay unbooked for longer are part of the drift.
   */
  unbookedPaise: Paise;
  /** Booked, and the account was not read since. A booking that a read account does not show after a day is part of the drift. */
  notReadPaise: Paise;
  /** Ledger - (provider + unbooked - not read): zero when nothing is unexplained. */
  driftPaise: Paise;
  /** Of the newest transaction that was read; null when there was none. */
  asOf: Date | null;
}

/** The day of the account on which the books begin, with its balance in the morning. */
const OPENING = sql`
  SELECT opening_paise, day::timestamp AT TIME ZONE 'Asia/Kolkata' AS at
  FROM provider_days WHERE day < india_today() ORDER BY day LIMIT 1`;

/** Bookings of our payouts: there, and back. */
const BOOKED = sql`
  SELECT booking.payout_id, attempt.provider_payout_id, attempt.created_at, booking.kind,
         -sum(entry.amount_paise) AS out_paise,
         booking.posted_at <= now() - make_interval(hours => ${UNBOOKED_HOURS})
           AND (booking.posted_at AT TIME ZONE 'Asia/Kolkata')::date
             <= (SELECT max(day) FROM provider_days WHERE day < india_today()) AS is_late
  FROM ledger_transactions AS booking
  JOIN ledger_entries AS entry ON entry.transaction_id = booking.id
  JOIN ledger_accounts AS account ON account.id = entry.account_id AND account.code = 'BANK'
  JOIN payout_attempts AS attempt
    ON attempt.payout_id = booking.payout_id AND attempt.state IN ('PROCESSED', 'REVERSED')
  WHERE booking.kind IN ('payout-completed', 'payout-reversed')
  GROUP BY attempt.id, booking.id`;

/**
 * Bookings that the account does not show. Late: booked more than a day ago, and the account was read to the end of that
 * day since, so that it will not show them any more, such as a payout that is reversed without its money.
 */
const UNREAD = sql`
  SELECT booked.* FROM (${BOOKED}) AS booked CROSS JOIN (${OPENING}) AS opening
  WHERE booked.created_at >= opening.at AND NOT EXISTS (
    SELECT 1 FROM provider_transactions AS stored
    WHERE stored.provider_payout_id = booked.provider_payout_id
      AND (stored.debit_paise > 0) = (booked.kind = 'payout-completed'))`;

/**
 * Cash at the provider compared with cash in the books; undefined before the first day was closed.
 *
 * Bookings for attempts before the first day are inside its opening balance, so none of these numbers includes
 * them.
 */
export async function readProviderCash(db: DbSession): Promise<ProviderCash | undefined> {
  const [row] = await db.query<Omit<ProviderCash, "driftPaise">[]>`
    WITH opening AS (${OPENING}), unbooked AS (
      SELECT COALESCE(sum(out_paise), 0) AS paise FROM (${unbookedMoves()}) AS move
      WHERE is_open OR NOT is_late
    ), not_read AS (
      SELECT COALESCE(sum(out_paise), 0) AS paise FROM (${UNREAD}) AS unread WHERE NOT is_late
    )
    SELECT (opening.opening_paise + COALESCE((
              SELECT sum(credit_paise - debit_paise) FROM provider_transactions), 0))::bigint AS "providerPaise",
           COALESCE((
              SELECT sum(entry.amount_paise) FROM ledger_entries AS entry
              JOIN ledger_accounts AS account ON account.id = entry.account_id AND account.code = 'BANK'
           ), 0)::bigint AS "ledgerPaise",
           unbooked.paise::bigint AS "unbookedPaise", not_read.paise::bigint AS "notReadPaise",
           (SELECT max(at) FROM provider_transactions) AS "asOf"
    FROM opening CROSS JOIN unbooked CROSS JOIN not_read`;
  if (!row) return undefined;
  const { providerPaise, ledgerPaise, unbookedPaise, notReadPaise } = row;
  return { ...row, driftPaise: ledgerPaise - (providerPaise + unbookedPaise - notReadPaise) };
}

/** Bookings for attempts before a day, which are inside the opening balance of that day. */
export async function bookedBeforeOpening(db: DbSession, day: string): Promise<Paise> {
  const [row] = await db.query<{ paise: bigint }[]>`
    SELECT COALESCE(-sum(entry.amount_paise), 0)::bigint AS paise
    FROM ledger_transactions AS booking
    JOIN ledger_entries AS entry ON entry.transaction_id = booking.id
    JOIN ledger_accounts AS account ON account.id = entry.account_id AND account.code = 'BANK'
    JOIN payout_attempts AS attempt
      ON attempt.payout_id = booking.payout_id AND attempt.state IN ('PROCESSED', 'REVERSED')
    WHERE booking.kind IN ('payout-completed', 'payout-reversed')
      AND attempt.created_at < ${day}::date::timestamp AT TIME ZONE 'Asia/Kolkata'
      AND NOT EXISTS (
        SELECT 1 FROM provider_transactions AS stored
        WHERE stored.provider_payout_id = attempt.provider_payout_id
          AND (stored.debit_paise > 0) = (booking.kind = 'payout-completed'))`;
  return row?.paise ?? 0n;
}

/** A booking of a payout that the account ought to show by now, and does not. */
interface LateBooking {
  payoutId: string;
  ledgerPaise: Paise;
}

/** Bookings that stay without their money on the account; the largest first. */
export async function lateBookings(db: DbSession, most: number): Promise<LateBooking[]> {
  return db.query<LateBooking[]>`
    SELECT payout_id AS "payoutId", -sum(out_paise)::bigint AS "ledgerPaise"
    FROM (${UNREAD}) AS unread WHERE is_late
    GROUP BY payout_id ORDER BY abs(sum(out_paise)) DESC, payout_id LIMIT ${most}`;
}

/** A transaction of the account that explains the difference, or takes part in it. */
interface UnexplainedCash {
  /** `txn_…` */
  transactionId: string;
  sourceEntity: string | null;
  /** Credit less debit. */
  providerPaise: Paise;
  /** The amount in the books. */
  ledgerPaise: Paise;
}

/**
 * Transactions that the books lack or hold with another amount; the largest differences first. With `lateOnly`
 * only those of our payouts that have stayed unbooked. Each is wrong on its own, even where several add up to
 * zero.
 */
export async function unexplainedCash(
  db: DbSession,
  { most, lateOnly }: { most: number; lateOnly: boolean },
): Promise<UnexplainedCash[]> {
  return db.query<UnexplainedCash[]>`
    WITH late AS (
      SELECT attempt_id FROM (${unbookedMoves()}) AS unbooked
      WHERE is_late AND NOT is_open AND out_paise <> 0
    )
    SELECT stored.id AS "transactionId", stored.source_entity AS "sourceEntity",
           stored.credit_paise - stored.debit_paise AS "providerPaise",
           COALESCE(booked.paise, 0)::bigint AS "ledgerPaise"
    FROM provider_transactions AS stored
    LEFT JOIN payout_attempts AS attempt ON attempt.provider_payout_id = stored.provider_payout_id
    LEFT JOIN late ON late.attempt_id = attempt.id
    LEFT JOIN ledger_transactions AS booking
      ON booking.key = CASE WHEN attempt.id IS NULL THEN 'provider-transaction:' || stored.id
                            WHEN stored.debit_paise > 0 THEN 'payout-completed:' || attempt.payout_id
                            ELSE 'payout-reversed:' || attempt.payout_id END
    LEFT JOIN LATERAL (
      SELECT sum(entry.amount_paise) AS paise FROM ledger_entries AS entry
      JOIN ledger_accounts AS account ON account.id = entry.account_id AND account.code = 'BANK'
      WHERE entry.transaction_id = booking.id) AS booked ON true
    WHERE COALESCE(booked.paise, 0) <> stored.credit_paise - stored.debit_paise
      AND (late.attempt_id IS NOT NULL
           OR NOT ${lateOnly}::boolean AND (attempt.id IS NULL OR booking.id IS NOT NULL))
    ORDER BY abs(stored.credit_paise - stored.debit_paise - COALESCE(booked.paise, 0)) DESC, stored.id
    LIMIT ${most}`;
}
