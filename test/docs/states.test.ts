import { readFile } from "node:fs/promises";
import pg from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";

let database: TestDatabase;
let client: pg.Client;

beforeAll(async () => {
  database = await createTestDatabase();
  client = new pg.Client({ connectionString: database.url });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await database.drop();
});

it.each([
  ["payout-life.md", "A payout", "guard_payout_status"],
  ["payout-life.md", "An attempt", "guard_attempt"],
  ["waitlist.md", "An entry", "guard_waitlist_entry"],
])("%s draws the states of %s as the database keeps them", async (page, section, guard) => {
  const moves = await kept(guard);
  expect(moves.length).toBeGreaterThan(0);
  expect(await drawn(page, section)).toEqual(moves);
});

/** The arrows of the diagram in one section, as `A>B`, without those that begin a life. */
async function drawn(page: string, section: string): Promise<string[]> {
  const text = await readFile(new URL(`../../docs/${page}`, import.meta.url), "utf8");
  const diagram = text.split(`\n## ${section}\n`)[1]?.split("```mermaid")[1]?.split("```")[0] ?? "";
  const arrows = diagram.matchAll(/^\s*([A-Z]+) --> ([A-Z]+):/gm);
  return [...arrows].map(([, from, to]) => `${from}>${to}`).sort();
}

/** The moves that the trigger's function lists. */
async function kept(guard: string): Promise<string[]> {
  const { rows } = await client.query<{ source: string }>(
    "SELECT prosrc AS source FROM pg_proc WHERE proname = $1",
    [guard],
  );
  const moves = rows[0]?.source.matchAll(/'([A-Z]+>[A-Z]+)'/g) ?? [];
  return [...moves].map(([, move]) => move ?? "").sort();
}
