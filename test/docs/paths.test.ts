import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readPage, ROOT } from "./commands/blocks.ts";

const PATH =
  /`((?:\.ci|\.config|\.github|docs|jobs|lib|prisma|scripts|test)\/[\w./-]*)(?:: "([^"]+)")?`/g;

describe.each(["CONTRIBUTING.md", "docs/architecture.md"])("%s", (page) => {
  const named = [...readPage(page).matchAll(PATH)].map(([, path = "", test]) => ({ path, test }));

  it("names files and folders that are there, and tests by their names", () => {
    expect(named.length).toBeGreaterThan(15);
    const missing = named.filter(({ path, test }) => {
      const file = join(ROOT, path);
      return (
        !existsSync(file) || (test !== undefined && !readFileSync(file, "utf8").includes(test))
      );
    });
    expect(missing).toEqual([]);
  });
});

it("the architecture names constraints and triggers that a migration makes", () => {
  const text = readPage("docs/architecture.md");
  const [, table = ""] = text.split("## What guarantees what");
  const rows = table.split("\n").filter((line) => line.includes("/migration.sql)"));
  expect(rows.length).toBeGreaterThan(8);
  const missing = rows.filter((row) => {
    const [, file = ""] = /\(\.\.\/(prisma\/migrations\/[^)]+)\)/.exec(row) ?? [];
    const [, , by = ""] = row.split("|");
    const rules = [...by.matchAll(/`([a-z_]+)`/g)].map(([, rule = ""]) => rule);
    const sql = readFileSync(join(ROOT, file), "utf8");
    const functions = rules.filter((rule) => !sql.includes(`"${rule}"`));
    return rules.length === 0 || functions.length > 0;
  });
  expect(missing).toEqual([]);
});

it("the architecture has each room of the code", () => {
  const text = readPage("docs/architecture.md");
  const rooms = ["lib", "lib/payouts"].flatMap(foldersOf).filter((room) => room !== "lib/payouts");
  expect(rooms.length).toBeGreaterThan(15);
  expect(rooms.filter((room) => !text.includes(`\`${room}/\``))).toEqual([]);
});

function foldersOf(parent: string): string[] {
  return readdirSync(join(ROOT, parent), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => `${parent}/${name}`);
}
