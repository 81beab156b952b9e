import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { jobs } from "../../jobs/registry.ts";
import { FINDING_KINDS } from "../../lib/findings/index.ts";
import { HARNESS_RUNBOOKS } from "../../lib/job/settle/runbooks.ts";
import { DOCUMENTED_REASONS, REASON_RULES, stepOf } from "../../lib/provider/index.ts";

/** As GitHub makes it of a heading. */
const anchorOf = (title: string): string =>
  title
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");

/** What the table of a page lists as reasons; what every job may say in the end leads to "A run is red". */
async function reasonsOf(job: string): Promise<string[]> {
  const text = await page(`docs/jobs/${job.split("/")[1] ?? ""}.md`);
  const section = text.split("## When it is red").slice(1).join("\n").split("\n## ")[0] ?? "";
  return [...section.matchAll(/^\| (`[^|]+`)/gm)]
    .flatMap(([, cell = ""]) => [...cell.matchAll(/`([a-z-]+)`/g)].map(([, code = ""]) => code))
    .filter((code) => !["cancelled", "conflict", "not-found", "unexpected-error"].includes(code));
}

const page = (path: string): Promise<string> =>
  readFile(new URL(`../../${path}`, import.meta.url), "utf8");

it("there is a runbook for every kind of finding, and for no other", async () => {
  const runbooks = await page("docs/runbooks.md");
  const findings = runbooks.split("## A finding is open")[1]?.split("\n## ")[0] ?? "";
  const titles = [...findings.matchAll(/^### (.+)$/gm)].map(([, title]) => title ?? "");
  const named = titles.flatMap((title) =>
    [...title.matchAll(/`([a-z-]+)`/g)].map(([, kind]) => kind ?? ""),
  );
  expect(named.sort()).toEqual([...FINDING_KINDS].sort());
});

it("the sections that a red run leads to are there, and every reason of a page leads to one", async () => {
  const runbooks = await page("docs/runbooks.md");
  const anchors = [...runbooks.matchAll(/^#+ (.+)$/gm)].map(([, title = ""]) => anchorOf(title));
  const unknown: string[] = [];
  for (const { name, runbooks = {} } of jobs) {
    const sections: Record<string, string> = { ...runbooks, ...HARNESS_RUNBOOKS };
    for (const [reason, anchor] of Object.entries(sections)) {
      expect(anchors, `${name}: ${reason}`).toContain(anchor);
    }
    for (const reason of await reasonsOf(name)) {
      if (sections[reason] === undefined) unknown.push(`${name}: ${reason}`);
    }
  }
  expect(unknown).toEqual([]);
});

it("no job declares a runbook for a reason of the harness", () => {
  const own = new Set(Object.keys(HARNESS_RUNBOOKS));
  const declared = jobs.flatMap(({ runbooks = {} }) => Object.keys(runbooks));
  expect(declared.filter((reason) => own.has(reason))).toEqual([]);
});

it("what the reasons of the provider mean is what the table of rules says", async () => {
  const runbooks = await page("docs/runbooks.md");
  const section = runbooks.split("### What a reason of the provider means")[1]?.split("\n### ")[0];
  const rows = [...(section ?? "").matchAll(/^\| `([a-z_]+)`.+$/gm)].map(([line]) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll("`", "")),
  );
  expect(rows).toEqual(
    DOCUMENTED_REASONS.map((reason) => {
      const rule = REASON_RULES[reason];
      return [reason, rule.state, rule.action, rule.means, stepOf(rule)];
    }),
  );
});

it.each(jobs.map(({ name }) => name))(
  "the README and a page of its own tell of %s",
  async (name) => {
    const file = `docs/jobs/${name.split("/")[1] ?? ""}.md`;
    expect(await page("README.md")).toContain(`[${name}](${file})`);
    const text = await page(file);
    expect(text).toContain(`# ${name}\n`);
    expect(text).toContain("## When it is red");
    expect(text).toContain("## Outputs");
  },
);
