import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { configurationTable } from "../workflows/configuration-table.ts";
import { ROOT } from "../workflows/files.ts";

it("the page on GitHub Actions lists what each job needs", () => {
  const page = readFileSync(join(ROOT, "docs/github-actions.md"), "utf8");
  const rows = [...page.matchAll(/^\| ([a-z-]+\/[a-z-]+) +\|(.*)\|$/gm)].map(
    ([, job = "", rest = ""]) => [job, ...rest.split("|").map((cell) => cell.trim())],
  );
  expect(rows).toEqual(configurationTable());
});
