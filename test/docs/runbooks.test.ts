import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { jobs } from "../../jobs/registry.ts";
import { FINDING_KINDS } from "../../lib/findings/index.ts";

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
