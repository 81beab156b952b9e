import { describe, expect, it } from "vitest";
import { blocksOf, commandsOf, isShell, pages } from "./commands/blocks.ts";
import { LISTED } from "./commands/listed.ts";
import { PAGE_TIMEOUT_MS, runPage } from "./commands/run-page.ts";

const withCommands = pages().filter(
  (page) => !page.startsWith("docs/jobs/") && blocksOf(page).some(isShell),
);

it.each(withCommands)(
  "every command of %s does what it says",
  async (page) => {
    const results = await runPage(page);
    expect(results.length).toBeGreaterThan(0);
    expect(results.flatMap(({ at, problems }) => problems.map((each) => `${at}\n${each}`))).toEqual(
      [],
    );
  },
  PAGE_TIMEOUT_MS,
);

describe("the list of what is not executed", () => {
  it("says why of each, and has none that no page uses", () => {
    const commands = pages().flatMap((page) => blocksOf(page).filter(isShell).flatMap(commandsOf));
    for (const { name, why, matches } of LISTED) {
      expect(why, name).not.toBe("");
      expect(
        commands.some((command) => matches.test(command)),
        name,
      ).toBe(true);
    }
  });
});

it("whatever looks like a command stands in a block that is marked as shell", () => {
  const hidden = pages().flatMap((page) =>
    blocksOf(page)
      .filter((block) => !isShell(block))
      .filter(({ text }) => /^\s*(\$ |npm |npx |gh |git |node |curl |psql |export )/m.test(text))
      .map(({ line }) => `${page}:${line}`),
  );
  expect(hidden).toEqual([]);
});
