import pg from "pg";
import { describe, expect, it } from "vitest";
import { createTestDatabase } from "./database.ts";

describe("createTestDatabase", () => {
  it("gives a migrated database that nobody else writes in", async () => {
    const [one, other] = await Promise.all([createTestDatabase(), createTestDatabase()]);
    await one.query("INSERT INTO consultants (external_ref, name) VALUES ($1, 'Asha')", ["C-001"]);
    expect(await one.query("SELECT external_ref FROM consultants")).toEqual([
      { external_ref: "C-001" },
    ]);
    expect(await other.query("SELECT * FROM consultants")).toEqual([]);
    await one.drop();
    await other.drop();
  });

  it("returns amounts as bigint and days as text", async () => {
    const database = await createTestDatabase();
    const rows = await database.query(
      "SELECT 9007199254740993 AS paise, '2026-04-01'::date AS day",
    );
    expect(rows).toEqual([{ paise: 9007199254740993n, day: "2026-04-01" }]);
    await database.drop();
  });

  it("fails when a session was left open, naming it", async () => {
    const database = await createTestDatabase();
    const leaked = new pg.Client({
      connectionString: database.url,
      application_name: "the leak",
    });
    leaked.on("error", () => undefined);
    await leaked.connect();
    await leaked.query("SELECT 42");
    await expect(database.drop()).rejects.toThrow(
      "1 session(s) were left open:\n  the leak: SELECT 42",
    );
    await leaked.end();
  });
});
