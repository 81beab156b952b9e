import { expect, it } from "vitest";
import { readPage } from "./commands/blocks.ts";

const entries = readPage("docs/glossary.md")
  .split(/\n(?=- )/)
  .slice(1)
  .map((item) => /^- \*\*(.+?)\*\*: (.+)$/.exec(item.replace(/\s+/g, " ").trim()))
  .map((parts) => ({ term: parts?.[1] ?? "", meaning: parts?.[2] ?? "" }));

it("the glossary is in alphabetical order, and has each term once", () => {
  const terms = entries.map(({ term }) => term.toLowerCase());
  expect(terms.length).toBeGreaterThan(50);
  expect(terms).toEqual([...new Set(terms)].toSorted((a, b) => a.localeCompare(b, "en")));
});

it("each term has one short sentence", () => {
  for (const { term, meaning } of entries) {
    expect(meaning, term).toMatch(/\.$/);
    expect(meaning.split(" ").length, term).toBeLessThanOrEqual(28);
    expect(meaning.split(/\.\s/), term).toHaveLength(1);
  }
});
