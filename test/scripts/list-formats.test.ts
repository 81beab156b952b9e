import { readFileSync } from "node:fs";
import { parse } from "csv-parse/sync";
import { describe, expect, it } from "vitest";
import { FINDING_KINDS } from "../../lib/findings/index.ts";
import { seedUser } from "../../scripts/dev/seed/bookings.ts";
import { seedMail } from "../support/mail.ts";
import { seedRun } from "../support/ops.ts";
import { createPayoutCycle } from "../support/payout-cycle.ts";
import { runScript, type ScriptResult } from "../support/run-script.ts";

/** A command that shows many of a kind: its file, and its words before the options. */
interface ListCommand {
  file: string;
  words: readonly string[];
}

/** `list` of every group of every command, and lists by another name. */
const LISTS = new Set(["list", "history", "waiting", "debts"]);

/** The lists that `everything` has rows for. */
const SEEDED = new Set([
  "scripts/cli/findings.ts list",
  "scripts/cli/jobs.ts history",
  "scripts/cli/jobs.ts list",
  "scripts/cli/mails.ts list",
  "scripts/cli/payouts.ts list",
  "scripts/cli/tds.ts certificate list",
  "scripts/cli/tds.ts likely list",
  "scripts/cli/tds.ts relief list",
]);

const files = Object.values(
  (JSON.parse(readFileSync("package.json", "utf8")) as { scripts: Record<string, string> }).scripts,
)
  .map((script) => /scripts\/cli\/[a-z-]+\.ts/.exec(script)?.[0])
  .filter((file) => file !== undefined);

async function listsOf(file: string, words: readonly string[] = []): Promise<ListCommand[]> {
  const help = await runScript(file, { args: [...words, "--help"] });
  const [, commands = ""] = help.stdout.split("Commands:\n");
  const found = await Promise.all(
    [...commands.matchAll(/^ {2}([a-z][a-z-]*)(.*)$/gm)].map(async ([, name = "", rest = ""]) => {
      if (LISTS.has(name)) return [{ file, words: [...words, name] }];
      // A group has neither options nor arguments of its own.
      return /^ +[[<]/.test(rest) || name === "help" ? [] : listsOf(file, [...words, name]);
    }),
  );
  return found.flat();
}

/** What a cell holds of a value in JSON: docs/commands.md says the same in words. */
function cellOf(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "string") return guarded(value);
  if (Array.isArray(value) && value.every((item) => typeof item === "string"))
    return guarded(value.join("; "));
  return JSON.stringify(value);
}

function guarded(text: string): string {
  return /^[=+\-@\t\r]/.test(text) && !/^-\d+(\.\d+)?$/.test(text) ? `'${text}` : text;
}

type Row = Record<string, unknown>;

/** A database with something in every list, and texts that a spreadsheet would calculate. */
async function everything(): Promise<string> {
  const cycle = await createPayoutCycle();
  for (const ref of ["C-1", '=HYPERLINK("http://127.0.0.1")', "+C,3\nof two lines", "-4"])
    await cycle.earning(await cycle.consultant(ref), {});
  await cycle.batch();
  await cycle.query(
    `INSERT INTO findings (kind, severity, subject_type, subject_id, details)
     VALUES ($1, 'critical', 'payout', '@SUM(A1)', $2), ($1, 'warning', 'payout', 'p-2', '{}')`,
    [FINDING_KINDS[0], { differencePaise: "-1250", ids: ["pout_1", "pout_2"] }],
  );
  await seedMail(cycle, { userId: await seedUser(cycle, { name: "Asha" }) });
  await seedRun(cycle, { report: { paid: 2, paidPaise: "1250" } });
  await cycle.query("UPDATE tax_profiles SET likely_to_exceed = true, pan_status = 'inoperative'");
  await cycle.query("UPDATE tax_profiles SET pan_status = 'valid' WHERE pan = 'ZZZPE0001A'");
  const certificate = [
    ...["certificate", "add", "--payee", "C-1", "--number", "ABCDE12345", "--rate", "0.05"],
    ...["--from", "2026-04-01", "--to", "2027-03-31", "--ceiling", "100000"],
  ];
  const env = { DATABASE_URL: cycle.url, USER: "asha" };
  const added = await runScript("scripts/cli/tds.ts", { args: certificate, env });
  expect(added, added.stderr).toMatchObject({ exitCode: 0 });
  return cycle.url;
}

describe("every command that lists", () => {
  it("offers --csv with the rows of --json, and refuses both together", async () => {
    const lists = (await Promise.all(files.map((file) => listsOf(file)))).flat();
    const names = lists.map(({ words, file }) => `${file} ${words.join(" ")}`).sort();
    expect(names).toEqual(expect.arrayContaining([...SEEDED]));
    const url = await everything();
    for (const { file, words } of lists) {
      const name = `${file} ${words.join(" ")}`;
      const run = (...flags: string[]): Promise<ScriptResult> =>
        runScript(file, { args: [...words, ...flags], env: { DATABASE_URL: url } });
      const [json, csv, both] = await Promise.all([
        run("--json"),
        run("--csv"),
        run("--json", "--csv"),
      ]);
      expect(csv.exitCode, `${name} --csv: ${csv.stderr}`).toBe(0);
      expect(json.exitCode, `${name} --json: ${json.stderr}`).toBe(0);
      expect(both, name).toMatchObject({ exitCode: 2, stdout: "" });
      expect(both.stderr, name).toContain("cannot be used with");

      const rows = JSON.parse(json.stdout) as Row[];
      const records = parse<Row>(csv.stdout, { columns: true, record_delimiter: "\r\n" });
      const shown = rows.map((row) =>
        Object.fromEntries(Object.entries(row).map(([field, value]) => [field, cellOf(value)])),
      );
      expect(records, name).toEqual(shown);
      expect(csv.stdout.split("\r\n")[0], name).toMatch(/^[A-Za-z]+(,[A-Za-z]+)*$/);
      if (SEEDED.has(name)) expect(rows.length, name).toBeGreaterThan(0);
    }
  });

  it("has its line of names without any row, and no cell that begins a formula", async () => {
    const cycle = await createPayoutCycle();
    const env = { DATABASE_URL: cycle.url };
    const none = await runScript("scripts/cli/payouts.ts", { args: ["list", "--csv"], env });
    expect(none).toMatchObject({ exitCode: 0, stderr: "" });
    expect(none.stdout).toMatch(/^id,consultantRef,organizationRef,status,currency,.*holds\r\n$/);

    const full = await runScript("scripts/cli/payouts.ts", {
      args: ["list", "--csv"],
      env: { DATABASE_URL: await everything() },
    });
    const cells = parse(full.stdout).flat();
    expect(cells).toContain("850.00");
    expect(cells).toContain(`'=HYPERLINK("http://127.0.0.1")`);
    expect(cells.filter((cell) => /^[=+@\t\r]/.test(cell))).toEqual([]);
  });
});
