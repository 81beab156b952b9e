import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { referenceKey } from "../../../lib/support/reference-key.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const fromSql = async (texts: readonly string[]): Promise<string[]> => {
  const rows = await database.query<{ key: string }>(
    "SELECT reference_key(text) AS key FROM unnest($1::text[]) WITH ORDINALITY AS given (text, place) ORDER BY place",
    [texts],
  );
  return rows.map(({ key }) => key);
};

it.each([
  [" BK-1 ", "bk-1"],
  ["bk-1", "bk-1"],
  ["BK \t\u00a0 1", "bk 1"],
  ["BK-2/1", "bk-2/1"],
  ["e\u0301", "\u00e9"],
  ["\u212a-1", "k-1"],
  ["\u3000\ufeff", ""],
  // No locale decides about other letters.
  ["\u0130I", "\u0130i"],
])("the form of %j is %j, here and in the database", async (text, key) => {
  expect(referenceKey(text)).toBe(key);
  expect(await fromSql([text])).toEqual([key]);
});

it("is the same here and in the database, whatever the reference, and is its own form", async () => {
  const piece = fc.oneof(
    fc.constantFrom(
      " ",
      "\t",
      "\n",
      "\r",
      "\v",
      "\f",
      "\u0085",
      "\u00a0",
      "\u1680",
      "\u2000",
      "\u200a",
    ),
    fc.constantFrom("\u200b", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000", "\ufeff", "\u180e"),
    fc.constantFrom(
      "A",
      "z",
      "-",
      "/",
      "0",
      "\u0301",
      "\u030a",
      "\u00c5",
      "\u0130",
      "\u03a3",
      "\u1e9e",
    ),
    fc.string({ unit: "grapheme", maxLength: 3 }).filter((text) => !text.includes("\0")),
  );
  const text = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(""));
  await fc.assert(
    fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 50 }), async (texts) => {
      const keys = texts.map(referenceKey);
      expect(await fromSql(texts)).toEqual(keys);
      expect(keys.map(referenceKey)).toEqual(keys);
    }),
    { numRuns: 60 },
  );
});
