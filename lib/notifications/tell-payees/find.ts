import { sql, type DbSession, type SqlPart } from "../../db/client.ts";
import type { Day } from "../../support/calendar.ts";
import type { Paise } from "../../support/money.ts";
import type { BookingShown } from "../mail.ts";

/** An event that a payee is told of. */
export interface PayeeEvent {
  /** The mail's key. */
  key: string;
  consultantId: string;
  consultantRef: string;
  /** Whether the payee has a mail address. */
  reachable: boolean;
  /** When it happened: the database's text, with all its digits. */
  at: string;
}

export interface PaidEvent extends PayeeEvent {
  amountPaise: Paise;
  netPaise: Paise;
  taxPaise: Paise;
  /** Sections and rates in basis points; empty without tax. */
  taxes: readonly { section: string; rateBps: number }[];
  utr: string | null;
  kind: "bank_account" | "vpa" | null;
  lastDigits: string | null;
  bookings: readonly { reference: string; paise: string }[];
  items: number;
}

export interface FailedEvent extends PayeeEvent {
  amountPaise: Paise;
  netPaise: Paise;
  failureCode: string | null;
  /** The payee has given another account since. */
  hasNewAccount: boolean;
}

export interface WaitingEvent extends PayeeEvent {
  amountPaise: Paise;
}

/** Where a page begins: behind this event. */
export type After = Pick<PayeeEvent, "at" | "key"> | undefined;

export interface Page {
  after: After;
  count: number;
}

/**
 * Older events are not told any more, so that a job which did not run for long writes no old news. ops/prune keeps
 * mails to payees for longer than this, since a mail's row alone proves that it was written.
 */
const OLDEST = sql`interval '14 days'`;

/** How many bookings of a payout a mail lists. */
const MOST_BOOKINGS = 50;

function isNew(at: SqlPart, since: Day): SqlPart {
  return sql`
    ${at} >= ${since}::date::timestamp AT TIME ZONE 'Asia/Kolkata' AND ${at} > now() - ${OLDEST}`;
}

/** The events that have no mail yet, oldest first. */
function untold(events: SqlPart, { after, count }: Page): SqlPart {
  return sql`
    SELECT event.* FROM (${events}) AS event
    WHERE NOT EXISTS (SELECT FROM outbox_mails AS mail WHERE mail.key = event.key)
      AND (${after?.key ?? null}::text IS NULL
           OR (event.at::timestamptz, event.key) > (${after?.at ?? null}::timestamptz, ${after?.key ?? null}::text))
    ORDER BY event.at::timestamptz, event.key
    LIMIT ${count}`;
}

const PAYEE = sql`
  payee.id AS "consultantId", payee.external_ref AS "consultantRef", payee.email IS NOT NULL AS reachable`;

/** Payouts that were paid. */
export function paidEvents(db: DbSession, since: Day, page: Page): Promise<PaidEvent[]> {
  return db.query<PaidEvent[]>`
    SELECT paid.*, COALESCE(tax.taxes, '[]') AS taxes, attempt.utr, account.kind::text AS kind,
           right(account.account_number, 4) AS "lastDigits",
           COALESCE(item.bookings, '[]') AS bookings, item.items
    FROM (${untold(
      sql`
        SELECT 'payee-paid:' || payout.id AS key, payout.completed_at::text AS at, ${PAYEE},
               payout.id AS "payoutId", payout.amount_paise AS "amountPaise",
               payout.net_paise AS "netPaise", payout.tax_paise AS "taxPaise"
        FROM payouts AS payout JOIN consultants AS payee ON payee.id = payout.consultant_id
        WHERE payout.status = 'COMPLETED' AND payout.currency = 'INR'
          AND ${isNew(sql`payout.completed_at`, since)}`,
      page,
    )}) AS paid
    LEFT JOIN payout_attempts AS attempt
      ON attempt.payout_id = paid."payoutId" AND attempt.state = 'PROCESSED'
    LEFT JOIN payout_accounts AS account ON account.id = attempt.payout_account_id
    LEFT JOIN LATERAL (
      SELECT json_agg(json_build_object('section', line.section, 'rateBps', line.rate_bps)
                      ORDER BY line.section, line.rate_bps) AS taxes
      FROM (
        SELECT DISTINCT section, rate_bps FROM tax_deductions AS taken
        WHERE payout_id = paid."payoutId" AND tax_paise > 0
          AND NOT EXISTS (SELECT FROM tax_deductions AS back WHERE back.reverses_id = taken.id)
      ) AS line
    ) AS tax ON true
    LEFT JOIN LATERAL (
      SELECT count(*)::int AS items,
             json_agg(json_build_object('reference', line.reference, 'paise', line.paise::text)
                      ORDER BY line.place) FILTER (WHERE line.place <= ${MOST_BOOKINGS}) AS bookings
      FROM (
        SELECT earning.booking_reference AS reference, held.amount_paise AS paise,
               row_number() OVER (ORDER BY earning.credited_on, earning.booking_reference) AS place
        FROM payout_items AS held JOIN earnings AS earning ON earning.id = held.earning_id
        WHERE held.payout_id = paid."payoutId"
      ) AS line
    ) AS item ON true
    ORDER BY paid.at::timestamptz, paid.key`;
}

export function bookingsShown({ bookings }: Pick<PaidEvent, "bookings">): BookingShown[] {
  return bookings.map(({ reference, paise }) => ({ reference, amountPaise: BigInt(paise) }));
}

const HAS_NEW_ACCOUNT = sql`
  EXISTS (SELECT FROM payout_accounts AS account
          WHERE account.consultant_id = payout.consultant_id AND account.active
            AND account.created_at > payout.updated_at)`;

/** Another payout may have paid everything of it since. */
const IS_STILL_OWED = sql`
  EXISTS (SELECT FROM payout_items AS item JOIN earnings AS earning ON earning.id = item.earning_id
          WHERE item.payout_id = payout.id AND earning.status <> 'PAID')`;

/**
 * Payouts that failed, each try for itself.
 *
 * @param mailRefusedAccounts another mail tells of a refused account, so that this one does not
 */
export function failedEvents(
  db: DbSession,
  { since, mailRefusedAccounts }: { since: Day; mailRefusedAccounts: boolean },
  page: Page,
): Promise<FailedEvent[]> {
  return db.query<FailedEvent[]>`
    ${untold(
      sql`
        SELECT 'payee-failed:' || payout.id || ':' || payout.tries AS key, payout.updated_at::text AS at,
               ${PAYEE}, payout.amount_paise AS "amountPaise", COALESCE(payout.net_paise, 0) AS "netPaise",
               payout.failure_code AS "failureCode", ${HAS_NEW_ACCOUNT} AS "hasNewAccount"
        FROM payouts AS payout JOIN consultants AS payee ON payee.id = payout.consultant_id
        WHERE payout.status = 'FAILED' AND payout.currency = 'INR'
          AND ${isNew(sql`payout.updated_at`, since)} AND ${IS_STILL_OWED}
          AND NOT (${mailRefusedAccounts}::boolean
                   AND EXISTS (SELECT FROM payout_account_holds AS hold WHERE hold.payout_id = payout.id))`,
      page,
    )}`;
}

/** Payouts whose money came back. A refused account is told of here in any case. */
export function returnedEvents(db: DbSession, since: Day, page: Page): Promise<FailedEvent[]> {
  return db.query<FailedEvent[]>`
    ${untold(
      sql`
        SELECT 'payee-returned:' || payout.id AS key, payout.updated_at::text AS at, ${PAYEE},
               payout.amount_paise AS "amountPaise", payout.net_paise AS "netPaise",
               payout.failure_code AS "failureCode", ${HAS_NEW_ACCOUNT} AS "hasNewAccount"
        FROM payouts AS payout JOIN consultants AS payee ON payee.id = payout.consultant_id
        WHERE payout.status = 'REVERSED' AND payout.currency = 'INR'
          AND ${isNew(sql`payout.updated_at`, since)} AND ${IS_STILL_OWED}`,
      page,
    )}`;
}

/**
 * Payees whose money has waited for a day, and who have no account. Not while they are on hold, and not within
 * `waitingMs` of the last such mail.
 */
export function waitingEvents(
  db: DbSession,
  { since, waitingMs }: { since: Day; waitingMs: number },
  page: Page,
): Promise<WaitingEvent[]> {
  return db.query<WaitingEvent[]>`
    ${untold(
      sql`
        SELECT 'payee-waiting:' || payee.id || ':' || india_today() AS key, owed.since::text AS at,
               ${PAYEE}, owed.paise AS "amountPaise"
        FROM consultants AS payee
        CROSS JOIN LATERAL (
          SELECT sum(net.amount_paise)::bigint AS paise, min(earning.created_at) AS since
          FROM earnings_net AS net JOIN earnings AS earning ON earning.id = net.earning_id
          WHERE net.consultant_id = payee.id AND net.status = 'READY' AND net.currency = 'INR'
        ) AS owed
        WHERE owed.paise > 0 AND owed.since < now() - interval '1 day' AND india_today() >= ${since}::date
          AND NOT EXISTS (SELECT FROM payout_accounts AS account
                          WHERE account.consultant_id = payee.id AND account.active)
          AND NOT EXISTS (SELECT FROM consultant_holds AS hold
                          WHERE hold.consultant_id = payee.id AND hold.released_at IS NULL)
          AND NOT EXISTS (SELECT FROM outbox_mails AS told
                          WHERE told.consultant_id = payee.id AND told.template = 'payout-waiting'
                            AND told.created_at > now() - ${waitingMs}::bigint * interval '1 millisecond')`,
      page,
    )}`;
}

/** Holds that are open. Of several holds of a payee the oldest alone is told. */
export function heldEvents(db: DbSession, since: Day, page: Page): Promise<PayeeEvent[]> {
  return db.query<PayeeEvent[]>`
    ${untold(
      sql`
        SELECT 'payee-held:' || hold.id AS key, hold.placed_at::text AS at, ${PAYEE}
        FROM consultant_holds AS hold JOIN consultants AS payee ON payee.id = hold.consultant_id
        WHERE hold.released_at IS NULL AND ${isNew(sql`hold.placed_at`, since)}
          AND NOT EXISTS (
            SELECT FROM consultant_holds AS earlier
            WHERE earlier.consultant_id = hold.consultant_id AND earlier.released_at IS NULL
              AND (earlier.placed_at, earlier.id) < (hold.placed_at, hold.id))`,
      page,
    )}`;
}
