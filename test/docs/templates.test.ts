import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseDocument } from "yaml";
import { ROOT } from "./commands/blocks.ts";

const FOLDER = ".github/ISSUE_TEMPLATE";
const read = (file: string): string => readFileSync(join(ROOT, file), "utf8");

/** @throws when a file is no YAML, or names a key twice */
function yamlOf(file: string): unknown {
  const document = parseDocument(read(file), { uniqueKeys: true });
  if (document.errors.length > 0) throw new Error(`${file}: ${String(document.errors[0])}`);
  return document.toJS();
}

interface Form {
  name?: string;
  description?: string;
  labels?: string[];
  body?: {
    type: string;
    id?: string;
    attributes?: { label?: string; value?: string; options?: string[] };
  }[];
}

describe.each(["bug.yml", "feature.yml"])("the issue form %s", (file) => {
  const form = yamlOf(`${FOLDER}/${file}`) as Form;
  const fields = (form.body ?? []).filter(({ type }) => type !== "markdown");

  it("has what GitHub asks of a form", () => {
    expect(form.name).toBeTruthy();
    expect(form.description).toBeTruthy();
    expect(fields.length).toBeGreaterThan(2);
    for (const { type, id, attributes } of fields) {
      expect(["input", "textarea", "dropdown", "checkboxes"]).toContain(type);
      expect(id).toMatch(/^[a-z-]+$/);
      expect(attributes?.label).toBeTruthy();
      expect(attributes?.options !== undefined).toBe(["dropdown", "checkboxes"].includes(type));
    }
    const ids = fields.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("asks for the money", () => {
    expect(fields.map(({ id }) => id)).toContain("money");
  });
});

it("every way to an issue is a form; weaknesses are reported in private", () => {
  expect(readdirSync(join(ROOT, FOLDER)).sort()).toEqual(["bug.yml", "config.yml", "feature.yml"]);
  expect(yamlOf(`${FOLDER}/config.yml`)).toMatchObject({
    blank_issues_enabled: false,
    contact_links: [{ url: expect.stringMatching(/\/security\/advisories\/new$/) as string }],
  });
});

it("dependabot updates packages and actions once a week, in groups", () => {
  const { version, updates } = yamlOf(".github/dependabot.yml") as {
    version: number;
    updates: { "package-ecosystem": string; schedule: { interval: string }; groups: object }[];
  };
  expect(version).toBe(2);
  expect(updates.map((each) => each["package-ecosystem"])).toEqual(["npm", "github-actions"]);
  for (const { schedule, groups } of updates) {
    expect(schedule.interval).toBe("weekly");
    expect(Object.keys(groups).length).toBeGreaterThan(0);
  }
});

describe("CODEOWNERS", () => {
  const lines = read(".github/CODEOWNERS")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.split(/\s+/));
  /** As GitHub: the last line that matches. */
  const ownersOf = (path: string): string[] =>
    lines
      .findLast(([pattern = ""]) => pattern === "*" || `/${path}`.startsWith(pattern))
      ?.slice(1) ?? [];

  it("names paths that are there, each with a team", () => {
    for (const [pattern = "", ...owners] of lines) {
      expect(pattern === "*" || existsSync(join(ROOT, pattern)), pattern).toBe(true);
      expect(owners.length, pattern).toBeGreaterThan(0);
      for (const owner of owners) expect(owner).toMatch(/^@your-org\/[a-z]+$/);
    }
  });

  it.each([
    "lib/payouts/pay/index.ts",
    "jobs/registry.ts",
    "prisma/roles.sql",
    ".github/workflows/ci.yml",
    ".github/CODEOWNERS",
    "package-lock.json",
  ])("gives %s to those who answer for payments", (path) => {
    expect(existsSync(join(ROOT, path))).toBe(true);
    expect(ownersOf(path)).toEqual(["@your-org/payments"]);
  });

  it("gives the rest to everybody else", () => {
    expect(ownersOf("docs/tax.md")).toEqual(["@your-org/engineering"]);
  });
});
