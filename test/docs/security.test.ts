import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PROOF = /`(test\/[\w./-]+\.ts): "([^"]+)"`/g;

/** Each test that a page names, with the words by which it can be found. */
function proofsOf(page: string): { file: string; name: string }[] {
  const text = readFileSync(join(ROOT, page), "utf8");
  return [...text.matchAll(PROOF)].map(([, file = "", name = ""]) => ({ file, name }));
}

describe.each(["docs/security.md", "docs/threat-model.md"])("%s", (page) => {
  const proofs = proofsOf(page);

  it("names tests, each of which is there", () => {
    expect(proofs.length).toBeGreaterThan(15);
    const missing = proofs.filter(({ file, name }) => {
      const path = join(ROOT, file);
      return !existsSync(path) || !readFileSync(path, "utf8").includes(name);
    });
    expect(missing).toEqual([]);
  });

  it("names one in each row of a table that is about proofs", () => {
    const text = readFileSync(join(ROOT, page), "utf8");
    const rows = text.split("\n").filter((line) => line.startsWith("|"));
    const withProof = tablesOf(rows).filter(([head = ""]) => head.includes("proven by"));
    expect(withProof.length).toBeGreaterThan(1);
    for (const [, , ...body] of withProof)
      for (const row of body) expect(row).toMatch(/`test\/[\w./-]+\.ts: "[^"]+"`/);
  });
});

/** Tables one after the other: the second line of each is its rule. */
function tablesOf(rows: readonly string[]): string[][] {
  const tables: string[][] = [];
  rows.forEach((row, index) => {
    if (/^\|[ |:-]+\|$/.test(rows[index + 1] ?? "")) tables.push([]);
    tables.at(-1)?.push(row);
  });
  return tables;
}
