import { expect, it } from "vitest";
import { CHECKS as CHECKS_OF_RECORDS } from "../../lib/checks/all.ts";
import { CHECKS } from "../../lib/ledger/reconcile/checks.ts";
import { pages, readPage } from "./commands/blocks.ts";
import { PAGE_TIMEOUT_MS, runPage, type CommandResult } from "./commands/run-page.ts";

const ofJobs = pages().filter((page) => page.startsWith("docs/jobs/"));

it.each(ofJobs)(
  "every command of %s does what it says, and the run what the page says",
  async (page) => {
    const results = await runPage(page);
    expect(results.length).toBeGreaterThan(0);
    expect(results.flatMap(({ at, problems }) => problems.map((each) => `${at}\n${each}`))).toEqual(
      [],
    );
    const runs = results.flatMap(({ run }) => run ?? []);
    expect(runs.length).toBeGreaterThan(0);
    expectOutputs(page, runs);
    expectChanges(page, runs);
  },
  PAGE_TIMEOUT_MS,
);

type Run = NonNullable<CommandResult["run"]>;

/** Those of every job are told of once. */
const OF_EVERY_JOB = ["outcome", "reason", "success", "dry_run", "run_id"];

function expectOutputs(page: string, runs: readonly Run[]): void {
  const section = sectionOf(page, "Outputs");
  const told = new Set([...section.matchAll(/`([a-z_]+)`/g)].map(([, name = ""]) => name));
  if (/one count for each check/.test(section)) {
    for (const { code } of CHECKS) told.add(code.toLowerCase());
    for (const { name } of CHECKS_OF_RECORDS) told.add(name.replaceAll("-", "_"));
    told.add("provider_cash_drift").add("tax_differs");
  }
  const given = new Set(runs.flatMap(({ outputs }) => outputs));
  for (const name of OF_EVERY_JOB) {
    expect(given, name).toContain(name);
    given.delete(name);
    told.delete(name);
  }
  expect({ outputs: [...given].sort() }).toEqual({ outputs: [...told].sort() });
}

/** What a run did change is named; whether it could change more is for the page to say. */
function expectChanges(page: string, runs: readonly Run[]): void {
  const section = sectionOf(page, "What it may change");
  const ledger = /\bledger\b/.test(section)
    ? ["ledger_accounts", "ledger_transactions", "ledger_entries"]
    : [];
  const told = new Set([
    ...[...section.matchAll(/`([a-z_]+)`/g)].map(([, name = ""]) => name),
    ...ledger,
  ]);
  const changed = [...new Set(runs.flatMap((run) => run.changed))];
  expect(changed.filter((table) => !told.has(table))).toEqual([]);
}

function sectionOf(page: string, title: string): string {
  const section = readPage(page).split(`\n## ${title}\n`)[1]?.split("\n## ")[0];
  if (section === undefined) throw new Error(`${page} has no section "${title}"`);
  return section;
}
