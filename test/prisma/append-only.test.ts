import { afterAll, beforeAll, expect, it } from "vitest";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";

let database: TestDatabase;
beforeAll(async () => void (database = await createTestDatabase()));
afterAll(() => database.drop());

/** Only added to: the books, the audit log, the provider's statement, and what was given back or paid to the state. */
const TABLES = [
  "audit_log",
  "earning_refunds",
  "ledger_entries",
  "ledger_transactions",
  "provider_days",
  "provider_transactions",
  "released_slots",
  "tax_deposits",
];

it("is what the database keeps so", async () => {
  const kept = await database.query<{ table: string }>(
    `SELECT tgrelid::regclass::text AS "table" FROM pg_trigger WHERE tgname LIKE '%\\_append\\_only' ORDER BY 1`,
  );
  expect(kept.map(({ table }) => table)).toEqual(TABLES);
});

// The triggers are of whole statements, so that no row is needed. The login of the tests is a superuser, as an owner may be.
it.each(TABLES)(
  "refuses to change, delete or empty what is there, to the owner too: %s",
  async (table) => {
    const [column] = await database.query<{ name: string }>(
      "SELECT attname AS name FROM pg_attribute WHERE attrelid = $1::regclass AND attnum = 1",
      [table],
    );
    const name = column?.name ?? "";
    for (const statement of [
      `UPDATE ${table} SET ${name} = ${name} WHERE false`,
      `DELETE FROM ${table} WHERE false`,
      `TRUNCATE ${table} CASCADE`,
    ])
      await expect(database.query(statement)).rejects.toMatchObject({
        constraint: expect.stringMatching(/_append_only$/) as string,
      });
  },
);
