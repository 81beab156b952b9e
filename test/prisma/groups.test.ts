import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, it, onTestFinished } from "vitest";
import type { Group } from "../../scripts/cli/schema/roles.ts";
import { csv, defaultColumns, row } from "../lib/earnings/builders.ts";
import { createPayoutCycle, type PayoutCycle } from "../support/payout-cycle.ts";
import { createLogins, type Logins } from "../support/roles.ts";
import { runScript, type ScriptResult } from "../support/run-script.ts";

const PEOPLE = ["afterhours_payees", "afterhours_approvers", "afterhours_tax"] as const;
type People = (typeof PEOPLE)[number];

const REASON = ["--reason", "as agreed"];
const SECTION = "393(1) Table Sl. No. 8(v)";

let folder: string;
let earnings: string;
let otherAccount: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "groups-"));
  earnings = join(folder, "earnings.csv");
  const columns = [...defaultColumns, "likely_to_exceed"] as const;
  writeFileSync(earnings, csv([row({ consultant: "N-1", likely_to_exceed: "yes" })], columns));
  otherAccount = join(folder, "account.csv");
  const account = { ifsc: "SBIN0002655", account_number: "30123456789", booking_reference: "BK-2" };
  writeFileSync(otherAccount, csv([row({ consultant: "N-1", ...account })]));
  return () => rmSync(folder, { recursive: true });
});

interface Command {
  /** Whose command it is. */
  group: People;
  /** Can be done by whoever imports as well, since a file may say the same. */
  alsoInFiles?: boolean;
  file: string;
  /** Of the payout of C-1, which waits. */
  args: (payoutId: string) => string[];
  /** Refused by a rule of the command itself, once it was let in. Default: it is done. */
  refused?: string;
}

/** Every command that needs one of the groups, in an order in which each of them can be done. */
const COMMANDS: readonly Command[] = [
  { group: "afterhours_payees", file: "import-earnings", args: () => [earnings] },
  {
    group: "afterhours_payees",
    file: "import-earnings",
    args: () => [otherAccount, "--update-accounts"],
  },
  {
    group: "afterhours_payees",
    file: "payouts",
    args: () => ["mail-address", "C-1", "asha@payees.example"],
  },
  {
    group: "afterhours_approvers",
    file: "payouts",
    args: () => ["hold", "C-1", "--kind", "manual", ...REASON],
  },
  { group: "afterhours_approvers", file: "payouts", args: () => ["release", "C-1", ...REASON] },
  { group: "afterhours_approvers", file: "payouts", args: (id) => ["approve", id] },
  {
    group: "afterhours_approvers",
    file: "payouts",
    args: (id) => ["retry", id],
    refused: "not FAILED",
  },
  { group: "afterhours_approvers", file: "payouts", args: (id) => ["reject", id, ...REASON] },
  {
    group: "afterhours_approvers",
    file: "payouts",
    args: () => ["organization", "C-1", "--ref", "acme", "--name", "Acme"],
  },
  {
    group: "afterhours_tax",
    alsoInFiles: true,
    file: "tds",
    args: () => [
      ...["relief", "add", "--payee", "C-1", "--from", "2024-04-01", "--to", "2025-07-31"],
      ...REASON,
    ],
  },
  {
    group: "afterhours_tax",
    alsoInFiles: true,
    file: "tds",
    args: () => [
      ...["certificate", "add", "--payee", "C-1", "--number", "1234AB567C", "--rate", "0.05"],
      ...["--from", "2026-04-01", "--to", "2027-03-31", "--ceiling", "2000000"],
    ],
  },
  {
    group: "afterhours_tax",
    file: "tds",
    args: () => [
      ...["certificate", "end", "--payee", "C-1", "--number", "1234AB567C", "--on", "2026-12-31"],
      ...REASON,
    ],
  },
  {
    group: "afterhours_tax",
    alsoInFiles: true,
    file: "tds",
    args: () => ["likely", "add", "--payee", "C-1"],
  },
  {
    group: "afterhours_tax",
    file: "tds",
    args: () => [
      ...[
        "deposit",
        "--month",
        "2026-11",
        "--section",
        SECTION,
        "--code",
        "1035",
        "--amount",
        "1.00",
      ],
      ...["--challan", "0510308-2026-11-20-00042", "--on", "2026-11-20"],
    ],
  },
];

interface Given {
  cycle: PayoutCycle;
  payoutId: string;
  logins: Logins;
}

/** A payout that waits for approval. */
async function given(): Promise<Given> {
  const cycle = await createPayoutCycle();
  await cycle.earning(await cycle.consultant("C-1"), { gross: 900_000n, fee: 1n });
  // Relief is for a PAN that was inoperative.
  await cycle.query("UPDATE tax_profiles SET pan_status = 'inoperative'");
  await cycle.batch();
  const [payout] = await cycle.query<{ id: string }>("SELECT id FROM payouts");
  const logins = await createLogins(cycle);
  onTestFinished(() => logins.drop());
  return { cycle, payoutId: payout?.id ?? "", logins };
}

async function run(
  { logins, payoutId }: Given,
  group: Group,
  command: Command,
): Promise<ScriptResult> {
  const { url } = await logins.login(group);
  return runScript(`scripts/cli/${command.file}.ts`, {
    args: command.args(payoutId),
    env: { DATABASE_URL: url, USER: "asha" },
  });
}

function expectDone({ exitCode, stdout, stderr }: ScriptResult, { refused }: Command): void {
  expect(stdout + stderr).not.toContain("permission denied");
  if (refused === undefined)
    expect([exitCode, stderr.replace(/^(?!error).*$/gm, "").trim()]).toEqual([0, ""]);
  else expect(stdout + stderr).toContain(refused);
}

it.each([...PEOPLE, "afterhours_operators"] as const)(
  "%s can do all that its commands do, and none of the others' commands",
  async (group) => {
    const world = await given();
    for (const command of COMMANDS) {
      const isInFiles = command.alsoInFiles === true && group === "afterhours_payees";
      if (group === "afterhours_operators" || command.group === group || isInFiles) {
        expectDone(await run(world, group, command), command);
      } else {
        const end = await run(world, group, command);
        const of = `${group}: ${command.file} ${command.args("ID").join(" ")}`;
        expect([of, end.exitCode, end.stderr.includes("permission denied for table")]).toEqual([
          of,
          1,
          true,
        ]);
        expect(end.stderr).toContain(command.group);
      }
    }
    const logins = await world.cycle.query(
      "SELECT DISTINCT login FROM audit_log WHERE actor = 'asha'",
    );
    expect(logins).toEqual([{ login: (await world.logins.login(group)).name }]);
  },
);

it("to import and approve at once takes both groups", async () => {
  const world = await given();
  const command: Command = {
    group: "afterhours_payees",
    file: "import-earnings",
    args: () => [earnings, "--approve"],
  };
  expect((await run(world, "afterhours_payees", command)).stderr).toContain("permission denied");
  expectDone(await run(world, "afterhours_operators", command), command);
});
