import { openDatabase, type Db } from "../../lib/db/client.ts";
import { onTestFinished } from "vitest";
import { createTestDatabase, type TestDatabase } from "./database.ts";

export const DAY_MS = 24 * 3_600_000;

/** A database of its own for one test, and a session pool on it as a core has one. */
export async function openCheckoutWorld(): Promise<{ database: TestDatabase; db: Db }> {
  const database = await createTestDatabase();
  const db = openDatabase({
    url: database.url,
    applicationName: "checkouts under test",
    readOnly: false,
    connections: 4,
  });
  onTestFinished(async () => {
    await db.close();
    await database.drop();
  });
  return { database, db };
}

/** A checkout and its booking as they stand, and the money that wallets and credits hold. */
export async function checkoutState(
  database: TestDatabase,
  bookingId: string,
): Promise<{
  booking: string;
  payments: string[];
  tentative: number;
  confirmed: number;
  released: number;
  mails: string[];
}> {
  const [row] = await database.query<{
    booking: string;
    payments: string[];
    tentative: number;
    confirmed: number;
    released: number;
    mails: string[];
  }>(
    `SELECT booking.status::text AS booking,
            ARRAY(SELECT status::text FROM payments WHERE booking_id = booking.id ORDER BY created_at, id) AS payments,
            (SELECT count(*)::int FROM slots WHERE booking_id = booking.id AND tentative) AS tentative,
            (SELECT count(*)::int FROM slots WHERE booking_id = booking.id AND NOT tentative) AS confirmed,
            (SELECT count(*)::int FROM released_slots WHERE booking_id = booking.id) AS released,
            ARRAY(SELECT template FROM outbox_mails WHERE user_id = booking.user_id ORDER BY created_at, key) AS mails
     FROM bookings AS booking WHERE id = $1`,
    [bookingId],
  );
  if (!row) throw new Error(`there is no booking ${bookingId}`);
  return row;
}

/** Each wallet's balance, and that of its account in the books: the two must agree. */
export async function walletState(
  database: TestDatabase,
  walletId: string,
): Promise<{ balance: bigint; booked: bigint }> {
  const [row] = await database.query<{ balance: bigint; booked: bigint }>(
    `SELECT balance_paise AS balance,
            (SELECT COALESCE(-sum(entry.amount_paise), 0)::bigint FROM ledger_entries AS entry
             JOIN ledger_accounts AS account ON account.id = entry.account_id
             WHERE account.wallet_id = wallet.id) AS booked
     FROM wallet_accounts AS wallet WHERE id = $1`,
    [walletId],
  );
  if (!row) throw new Error(`there is no wallet ${walletId}`);
  return row;
}

export async function usedCredit(database: TestDatabase, creditId: string): Promise<bigint> {
  const [row] = await database.query<{ used: bigint }>(
    "SELECT used_paise AS used FROM referral_credits WHERE id = $1",
    [creditId],
  );
  return row?.used ?? -1n;
}
