import { randomUUID } from "node:crypto";
import { newSession } from "../../../lib/db/session.ts";

/**
 * Writes one open checkout without an order, whose slot was last changed two days ago, and says the flags
 * by which a job is started for it.
 */
export async function insertSampleCheckout(url: string): Promise<Readonly<Record<string, string>>> {
  const [user, consultant, plan, meeting, booking, payment, credit] = Array.from(
    { length: 7 },
    () => randomUUID(),
  );
  const client = newSession({ url, applicationName: "afterhours demo", readOnly: false });
  await client.connect();
  try {
    await client.query("BEGIN");
    const insert = (sql: string, values: unknown[]): Promise<unknown> => client.query(sql, values);
    await insert(
      "INSERT INTO users (id, external_ref, name, email) VALUES ($1, 'sample-buyer', 'A buyer', 'buyer@buyers.example')",
      [user],
    );
    await insert(
      "INSERT INTO consultants (id, external_ref, name) VALUES ($1, 'sample-seller', 'A seller')",
      [consultant],
    );
    await insert(
      "INSERT INTO plans (id, consultant_id, kind, title, url) VALUES ($1, $2, 'consultation', 'A talk', 'https://marketplace.example/plans/1')",
      [plan, consultant],
    );
    await insert(
      "INSERT INTO bookings (id, reference, plan_id, user_id, status) VALUES ($1, 'sample-booking', $2, $3, 'PENDING')",
      [booking, plan, user],
    );
    await insert(
      `INSERT INTO appointments (id, plan_id, consultant_id, booking_id, starts_at, ends_at)
       VALUES ($1, $2, $3, $4, now() + interval '9 days', now() + interval '9 days 1 hour')`,
      [meeting, plan, consultant, booking],
    );
    await insert(
      `INSERT INTO slots (appointment_id, booking_id, user_id, consultant_id, starts_at, ends_at, tentative, updated_at)
       VALUES ($1, $2, $3, $4, now(), now(), true, now() - interval '2 days')`,
      [meeting, booking, user, consultant],
    );
    await insert(
      "INSERT INTO referral_credits (id, user_id, amount_paise, used_paise) VALUES ($1, $2, 50000, 50000)",
      [credit, user],
    );
    await insert(
      "INSERT INTO payments (id, booking_id, user_id, amount_paise) VALUES ($1, $2, $3, 50000)",
      [payment, booking, user],
    );
    await insert(
      `INSERT INTO payment_legs (payment_id, kind, amount_paise, referral_credit_id)
       VALUES ($1, 'referral_credit', 50000, $2)`,
      [payment, credit],
    );
    await client.query("COMMIT");
  } finally {
    await client.end();
  }
  return { "payment-id": payment ?? "", "user-id": user ?? "" };
}
