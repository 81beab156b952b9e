import { seedPast } from "../../seed/past.ts";
import { withClient } from "../databases.ts";

/** The tables that the measured jobs read and write. */
const TABLES: ReadonlySet<string> = new Set([
  "consultants",
  "users",
  "plans",
  "appointments",
  "bookings",
  "slots",
  "waitlist_entries",
  "outbox_mails",
]);

/** `rows` of the past in each table, and `due` of each kind: set by set, with triggers off. */
export async function seedDue(
  url: string,
  { rows, due }: { rows: number; due: number },
): Promise<void> {
  await seedPast({ url }, { rows, tables: TABLES });
  await withClient(url, async (client) => {
    await client.query("SET session_replication_role = replica");
    await client.query("SET synchronous_commit = off");
    for (const statement of DUE) await client.query(statement.replaceAll("DUE", String(due)));
    await client.query("VACUUM ANALYZE");
    await client.query("CHECKPOINT");
  });
}

const each = "generate_series(1, DUE) AS n";
/** The id of due row `n` of a kind. */
const id = (kind: string): string =>
  `('${kind.padEnd(8, "0")}-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid`;

const [READER, NEXT, EXPIRED, ENDS_SOON, TALK, MEETING, BOOKING] = [
  "da",
  "db",
  "dc",
  "dd",
  "de",
  "df",
  "d0",
].map(id);

const DUE: readonly string[] = [
  `INSERT INTO users (id, external_ref, name, email)
   SELECT ${READER}, 'due-' || n, 'A buyer', 'due-' || n || '@buyers.example' FROM ${each}
   UNION ALL SELECT ${NEXT}, 'next-' || n, 'A buyer', 'next-' || n || '@buyers.example' FROM ${each}`,
  // Full webinars of one seat: one offer has ended and somebody waits, another ends soon.
  `INSERT INTO plans (id, consultant_id, kind, title, url, capacity, booked_seats, offered_seats, starts_at)
   SELECT plan, consultant.id, 'webinar', 'A plan', 'https://marketplace.example', 1, 0, 1,
          now() + interval '20 days'
   FROM ${each}, (SELECT id FROM consultants ORDER BY id LIMIT 1) AS consultant,
        LATERAL (VALUES (${EXPIRED}), (${ENDS_SOON})) AS made (plan)`,
  `INSERT INTO waitlist_entries (plan_id, user_id, status, notified_at, told_at, offer_ms, expires_at)
   SELECT ${EXPIRED}, ${READER}, 'NOTIFIED'::waitlist_status, now() - interval '1 day', now() - interval '1 day', 82800000,
          now() - interval '1 hour' FROM ${each}
   UNION ALL SELECT ${EXPIRED}, ${NEXT}, 'WAITING', NULL, NULL, NULL, NULL FROM ${each}
   UNION ALL SELECT ${ENDS_SOON}, ${READER}, 'NOTIFIED', now() - interval '1 day', now() - interval '1 day', 108000000,
          now() + interval '6 hours' FROM ${each}`,
  // Checkouts that were begun, given up, and never reached the provider.
  `INSERT INTO plans (id, consultant_id, kind, title, url)
   SELECT ${TALK}, (SELECT id FROM consultants ORDER BY id LIMIT 1), 'consultation', 'A plan', 'https://marketplace.example'
   FROM ${each}`,
  `INSERT INTO bookings (id, reference, plan_id, user_id, status, requested_at, updated_at)
   SELECT ${BOOKING}, 'due-' || n, ${TALK}, ${READER}, 'PENDING', now() - interval '30 hours', now() - interval '30 hours'
   FROM ${each}`,
  `INSERT INTO appointments (id, plan_id, consultant_id, booking_id, starts_at, ends_at)
   SELECT ${MEETING}, ${TALK}, (SELECT id FROM consultants ORDER BY id LIMIT 1), ${BOOKING},
          now() + interval '10 days', now() + interval '10 days 1 hour'
   FROM ${each}`,
  `INSERT INTO slots (appointment_id, booking_id, user_id, consultant_id, starts_at, ends_at, tentative, created_at, updated_at)
   SELECT ${MEETING}, ${BOOKING}, ${READER}, (SELECT id FROM consultants ORDER BY id LIMIT 1),
          now() + interval '10 days', now() + interval '10 days 1 hour', true,
          now() - interval '30 hours', now() - interval '30 hours'
   FROM ${each}`,
  `INSERT INTO outbox_mails (key, user_id, template, data, due_at)
   SELECT 'due:' || n, ${READER}, 'waitlist-expired',
          '{"planTitle": "A plan", "planUrl": "https://marketplace.example"}', now() - interval '1 hour'
   FROM ${each}`,
  "CREATE TABLE bench_commits (id int PRIMARY KEY, n int NOT NULL)",
  `INSERT INTO bench_commits SELECT n, 0 FROM ${each}`,
];
