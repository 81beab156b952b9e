import { newSession } from "../../../../lib/db/session.ts";
import { formatRupees } from "../../../../lib/support/money.ts";
import { tableOf } from "../table.ts";
import type { ReceivedMail } from "../../../sandbox/mail/index.ts";

export interface JobEnd {
  name: string;
  exitCode: number;
}

/** The jobs' results, as the database and the mail server have them. */
export async function printMarketplace({
  databaseUrl,
  ends,
  mails,
  mailFolder,
}: {
  databaseUrl: string;
  ends: readonly JobEnd[];
  mails: readonly ReceivedMail[];
  mailFolder: string;
}): Promise<void> {
  const client = newSession({
    url: databaseUrl,
    applicationName: "afterhours demo",
    readOnly: true,
  });
  await client.connect();
  try {
    for (const { head, sql } of TABLES) {
      const { rows } = await client.query<Cell[]>({ text: sql, rowMode: "array" });
      const cells = rows.map((row) => row.map(cell));
      console.log(`\n${tableOf(head, orNothing(head, cells))}`);
    }
    const { rows } = await client.query<[string, string]>({
      text: `SELECT DISTINCT ON (job) job, outcome FROM job_runs ORDER BY job, started_at DESC`,
      rowMode: "array",
    });
    const outcomes = new Map(rows);
    console.log(
      `\n${tableOf(
        ["Job", "Outcome", "Exit code"],
        ends.map(({ name, exitCode }) => [name, outcomes.get(name) ?? "", String(exitCode)]),
      )}`,
    );
  } finally {
    await client.end();
  }
  const bySubject = new Map<string, number>();
  for (const { subject } of mails) bySubject.set(subject, (bySubject.get(subject) ?? 0) + 1);
  console.log(
    `\n${tableOf(
      ["Mailed", "Mails"],
      [...bySubject].map(([subject, count]) => [subject, String(count)]),
    )}`,
  );
  console.log(`The mails, as .eml files to open: ${mailFolder}`);
}

const TABLES: readonly { head: string[]; sql: string }[] = [
  {
    head: ["Released", "Kind", "Slots", "Request", "Payment", "By"],
    sql: `SELECT plan.title, plan.kind::text, count(*)::int, booking.status::text,
                 (SELECT max(status::text) FROM payments WHERE booking_id = booking.id), released.released_by
          FROM released_slots AS released
          JOIN bookings AS booking ON booking.id = released.booking_id
          JOIN plans AS plan ON plan.id = booking.plan_id
          WHERE released.released_by <> 'a seed'
          GROUP BY plan.title, plan.kind, booking.id, released.released_by ORDER BY 1, 6`,
  },
  {
    head: ["Given back by a checkout", "Amount"],
    sql: `SELECT leg.kind::text, 'paise:' || leg.amount_paise FROM payment_legs AS leg
          WHERE leg.released_at IS NOT NULL ORDER BY 1`,
  },
  {
    head: ["Waitlist", "Waiting", "Offered", "Expired", "Seats", "Booked"],
    sql: `SELECT plan.title, count(*) FILTER (WHERE entry.status = 'WAITING')::int,
                 count(*) FILTER (WHERE entry.status = 'NOTIFIED')::int,
                 count(*) FILTER (WHERE entry.status = 'EXPIRED')::int, plan.capacity, plan.booked_seats
          FROM waitlist_entries AS entry JOIN plans AS plan ON plan.id = entry.plan_id
          GROUP BY plan.id ORDER BY 1`,
  },
  {
    head: ["Payments that came late or unseen", "Booking", "Payment", "Amount"],
    sql: `SELECT plan.title, booking.status::text, payment.status::text, 'paise:' || payment.amount_paise
          FROM payments AS payment
          JOIN bookings AS booking ON booking.id = payment.booking_id
          JOIN plans AS plan ON plan.id = booking.plan_id
          WHERE plan.title IN ('Coaching, four weeks', 'Advice on contracts')
          ORDER BY 1, 3`,
  },
  {
    head: ["Refunded", "By", "Amount", "State"],
    sql: `SELECT refund.reason, paid.kind::text, 'paise:' || leg.amount_paise, leg.state::text
          FROM refund_legs AS leg
          JOIN refunds AS refund ON refund.id = leg.refund_id
          JOIN payment_legs AS paid ON paid.id = leg.payment_leg_id
          ORDER BY refund.created_at, 2`,
  },
  {
    head: ["Consultants bear of refunded sales", "Owed back", "Taken off so far"],
    sql: `SELECT count(*)::int, 'paise:' || COALESCE(sum(amount_paise), 0),
                 'paise:' || COALESCE(sum(recovered_amount_paise), 0)
          FROM earning_recoveries`,
  },
];

type Cell = string | number | null;

/** Amounts come as text with their unit, since a column of JSON or numbers would not show the unit. */
function cell(value: Cell): string {
  const text = value === null ? "" : String(value);
  return text.startsWith("paise:") ? formatRupees(BigInt(text.slice("paise:".length))) : text;
}

function orNothing(head: readonly string[], rows: readonly string[][]): string[][] {
  return rows.length > 0 ? [...rows] : [head.map(() => "-")];
}
