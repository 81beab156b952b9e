import { readFile } from "node:fs/promises";
import { expect, it, onTestFinished } from "vitest";
import { createTestDatabase } from "../support/database.ts";

it("draws the states of a payment as the database keeps them", async () => {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  const page = await readFile(new URL("../../docs/holds.md", import.meta.url), "utf8");
  const diagram = page.split("```mermaid")[1]?.split("```")[0] ?? "";
  const drawn = [...diagram.matchAll(/^\s*([A-Z]+) --> ([A-Z]+):/gm)].map(
    ([, from, to]) => `${from}>${to}`,
  );
  const [guard] = await database.query<{ source: string }>(
    "SELECT prosrc AS source FROM pg_proc WHERE proname = 'guard_payment'",
  );
  const kept = [...(guard?.source ?? "").matchAll(/'([A-Z]+>[A-Z]+)'/g)].map(([, move]) => move);
  expect(kept.length).toBeGreaterThan(0);
  expect(drawn.sort()).toEqual(kept.sort());
});
