import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { jobs } from "../../jobs/registry.ts";
import { HARNESS_RUNBOOKS } from "../../lib/job/settle/runbooks.ts";
import { jobPage, withFacts } from "../../scripts/dev/docs/job-facts.ts";
import { readPage, ROOT } from "./commands/blocks.ts";

/** It names reasons, and gives none. */
const A_TABLE_OF_RUNBOOKS = /_RUNBOOKS\b[^{]*\{[^}]*\}/g;

describe.each(jobs.map((job) => [job.name, job] as const))("the page of %s", (name, job) => {
  const page = readPage(jobPage(job));

  it("has the schedule, lock, flags and variables of the job: npm run docs:generate", async () => {
    expect(page).toBe(await withFacts(page, job));
  });

  it("shows a dry run and a real one, and says what it may change, its outputs and its reasons", () => {
    expect(page).toContain(`npx tsx jobs/${name}.ts`);
    expect(page).toMatch(new RegExp(`npx tsx jobs/${name}\\.ts .*--dry-run`));
    for (const title of ["What it may change", "Outputs", "When it is red"]) {
      expect(page.split(`\n## ${title}\n`)).toHaveLength(2);
    }
  });

  it("names no reason that the code has not", () => {
    const unknown = reasonsOf(page).filter((reason) => !literals.has(reason));
    expect(unknown).toEqual([]);
  });
});

it("every reason that has a runbook is told of on a page", () => {
  const told = new Set(jobs.flatMap((job) => reasonsOf(readPage(jobPage(job)))));
  const declared = [HARNESS_RUNBOOKS, ...jobs.map(({ runbooks = {} }) => runbooks)];
  const reasons = declared.flatMap((runbooks) => Object.keys(runbooks));
  expect(reasons.filter((reason) => !told.has(reason) && !isOfEveryRun(reason))).toEqual([]);
});

it("every reason with which a core can end has a runbook, or stands on the page of its job", () => {
  const told = new Set(jobs.flatMap((job) => reasonsOf(readPage(jobPage(job)))));
  const ends = sources().flatMap((text) =>
    [
      ...text.matchAll(/kind: "(?:partial|failed)",\s+(?:reason|code): "([a-z-]+)"/g),
      ...text.matchAll(/\bfailed\(\{\s+code: "([a-z-]+)"/g),
    ].map(([, reason = ""]) => reason),
  );
  expect(ends.length).toBeGreaterThan(8);
  expect(ends.filter((reason) => !told.has(reason))).toEqual([]);
});

/** Told in the section of the runbooks that all red runs share. */
const isOfEveryRun = (reason: string): boolean => HARNESS_RUNBOOKS[reason] === "a-run-is-red";

/** The codes in the first column of the tables of "When it is red", and of "How it ends". */
function reasonsOf(page: string): string[] {
  const sections = ["When it is red", "How it ends"].map(
    (title) => page.split(`\n## ${title}\n`)[1]?.split("\n## ")[0] ?? "",
  );
  return [...sections.join("\n").matchAll(/^\| (`[^|]+)\|/gm)].flatMap(([, cell = ""]) =>
    [...cell.matchAll(/`([a-z]+(?:-[a-z]+)*)`/g)]
      .map(([, code = ""]) => code)
      .filter((code) => code !== "result"),
  );
}

/** Every text of the code that could be a reason; the code of an error becomes one in small letters. */
const literals = new Set(
  sources().flatMap((text) =>
    [...text.matchAll(/"([a-z]+(?:-[a-z]+)*|[A-Z]+(?:_[A-Z]+)*)"/g)].map(([, code = ""]) =>
      code.toLowerCase().replaceAll("_", "-"),
    ),
  ),
);

function sources(): string[] {
  return readdirSync(join(ROOT, "lib"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.includes("generated"))
    .map((name) => readFileSync(join(ROOT, "lib", name), "utf8").replace(A_TABLE_OF_RUNBOOKS, ""));
}
