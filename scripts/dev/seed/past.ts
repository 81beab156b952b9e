import type pg from "pg";
import { newSession } from "../../../lib/db/session.ts";

/**
 * A marketplace of some years: so many rows of everything, over and done with, or not due for long. Triggers
 * are off while it is written, so its counters are written too.
 *
 * @param tables those that are filled; default all. One needs those that it refers to
 */
export async function seedPast(
  { url }: { url: string },
  { rows: count, tables }: { rows: number; tables?: ReadonlySet<string> },
): Promise<void> {
  const client = newSession({
    url,
    applicationName: "afterhours seed",
    readOnly: false,
    purpose: "administration",
  });
  await client.connect();
  try {
    await client.query("SET session_replication_role = replica");
    await client.query("SET synchronous_commit = off");
    const buildIndexes = await dropIndexes(client);
    for (const statement of statements(count)) {
      const [, table = ""] = /INSERT INTO (\w+)/.exec(statement) ?? [];
      if (tables?.has(table) ?? true) await client.query(statement);
    }
    await buildIndexes();
    await client.query("ANALYZE");
  } finally {
    await client.end();
  }
}

/** Built in one go when all rows are there, they take a fraction of the time. Keys that others refer to stay. */
async function dropIndexes(client: pg.Client): Promise<() => Promise<void>> {
  const { rows } = await client.query<{ drop: string; build: string }>(`
    SELECT format('DROP INDEX %s', indexrelid::regclass) AS drop, pg_get_indexdef(indexrelid) AS build
    FROM pg_index JOIN pg_class ON pg_class.oid = indrelid
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
      AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
    UNION ALL
    SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname),
           format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
    FROM pg_constraint AS own
    WHERE connamespace = 'public'::regnamespace AND contype IN ('p', 'u', 'x')
      AND NOT EXISTS (SELECT FROM pg_constraint AS foreign_key
                      WHERE foreign_key.contype = 'f' AND foreign_key.conindid = own.conindid)`);
  for (const { drop } of rows) await client.query(drop);
  return async () => {
    for (const { build } of rows) await client.query(build);
  };
}

/** The id of row `n` of a kind. */
const id = (kind: number, n = "n"): string =>
  `(lpad('${kind}', 8, '0') || '-0000-4000-8000-' || lpad((${n})::text, 12, '0'))::uuid`;
const isLive = "(n % 1000 = 0)";
const past = "now() - interval '30 days' - n * interval '1 second'";

const statements = (rows: number): readonly string[] => {
  const all = `generate_series(1, ${rows}) AS n`;
  return [
    `INSERT INTO consultants (id, external_ref, name)
   SELECT ${id(1)}, 'consultant-' || n, 'A consultant' FROM generate_series(1, 10000) AS n`,
    `INSERT INTO users (id, external_ref, name, email)
   SELECT ${id(2)}, 'user-' || n, 'A buyer', n || '@buyers.example' FROM ${all}`,
    // Full webinars: each live offer and each live booking is a seat.
    `INSERT INTO plans (id, consultant_id, kind, title, url, capacity, booked_seats, offered_seats, starts_at)
   SELECT ${id(3)}, ${id(1)}, 'webinar', 'A plan', 'https://marketplace.example/plans/' || n, 101,
          CASE WHEN n % 10 = 1 THEN 0 ELSE 100 END, 1, now() + interval '300 days'
   FROM generate_series(1, 10000) AS n`,
    `INSERT INTO appointments (id, plan_id, consultant_id, starts_at, ends_at)
   SELECT ${id(4)}, ${id(3)}, ${id(1)}, now() + interval '300 days', now() + interval '300 days 1 hour'
   FROM generate_series(1, 10000) AS n`,
    `INSERT INTO bookings (id, reference, plan_id, user_id, status, requested_at, updated_at)
   SELECT ${id(5)}, 'old-' || n, ${id(3, "1 + n % 10000")}, ${id(2)},
          CASE WHEN n % 10 = 0 THEN 'CANCELLED' WHEN n % 1000 = 1 THEN 'PENDING' ELSE 'CONFIRMED' END::booking_status,
          ${past}, ${past}
   FROM ${all}`,
    `INSERT INTO slots (appointment_id, booking_id, user_id, consultant_id, starts_at, ends_at, tentative, created_at, updated_at)
   SELECT ${id(4, "1 + n % 10000")}, ${id(5)}, ${id(2)}, ${id(1, "1 + n % 10000")},
          now() + interval '300 days', now() + interval '300 days 1 hour', n % 1000 = 1,
          ${past}, CASE WHEN n % 1000 = 1 THEN now() ELSE ${past} END
   FROM ${all}`,
    `INSERT INTO released_slots (appointment_id, booking_id, user_id, released_at, released_by)
   SELECT ${id(4, "1 + n % 10000")}, ${id(5)}, ${id(2)}, ${past}, 'a test' FROM ${all}`,
    `INSERT INTO payments (id, booking_id, user_id, amount_paise, status, provider_order_id, asked_at, captured_at, expired_at, created_at, updated_at)
   SELECT ${id(6)}, ${id(5)}, ${id(2)}, 100000,
          CASE WHEN n % 10 = 0 THEN 'EXPIRED' WHEN n % 1000 = 1 THEN 'PENDING' ELSE 'PAID' END::payment_status,
          'order_' || n, CASE WHEN n % 1000 = 1 THEN now() END, ${past}, ${past}, ${past}, ${past}
   FROM ${all}`,
    `INSERT INTO payment_legs (id, payment_id, kind, amount_paise)
   SELECT ${id(7)}, ${id(6)}, 'card', 100000 FROM ${all}`,
    `INSERT INTO referral_credits (user_id, amount_paise, created_at) SELECT ${id(2)}, 50000, ${past} FROM ${all}`,
    `INSERT INTO refunds (id, payment_id, key, amount_paise, reason, requested_by, status, created_at, settled_at)
   SELECT ${id(8)}, ${id(6)}, 'old-' || n, 100, 'old', 'a test', 'PROCESSED', ${past}, ${past} FROM ${all}`,
    `INSERT INTO refund_legs (refund_id, payment_leg_id, amount_paise, state, settled_at)
   SELECT ${id(8)}, ${id(7)}, 100, 'PROCESSED', ${past} FROM ${all}`,
    `INSERT INTO waitlist_entries (id, plan_id, user_id, status, joined_at, notified_at, told_at, offer_ms, expires_at, ended_at)
   SELECT ${id(9)}, ${id(3, "1 + n % 10000")}, ${id(2)},
          CASE WHEN n <= 10000 THEN 'NOTIFIED' WHEN n % 10 = 3 THEN 'WAITING' ELSE 'EXPIRED' END::waitlist_status,
          ${past}, ${past}, ${past}, 86400000, CASE WHEN n <= 10000 THEN now() + interval '20 days' ELSE ${past} END,
          CASE WHEN n <= 10000 OR n % 10 = 3 THEN NULL ELSE now() END
   FROM ${all}`,
    `INSERT INTO outbox_mails (key, user_id, template, data, status, due_at, created_at, settled_at)
   SELECT 'old:' || n, ${id(2)}, 'waitlist-expired', '{"planTitle": "A plan", "planUrl": "https://marketplace.example"}',
          CASE WHEN ${isLive} THEN 'QUEUED' ELSE 'SENT' END::mail_status,
          CASE WHEN ${isLive} THEN now() + interval '20 days' ELSE ${past} END, ${past},
          CASE WHEN ${isLive} THEN NULL ELSE now() END
   FROM ${all}`,
    `INSERT INTO earnings (consultant_id, booking_reference, credited_on, gross_paise, platform_fee_paise, amount_paise, status)
   SELECT ${id(1, "1 + n % 10000")}, 'old-' || n, '2026-01-15', 100000, 10000, 90000, 'PAID' FROM ${all}`,
    `INSERT INTO audit_log (at, actor, category, action, subject_type, subject_id)
   SELECT ${past}, 'a test', 'payout', 'approved', 'payout', n::text FROM ${all}`,
  ];
};
