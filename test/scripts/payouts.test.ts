import { describe, expect, it } from "vitest";
import { createPayoutCycle, type EarningSpec, type PayoutCycle } from "../support/payout-cycle.ts";
import { runScript, type ScriptResult } from "../support/run-script.ts";

const NOBODY = "8c1f0b9e-2d34-4a55-9f10-3b1d7c6e5a42";
const nowhere = "postgres://finance:open-sesame@127.0.0.1:9/books";
const large: EarningSpec = { gross: 900_000n, fee: 1n };

/** Runs the command as `npm run payouts --` does, as a user called asha. */
function payouts(
  args: string[],
  { url = nowhere, ...env }: { url?: string } & Record<string, string> = {},
): Promise<ScriptResult> {
  return runScript("scripts/cli/payouts.ts", {
    args,
    env: { DATABASE_URL: url, USER: "asha", ...env },
  });
}

/** One payout for each consultant, named by the amounts of their earnings. */
async function given(specs: EarningSpec[]): Promise<{
  cycle: PayoutCycle;
  ids: string[];
  on: (...args: string[]) => Promise<ScriptResult>;
}> {
  const cycle = await createPayoutCycle();
  for (const [index, spec] of specs.entries()) {
    await cycle.earning(await cycle.consultant(`C-${index + 1}`), spec);
  }
  await cycle.batch();
  const rows = await cycle.query<{ id: string }>(
    `SELECT p.id FROM payouts p JOIN consultants c ON c.id = p.consultant_id ORDER BY c.external_ref`,
  );
  const on = (...args: string[]): Promise<ScriptResult> => payouts(args, { url: cycle.url });
  return { cycle, ids: rows.map(({ id }) => id), on };
}

describe("payouts", () => {
  it("lists as a table and as JSON, in rupees", async () => {
    const { ids, on } = await given([{}, { gross: 12_345_678n, fee: 1n }]);

    const table = await on("list");
    expect(table).toMatchObject({ exitCode: 0, stderr: "" });
    expect(table.stdout).toMatch(/^Payout +Consultant +Status +Owed /);
    expect(table.stdout).toMatch(new RegExp(`${ids[1]} +C-2 +PENDING +₹1,23,456\\.77 `));

    const json = await on("list", "--json", "--status", "pending", "--consultant", "C-2");
    expect(JSON.parse(json.stdout)).toMatchObject([
      {
        id: ids[1],
        consultantRef: "C-2",
        status: "PENDING",
        amountRupees: "123456.77",
        taxRupees: null,
      },
    ]);

    expect(table.stdout.split("\n")).toContain(
      "2 payouts for 2 sales, ₹1,24,306.77 owed before tax",
    );

    const first = await on("list", "--limit", "1");
    const [list = "", money = ""] = first.stdout.split("\n\n");
    expect(list.split("\n")).toHaveLength(3);
    expect(money).toMatch(/^Money at the provider\n/);
    expect(first.stderr).toBe("There are more than 1; use --limit.\n");
    expect((await on("list", "--status", "REVERSED")).stdout).toBe("No payouts.\n");
    expect(await on("list", "--consultant", "C-9")).toMatchObject({
      exitCode: 1,
      stderr: "error: there is no consultant C-9\n",
    });
  });

  it("shows everything about a payout and nothing private", async () => {
    const { cycle, ids, on } = await given([{}]);
    const [id = ""] = ids;
    await cycle.fail(id);
    await on(
      "retry",
      id,
      "--reason",
      "new account 912345678901, ask asha@demobank",
      "--by",
      "Asha",
    );

    for (const args of [
      ["show", id],
      ["show", id, "--json"],
    ]) {
      const { exitCode, stdout, stderr } = await on(...args);
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
      expect(stdout).toContain("bank_account_invalid");
      expect(stdout).toContain("REFUSED");
      expect(stdout).toContain("retried");
      if (!args.includes("--json")) expect(stdout).not.toMatch(/RESERVED/);
      expect(stdout).toContain("new account [redacted], ask [redacted]");
      expect(stdout).not.toMatch(/9123456|demobank|Asha Example/);
    }
    const { stdout } = await on("show", id, "--json");
    expect(JSON.parse(stdout)).toMatchObject({
      amountRupees: "850.00",
      audit: [{}, { actor: "Asha" }],
    });
    expect(await on("show", NOBODY)).toMatchObject({
      exitCode: 1,
      stderr: `error: there is no payout ${NOBODY}\n`,
    });
  });

  it("approves several, one line and one transaction each, and ends with 1 if any was not done", async () => {
    const { cycle, ids, on } = await given([large, {}, large]);
    const [first = "", second = "", third = ""] = ids;

    const { exitCode, stdout } = await on("approve", first, second, NOBODY, third, first);

    expect(exitCode).toBe(1);
    const lines = stdout.trimEnd().split("\n");
    expect(lines).toHaveLength(4);
    expect(lines[0]).toBe(`approved  ${first}  C-1  ₹8,999.99`);
    expect(lines[1]).toMatch(
      new RegExp(
        `^not approved  ${second}  IS_APPROVED: it is APPROVED, not PENDING; created-approved by job:`,
      ),
    );
    expect(lines[2]).toContain(
      `not approved  ${NOBODY}  UNKNOWN_PAYOUT: there is no payout ${NOBODY}`,
    );
    expect(lines[3]).toBe(`approved  ${third}  C-3  ₹8,999.99`);
    expect(
      await cycle.query(
        "SELECT actor, subject_id FROM audit_log WHERE action = 'approved' ORDER BY id",
      ),
    ).toEqual([
      { actor: "asha", subject_id: first },
      { actor: "asha", subject_id: third },
    ]);
  });

  it("lets one of two processes approve and tells the other", async () => {
    const { ids, on } = await given([large]);
    const [id = ""] = ids;

    const runs = await Promise.all([
      on("approve", id, "--by", "Asha"),
      on("approve", id, "--by", "Binu"),
    ]);

    expect(runs.map(({ exitCode }) => exitCode).sort()).toEqual([0, 1]);
    const lost = runs.find(({ exitCode }) => exitCode === 1);
    expect(lost?.stdout).toMatch(
      /not approved .* it is APPROVED, not PENDING; approved by (Asha|Binu) on /,
    );
  });

  it("rejects with a reason, and tries again only what failed for certain", async () => {
    const { cycle, ids, on } = await given([{}, {}, {}]);
    const [failed = "", unknown = "", approved = ""] = ids;
    await cycle.fail(failed);
    await cycle.attempt(unknown, "UNKNOWN");

    const retried = await on("retry", failed, unknown);
    expect(retried.exitCode).toBe(1);
    expect(retried.stdout).toContain(`retried  ${failed}  C-1  ₹850.00  1 earning is linked again`);
    expect(retried.stdout).toContain(
      "OUTCOME_UNKNOWN: the outcome of attempt 1 at the provider is unknown; it must be looked up first.",
    );

    const rejected = await on("reject", approved, "--reason", "double booking");
    expect(rejected).toMatchObject({
      exitCode: 0,
      stdout: `rejected  ${approved}  C-3  ₹850.00  1 earning is READY again\n`,
    });
    expect(await cycle.breaches()).toEqual([]);
  });

  it("puts a consultant on hold and releases it", async () => {
    const { cycle, on } = await given([{}]);
    const hold = ["hold", "C-1", "--kind", "open_dispute", "--reason", "chargeback"];

    const held = await on(...hold);
    expect(held).toMatchObject({ exitCode: 0 });
    expect(held.stdout).toMatch(
      /^held {2}C-1 \([0-9a-f-]{36}\) {2}open_dispute; payouts: 1 due and not sent until the hold is released\n$/,
    );
    expect(await on(...hold)).toMatchObject({
      exitCode: 1,
      stdout: expect.stringMatching(/^not held {2}ALREADY_ON_HOLD: /) as string,
    });
    expect((await on("release", "C-1", "--kind", "manual", "--reason", "x")).exitCode).toBe(1);
    expect((await on("release", "C-1", "--reason", "won the case")).exitCode).toBe(0);
    expect(await cycle.query("SELECT placed_by, released_by FROM consultant_holds")).toEqual([
      { placed_by: "asha", released_by: "asha" },
    ]);
  });

  it("makes a consultant the payee of an organization, whose payouts nobody approves", async () => {
    const { cycle, on } = await given([{}]);
    const set = ["organization", "C-1", "--ref", "O-1", "--name", "Example College"];

    const done = await on(...set);
    expect(done.exitCode).toBe(0);
    expect(done.stdout).toMatch(
      /^set {2}O-1 {2}is paid through C-1 \([0-9a-f-]{36}\); 1 unfinished payout from before stays the consultant's own\n$/,
    );
    expect(await on(...set)).toMatchObject({
      exitCode: 1,
      stdout: expect.stringMatching(/^not set {2}IS_PAYEE_ALREADY: /) as string,
    });

    await cycle.earning(
      (await cycle.query<{ id: string }>("SELECT id FROM consultants"))[0]?.id ?? "",
    );
    await cycle.batch();
    const list = await on("list", "--status", "PENDING");
    expect(list.stdout).toMatch(/ C-1 for O-1 +PENDING /);
    const [id = ""] = list.stdout.split("\n")[1]?.split(" ") ?? [];
    const approved = await on("approve", id);
    expect(approved.exitCode).toBe(1);
    expect(approved.stdout).toMatch(/^not approved .* NEEDS_NO_APPROVAL: it is an organization's/);
  });

  it("takes the name from --by, else from the workflow, else from the login", async () => {
    const { cycle, ids } = await given([large, large, large]);
    const env = { url: cycle.url, USER: "login", GITHUB_ACTOR: "actor" };

    await payouts(["approve", ids[0] ?? "", "--by", "named"], env);
    await payouts(["approve", ids[1] ?? ""], env);
    await payouts(["approve", ids[2] ?? ""], { ...env, GITHUB_ACTOR: " " });

    const rows = await cycle.query(
      "SELECT actor FROM audit_log WHERE action = 'approved' ORDER BY id",
    );
    expect(rows.map(({ actor }) => actor as string)).toEqual(["named", "actor", "login"]);
  });

  it.each([
    ["no command", [], ""],
    ["an unknown command", ["pay"], "unknown command 'pay'"],
    ["no id", ["approve"], "missing required argument 'ids'"],
    ["an id that is none", ["approve", NOBODY, "1; DROP"], "expected a payout's id"],
    ["an unknown status", ["list", "--status", "PAID"], "expected one of PENDING, APPROVED"],
    ["a limit that is none", ["list", "--limit", "0"], "expected a whole number from 1 to 10000"],
    ["no reason", ["reject", NOBODY], "required option '--reason <text>' not specified"],
    ["an empty reason", ["reject", NOBODY, "--reason", "  "], "expected 1 to 500 characters"],
    ["a reason of two lines", ["retry", NOBODY, "--reason", "a\nb"], "on one line"],
    ["no kind", ["hold", "C-1", "--reason", "x"], "required option '--kind <kind>' not specified"],
    [
      "an unknown kind",
      ["hold", "C-1", "--kind", "odd", "--reason", "x"],
      "expected one of open_dispute",
    ],
    ["nobody's name", ["approve", NOBODY, "--by", ""], "expected 1 to 100 characters"],
  ])("ends with 2 at %s", async (_what, args, message) => {
    const { exitCode, stdout, stderr } = await payouts(args);

    expect(exitCode).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toContain(message);
  });

  it("ends with 2 when nobody is named", async () => {
    const { exitCode, stderr } = await payouts(["approve", NOBODY], { USER: "" });

    expect(exitCode).toBe(2);
    expect(stderr).toContain("give --by NAME");
  });

  it("says that the database is away or none of ours, and shows no password", async () => {
    const cycle = await createPayoutCycle();
    const admin = new URL(cycle.url);
    admin.pathname = "/postgres";

    const away = await payouts(["list"]);
    expect(away).toMatchObject({ exitCode: 1, stdout: "" });
    expect(away.stderr).toContain("127.0.0.1:9");
    expect(away.stderr).not.toContain("open-sesame");
    const empty = await payouts(["list"], { url: admin.href });
    expect([1, 2]).toContain(empty.exitCode);
    expect(empty.stderr).toMatch(/does not exist|db:migrate/);
    const unset = await payouts(["list"], { url: "" });
    expect(unset.exitCode).toBe(2);
    expect(unset.stderr).toContain("DATABASE_URL is not set.");
  });
});
