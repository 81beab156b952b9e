import { expect, it } from "vitest";
import { pages } from "./commands/blocks.ts";
import { runPage } from "./commands/run-page.ts";

const ofJobs = pages().filter((page) => page.startsWith("docs/jobs/"));

it.each(ofJobs)("every command of %s does what it says", async (page) => {
  const results = await runPage(page);
  expect(results.length).toBeGreaterThan(0);
  expect(results.flatMap(({ at, problems }) => problems.map((each) => `${at}\n${each}`))).toEqual(
    [],
  );
});
