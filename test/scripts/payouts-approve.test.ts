import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterAll, describe, expect, it } from "vitest";
import { whoDoesIt } from "../../scripts/cli/frame/arguments.ts";
import { confirm } from "../../scripts/cli/payouts/confirm.ts";
import { createPayoutCycle, type PayoutCycle } from "../support/payout-cycle.ts";
import { runScript, type ScriptResult } from "../support/run-script.ts";

const NOBODY = "8c1f0b9e-2d34-4a55-9f10-3b1d7c6e5a42";
const folder = mkdtempSync(join(tmpdir(), "payouts-approve-"));
afterAll(() => rmSync(folder, { recursive: true }));

interface Given {
  cycle: PayoutCycle;
  /** Of C-1 to C-3, all PENDING, ₹8,999.99 each. */
  ids: string[];
  on: (args: string[], env?: Record<string, string>) => Promise<ScriptResult>;
}

async function given(): Promise<Given> {
  const cycle = await createPayoutCycle();
  for (const ref of ["C-1", "C-2", "C-3"]) {
    await cycle.earning(await cycle.consultant(ref), { gross: 900_000n, fee: 1n });
  }
  await cycle.batch();
  const rows = await cycle.query<{ id: string }>(
    `SELECT p.id FROM payouts p JOIN consultants c ON c.id = p.consultant_id ORDER BY c.external_ref`,
  );
  const on = (args: string[], env: Record<string, string> = {}): Promise<ScriptResult> =>
    runScript("scripts/cli/payouts.ts", {
      args,
      env: { DATABASE_URL: cycle.url, USER: "asha", ...env },
    });
  return { cycle, ids: rows.map(({ id }) => id), on };
}

const approvals = (cycle: PayoutCycle) =>
  cycle.query<{ subject_id: string; actor: string }>(
    "SELECT subject_id, actor FROM audit_log WHERE action = 'approved' ORDER BY id",
  );

describe("payouts approve for many", () => {
  it("--all shows list, count and sum, needs --yes where nobody can be asked, and audits each payout", async () => {
    const { cycle, ids, on } = await given();

    const unasked = await on(["approve", "--all", "--max-total", "30000"]);
    expect(unasked.exitCode).toBe(2);
    expect(unasked.stdout).toContain("3 payouts for 3 sales, ₹26,999.97 owed before tax");
    expect(unasked.stderr).toContain("--yes");
    const tooMuch = await on(["approve", "--all", "--max-total", "26999.96", "--yes"]);
    expect(tooMuch.exitCode).toBe(1);
    expect(tooMuch.stderr).toContain("₹26,999.97 together are more than --max-total ₹26,999.96");
    expect(await approvals(cycle)).toEqual([]);

    const done = await on(["approve", "--all", "--max-total", "26999.97", "--yes"]);
    expect(done).toMatchObject({ exitCode: 0, stderr: "" });
    expect((await approvals(cycle)).map(({ subject_id }) => subject_id).sort()).toEqual(ids.sort());
  });

  it("--batch takes those of one run, and list shows the same", async () => {
    const { cycle, ids, on } = await given();
    const [run] = await cycle.query<{ id: string }>(
      "SELECT detail ->> 'runId' AS id FROM audit_log WHERE action = 'created-pending' LIMIT 1",
    );
    await cycle.earning(await cycle.consultant("C-4"), { gross: 900_000n, fee: 1n });
    await cycle.batch();

    const listed = await on(["list", "--batch", run?.id ?? "", "--json"]);
    expect(JSON.parse(listed.stdout)).toHaveLength(3);
    const done = await on(["approve", "--batch", run?.id ?? "", "--yes", "--by", "Asha"]);
    expect(done.exitCode).toBe(0);
    expect((await approvals(cycle)).map(({ subject_id }) => subject_id).sort()).toEqual(ids.sort());
    expect((await on(["approve", "--batch", NOBODY, "--yes"])).stdout).toBe(
      "No payout waits for approval.\n",
    );
  });

  it("--file takes ids and codes, and approves nothing when a line names nothing", async () => {
    const { cycle, ids, on } = await given();
    const file = join(folder, "approve.txt");

    writeFileSync(file, `# week 46\n${ids[0]}\nC-9\n`);
    const wrong = await on(["approve", "--file", file, "--yes"]);
    expect(wrong).toMatchObject({ exitCode: 1, stdout: "" });
    expect(wrong.stderr).toBe("line 3: there is no consultant C-9\nNothing was approved.\n");
    expect(await approvals(cycle)).toEqual([]);

    writeFileSync(file, `\ufeff# week 46\r\n${ids[0]}\r\n\r\nC-3\r\nC-3\r\n`);
    expect((await on(["approve", "--file", file, "--yes"])).exitCode).toBe(0);
    expect((await approvals(cycle)).map(({ subject_id }) => subject_id).sort()).toEqual(
      [ids[0], ids[2]].sort(),
    );
    const again = await on(["approve", "--file", file, "--yes"]);
    expect(again.stderr).toContain(`payout ${ids[0]} is APPROVED, not PENDING`);
    expect(again.stderr).toContain(
      `line 4: consultant C-3 has no payout that waits for approval; the last one, ${ids[2]}, is APPROVED`,
    );
    await cycle.consultant("C-5");
    writeFileSync(file, "C-5\n");
    expect((await on(["approve", "--file", file, "--yes"])).stderr).toContain(
      "line 1: consultant C-5 has no payout\n",
    );
  });

  describe("--file reads a text of at most 4 MiB, else nothing is approved and the command ends with 2", () => {
    const file = join(folder, "many.txt");
    const most = 4 * 2 ** 20;
    const tooLarge = (path: string) =>
      `error: ${path} has more than 4 MiB, the most that --file takes; nothing was approved. ` +
      "Divide the file, or approve a whole batch with --batch\n";

    it("names the file that is larger, and reads one of the largest size", async () => {
      const { cycle, on } = await given();
      const largest = "C-1\n".padEnd(most, `# ${"x".repeat(997)}\n`);
      writeFileSync(file, `${largest}\n`);
      expect(await on(["approve", "--file", file, "--yes"])).toEqual({
        exitCode: 2,
        stdout: "",
        stderr: tooLarge(file),
      });
      expect(await approvals(cycle)).toEqual([]);

      writeFileSync(file, largest);
      expect((await on(["approve", "--file", file, "--yes"])).exitCode).toBe(0);
      expect(await approvals(cycle)).toHaveLength(1);
    });

    it.each([
      ["a file without an end", "/dev/zero", tooLarge("/dev/zero")],
      ["a binary file", Buffer.from("C-1\n\0\n"), "is no text in UTF-8; nothing was approved"],
      ["another encoding", Buffer.from("Ren\u00e9e\n", "latin1"), "is no text in UTF-8; nothing"],
      ["no names", Buffer.from("# none\n"), "names no payout and no consultant; nothing was"],
    ])("%s", async (_what, content, message) => {
      if (typeof content !== "string") writeFileSync(file, content);
      const path = typeof content === "string" ? content : file;
      const { exitCode, stderr } = await runScript("scripts/cli/payouts.ts", {
        args: ["approve", "--file", path, "--yes"],
        env: { DATABASE_URL: "postgres://u:p@127.0.0.1:9/b", USER: "asha" },
      });
      expect(stderr).toContain(message);
      expect(exitCode).toBe(2);
    });
  });

  it.each([
    ["no payout at all", [], "name payouts, or give one of"],
    ["two ways", ["--all", "--batch", NOBODY, "--max-total", "1"], "name payouts, or give one of"],
    ["ids and --all", [NOBODY, "--all", "--max-total", "1"], "name payouts, or give one of"],
    ["--all without a most", ["--all", "--yes"], "--all needs --max-total"],
    ["an odd amount", ["--all", "--max-total", "5,00,000"], "expected rupees"],
    ["no such file", ["--file", "/nowhere/x", "--yes"], "can not be read (ENOENT); nothing"],
  ])("ends with 2 at %s", async (_what, args, message) => {
    const { exitCode, stderr } = await runScript("scripts/cli/payouts.ts", {
      args: ["approve", ...args],
      env: { DATABASE_URL: "postgres://u:p@127.0.0.1:9/b", USER: "asha" },
    });
    expect(stderr).toContain(message);
    expect(exitCode).toBe(2);
  });

  it("refuses a PAYOUTS_APPROVAL that it does not know", async () => {
    const { exitCode, stderr } = await runScript("scripts/cli/payouts.ts", {
      args: ["approve", NOBODY],
      env: { DATABASE_URL: "postgres://u:p@127.0.0.1:9/b", USER: "asha", PAYOUTS_APPROVAL: "two" },
    });
    expect(exitCode).toBe(2);
    expect(stderr).toContain("PAYOUTS_APPROVAL: expected one-person or four-eyes");
  });
});

describe("the question", () => {
  async function asked(answer: string | undefined, isTTY = true): Promise<boolean | undefined> {
    const input = Object.assign(new PassThrough(), { isTTY });
    const output = new PassThrough();
    if (answer === undefined) input.end();
    else input.write(`${answer}\n`);
    return confirm("Approve?", { input, output });
  }

  it.each([
    ["y", true],
    ["YES", true],
    ["n", false],
    ["", false],
    ["yellow", false],
    [undefined, false],
  ])("answered %j is %j", async (answer, expected) => {
    expect(await asked(answer)).toBe(expected);
  });

  it("is not asked where nobody can answer", async () => {
    expect(await asked("y", false)).toBeUndefined();
  });
});

describe("who does it", () => {
  it("is who is named, else the workflow's actor, else the user, else the login of the machine", () => {
    const env = { GITHUB_ACTOR: "octo", USER: "asha", LOGNAME: "log" };
    expect(whoDoesIt("Binu", env)).toBe("Binu");
    expect(whoDoesIt(undefined, env)).toBe("octo");
    expect(whoDoesIt(undefined, { USER: "asha" })).toBe("asha");
    expect(whoDoesIt(undefined, { LOGNAME: "log" })).toBe("log");
    expect(whoDoesIt(undefined, {}, () => "root")).toBe("root");
    expect(() => whoDoesIt(undefined, {}, () => undefined)).toThrow("give --by NAME");
  });
});
