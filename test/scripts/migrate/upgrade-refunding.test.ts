import { rm } from "node:fs/promises";
import pg from "pg";
import { describe, expect, inject, it } from "vitest";
import { OUR_FOLDERS, readMigrations } from "../../../scripts/cli/schema/migration-files.ts";
import { migrate } from "../../../scripts/dev/migrate/apply.ts";
import { withScratchDatabase } from "../../../scripts/dev/migrate/scratch-database.ts";
import { copyOfOurFolders } from "./folders.ts";

const ours = readMigrations(OUR_FOLDERS).migrationDirectories.map(({ path }) => path);
const REFUNDING = "20261130230100_refunding_status";

const id = (number: number): string =>
  `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;
const [CONSULTANT, USER, PLAN] = [id(1), id(2), id(3)];
const [ON_ITS_WAY, FAILED, BACK, PAID] = [10, 20, 30, 40] as const;

/** A booking of ₹10 that is paid, and what the last version wrote when all of it was asked back. */
function paid(number: number, reference: string): string[] {
  return [
    `INSERT INTO bookings (id, reference, plan_id, user_id, status)
       VALUES ('${id(number)}', '${reference}', '${PLAN}', '${USER}', 'CONFIRMED')`,
    `INSERT INTO payments (id, booking_id, user_id, amount_paise, status, provider_payment_id, captured_at)
       VALUES ('${id(number + 1)}', '${id(number)}', '${USER}', 1000, 'PAID', 'pay_${number}', now())`,
    `INSERT INTO payment_legs (id, payment_id, kind, amount_paise)
       VALUES ('${id(number + 2)}', '${id(number + 1)}', 'card', 1000)`,
  ];
}

function refundOf(number: number, state?: "PROCESSED" | "FAILED"): string[] {
  const [payment, leg, refund] = [id(number + 1), id(number + 2), id(number + 3)];
  return [
    `INSERT INTO refunds (id, payment_id, key, amount_paise, reason, requested_by)
       VALUES ('${refund}', '${payment}', 'key-${number}', 1000, 'asked for', 'Asha')`,
    `INSERT INTO refund_legs (refund_id, payment_leg_id, amount_paise) VALUES ('${refund}', '${leg}', 1000)`,
    `UPDATE payments SET status = 'REFUNDED' WHERE id = '${payment}' AND status IN ('PAID', 'ORPHANED')`,
    ...(state === undefined
      ? []
      : [
          `UPDATE refund_legs SET state = '${state}', settled_at = now() WHERE refund_id = '${refund}'`,
          `UPDATE refunds SET status = '${state}', settled_at = now() WHERE id = '${refund}'`,
        ]),
  ];
}

const ROWS = [
  `INSERT INTO consultants (id, external_ref, name) VALUES ('${CONSULTANT}', 'C-1', 'A payee')`,
  `INSERT INTO users (id, external_ref, name, email) VALUES ('${USER}', 'U-1', 'A buyer', 'buyer@example.com')`,
  `INSERT INTO plans (id, consultant_id, kind, title, url)
     VALUES ('${PLAN}', '${CONSULTANT}', 'consultation', 'A talk', 'https://example.com')`,
  ...paid(ON_ITS_WAY, "on-its-way"),
  ...refundOf(ON_ITS_WAY),
  ...paid(FAILED, "failed"),
  ...refundOf(FAILED, "FAILED"),
  ...paid(BACK, "back"),
  ...refundOf(BACK, "PROCESSED"),
  ...paid(PAID, "paid"),
];

async function inTransaction(client: pg.Client, statements: readonly string[]): Promise<void> {
  await client.query("BEGIN");
  for (const statement of statements) await client.query(statement);
  await client.query("COMMIT");
}

async function statuses(client: pg.Client): Promise<Record<string, string>> {
  const { rows } = await client.query<{ reference: string; status: string }>(
    `SELECT booking.reference, payment.status::text AS status
     FROM payments AS payment JOIN bookings AS booking ON booking.id = payment.booking_id`,
  );
  return Object.fromEntries(rows.map(({ reference, status }) => [reference, status]));
}

describe("an upgrade to payments that say REFUNDING", () => {
  it("keeps REFUNDED for what is back, and lets running jobs of the last version write as before", async () => {
    const folders = copyOfOurFolders();
    const later = ours.slice(ours.indexOf(REFUNDING));
    try {
      for (const name of later) await rm(`${folders.migrationsDir}/${name}`, { recursive: true });
      await withScratchDatabase(inject("postgresUrl"), async (url) => {
        await migrate({ url, folders });
        const client = new pg.Client({ connectionString: url });
        await client.connect();
        try {
          await inTransaction(client, ROWS);
          expect(await migrate({ url })).toEqual(later);
          expect(await statuses(client)).toEqual({
            "on-its-way": "REFUNDING",
            failed: "REFUNDING",
            back: "REFUNDED",
            paid: "PAID",
          });
          await inTransaction(client, refundOf(PAID));
          expect(await statuses(client)).toMatchObject({ paid: "REFUNDED" });
        } finally {
          await client.end();
        }
      });
    } finally {
      folders.remove();
    }
  });
});
