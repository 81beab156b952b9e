import { expect, it, onTestFinished } from "vitest";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { runScript, type ScriptResult } from "../support/run-script.ts";

const FIRST = "aaaa0000-0000-4000-8000-000000000001";
const SECOND = "aaaa0000-0000-4000-8000-000000000002";

async function given(): Promise<{
  database: TestDatabase;
  findings: (...args: string[]) => Promise<ScriptResult>;
}> {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  await database.query(
    `INSERT INTO findings (id, kind, severity, subject_type, subject_id, details) VALUES
       ($1, 'several-live-payouts', 'critical', 'payout', 'p-1', $3),
       ($2, 'late', 'warning', 'payout', 'p-2', '{}')`,
    [FIRST, SECOND, { said: "\u001b[2Jgone\nto 912345678901", providerPayoutIds: ["pout_1"] }],
  );
  const env = { DATABASE_URL: database.url, USER: "asha" };
  return { database, findings: (...args) => runScript("scripts/cli/findings.ts", { args, env }) };
}

it("lists, shows, resolves with a reason, and lists what is left", async () => {
  const { database, findings } = await given();

  const list = await findings("list");
  expect(list).toMatchObject({ exitCode: 0, stderr: "" });
  const [head, first, second] = list.stdout.split("\n");
  expect(head).toMatch(/^Finding +Severity +Kind +About /);
  expect(first).toMatch(new RegExp(`^${FIRST} +critical +several-live-payouts +payout p-1 `));
  expect(second).toMatch(new RegExp(`^${SECOND} +warning +late `));
  expect(
    JSON.parse((await findings("list", "--json", "--severity", "warning")).stdout),
  ).toMatchObject([{ id: SECOND, resolvedAt: null }]);

  const show = await findings("show", FIRST);
  expect(show.exitCode).toBe(0);
  expect(show.stdout).toMatch(/ Said +\[2Jgone to \[redacted\]\n/);
  expect(show.stdout).not.toContain("\u001b");

  const args = ["resolve", FIRST, "--reason", "cancelled one at the provider"];
  expect(await findings(...args)).toMatchObject({
    exitCode: 0,
    stdout: `resolved  ${FIRST}  several-live-payouts\n`,
  });
  const late = await findings(...args, "--by", "Binu");
  expect(late.exitCode).toBe(1);
  expect(late.stdout).toMatch(
    new RegExp(
      `^not resolved {2}${FIRST} {2}resolved already by asha on .* IST: cancelled one at the provider\n$`,
    ),
  );
  expect((await findings("list", "--kind", "several-live-payouts")).stdout).toBe("No findings.\n");
  expect((await findings("list", "--all")).stdout).toContain(" asha\n");
  expect(await database.query("SELECT actor FROM audit_log")).toEqual([{ actor: "asha" }]);
});

it("refuses what it can not know, and changes nothing", async () => {
  const { database, findings } = await given();
  for (const [args, exitCode, message] of [
    [["show", "bbbb"], 1, "there is no finding bbbb"],
    [["resolve", "aaaa", "--reason", "x"], 1, "several findings begin with aaaa"],
    [["resolve", FIRST, "--reason", " "], 2, "expected 1 to 500 characters"],
    [["show", "a%"], 2, "expected a finding's id"],
  ] as const) {
    const result = await findings(...args);
    expect([args, result.exitCode]).toEqual([args, exitCode]);
    expect(result.stderr).toContain(message);
  }
  expect(await database.query("SELECT 1 FROM findings WHERE resolved_at IS NOT NULL")).toEqual([]);
});

it("refuses a kind that there is not, which would look like nothing to do", async () => {
  const { findings } = await given();
  const answer = await findings("list", "--kind", "several-live-payout");
  expect(answer).toMatchObject({ exitCode: 2, stdout: "" });
  expect(answer.stderr).toContain("several-live-payouts");
});
