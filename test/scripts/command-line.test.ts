import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { jobs } from "../../jobs/registry.ts";
import { parseOptions } from "../../lib/job/options.ts";
import { commandFiles } from "../support/commands.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { runScript } from "../support/run-script.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** What people run, and what it does when it is asked for nothing but help. */
const COMMANDS: readonly [file: string, ...args: string[]][] = [
  ["scripts/dev/setup.mjs"],
  ["scripts/dev/demo/main.ts"],
  ["scripts/dev/services/main.ts"],
  ["scripts/sandbox/razorpay/main.ts"],
  ["scripts/cli/import-earnings.ts"],
  ["scripts/cli/payouts.ts"],
  ["scripts/cli/earnings.ts"],
  ["scripts/cli/payments.ts"],
  ["scripts/cli/plans.ts"],
  ["scripts/cli/findings.ts"],
  ["scripts/cli/ledger-audit.ts"],
  ["scripts/cli/mails.ts"],
  ["scripts/cli/tds.ts"],
  ["scripts/cli/jobs.ts"],
  ["scripts/cli/maintenance.ts"],
  ["scripts/dev/dry-run-jobs.ts"],
  ["scripts/dev/new-job/main.ts"],
  ["scripts/dev/migrate/main.ts"],
  ["scripts/dev/migrate/main.ts", "apply"],
  ["scripts/dev/bench/main.ts"],
  ["scripts/dev/docs/main.ts"],
  ["scripts/dev/mutation/main.ts"],
  ["scripts/dev/words/main.ts"],
];

describe("help", () => {
  it.each(COMMANDS)("of %s %s fits 80 columns, and nothing else is done", async (file, ...args) => {
    const { exitCode, stdout, stderr } = await runScript(file, { args: [...args, "--help"] });
    expect([exitCode, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^Usage: /);
    expect(tooLong(stdout)).toEqual([]);
    // What a command prints of its subcommands is what they are: each has help of its own.
    const names = [...stdout.matchAll(/^ {2}([a-z][a-z:-]+) .*/gm)].map(([, name]) => name ?? "");
    const isProgram = /^Commands:/m.test(stdout);
    for (const name of isProgram ? names.filter((each) => each !== "help") : []) {
      const own = await runScript(file, { args: [name, "--help"] });
      expect([name, own.exitCode, tooLong(own.stdout)]).toEqual([name, 0, []]);
    }
  });

  it.each(jobs.map((job) => [job.name, job] as const))("of %s fits 80 columns", (_name, job) => {
    let help = "";
    const parsed = parseOptions(job, ["--help"], {}, { stdout: (text) => (help += text) });
    expect(parsed).toEqual({ kind: "help" });
    expect(help).toContain("DATABASE_URL");
    expect(tooLong(help)).toEqual([]);
  });

  it("of a script of npm names that script", async () => {
    const { stdout } = await runScript("scripts/dev/migrate/main.ts", {
      args: ["apply", "--help"],
    });
    expect(stdout).toMatch(/^Usage: npm run db:migrate -- /);
  });

  it("breaks no paragraph twice", async () => {
    for (const [file, ...args] of [
      ["scripts/sandbox/razorpay/main.ts"],
      ["scripts/dev/mutation/main.ts"],
      ["scripts/cli/tds.ts", "register"],
      ["scripts/cli/tds.ts", "assess"],
    ] as const) {
      const { stdout } = await runScript(file, { args: [...args, "--help"] });
      const lines = stdout.split("\n");
      const ragged = lines.filter((line, index) => {
        const [word = ""] = (lines[index + 1] ?? "").split(" ");
        const isProse = /^[A-Za-z`].*[a-z,]$/.test(line);
        return isProse && word !== "" && line.length + 1 + word.length <= 79;
      });
      expect([file, ragged]).toEqual([file, []]);
    }
  });

  it("is asked for of every command that there is", () => {
    const files = commandFiles();
    expect(files.filter((file) => !COMMANDS.some(([known]) => known === file))).toEqual([]);
  });

  it.each(["scripts/dev/setup.mjs", "scripts/dev/dry-run-jobs.ts"])(
    "is shown by %s for an argument that it does not know",
    async (file) => {
      const { exitCode, stderr } = await runScript(file, { args: ["--nonsense"] });
      expect(exitCode).toBe(2);
      expect(stderr).toContain("--nonsense");
    },
  );
});

/** Lines that a terminal of 80 columns would break, but for one long word. */
function tooLong(help: string): string[] {
  return help.split("\n").filter((line) => line.length > 80 && line.trim().includes(" "));
}

describe("a reader that goes away", () => {
  let database: TestDatabase;
  beforeAll(async () => void (database = await createTestDatabase()));
  afterAll(() => database.drop());

  it.each<[file: string, ...args: string[]]>([
    ["scripts/dev/setup.mjs", "--help"],
    ["scripts/dev/demo/main.ts", "--help"],
    ["scripts/dev/services/main.ts", "--no-migrate"],
    ["scripts/sandbox/razorpay/main.ts", "--port", "0"],
    ["scripts/cli/import-earnings.ts", "scripts/dev/demo/sample-earnings.csv"],
    ["scripts/cli/payouts.ts", "list"],
    ["scripts/cli/payments.ts", "--help"],
    ["scripts/cli/findings.ts", "list"],
    ["scripts/cli/mails.ts", "list"],
    ["scripts/cli/tds.ts", "register", "--help"],
    ["scripts/cli/jobs.ts", "list"],
    ["scripts/cli/jobs.ts", "history"],
    ["scripts/cli/maintenance.ts", "--help"],
    ["scripts/dev/dry-run-jobs.ts", "--help"],
    ["scripts/dev/migrate/main.ts", "apply"],
    ["scripts/dev/bench/main.ts", "--help"],
    ["scripts/dev/docs/main.ts", "--help"],
    ["scripts/dev/mutation/main.ts", "--list"],
  ])("ends %s %s without a word", async (file, ...args) => {
    const { exitCode, stderr } = await runUnread("stdout", file, args);
    expect([exitCode, stderr]).toEqual([0, ""]);
  });

  it("of what went wrong ends a command with the same status as ever", async () => {
    expect(await runUnread("stderr", "scripts/cli/payouts.ts", ["no-such-command"])).toMatchObject({
      exitCode: 2,
    });
    expect(await runUnread("stderr", "scripts/dev/setup.mjs", ["--nonsense"])).toMatchObject({
      exitCode: 2,
    });
  });

  /** Runs it with a pipe of which the other end is closed before anything is written. */
  async function runUnread(
    unread: "stdout" | "stderr",
    file: string,
    args: readonly string[],
  ): Promise<{ exitCode: number | null; stderr: string }> {
    const child = spawn(process.execPath, ["--import", "tsx", file, ...args], {
      cwd: ROOT,
      env: {
        PATH: process.env["PATH"],
        HOME: process.env["HOME"],
        DATABASE_URL: database.url,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    child[unread].destroy();
    let stderr = "";
    child.stderr.on("data", (text: Buffer) => (stderr += text.toString()));
    const [exitCode] = (await once(child, "close")) as [number | null];
    return { exitCode, stderr };
  }
});
