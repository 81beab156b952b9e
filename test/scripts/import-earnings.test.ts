import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { nodeArgumentsOf } from "../support/commands.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const samplePath = join(root, "scripts/dev/demo/sample-earnings.csv");

/** An address at which nothing listens. */
const nowhere = "postgres://finance:open-sesame@127.0.0.1:9/books";

let database: TestDatabase;
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "import-earnings-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

interface Run {
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

/** Runs the script as `npm run import:earnings` does. */
function run(args: readonly string[], databaseUrl: string): Promise<Run> {
  const child = spawn(
    process.execPath,
    [...nodeArgumentsOf("scripts/cli/import-earnings.ts"), ...args],
    {
      cwd: root,
      env: { ...process.env, DATABASE_URL: databaseUrl },
    },
  );
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (exitCode: number | null) => {
      resolve({ exitCode, stdout, stderr });
    });
  });
}

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

async function counts(): Promise<unknown> {
  const [row] = await database.query(
    `SELECT (SELECT count(*)::int FROM consultants) AS consultants,
            (SELECT count(*)::int FROM earnings) AS earnings,
            (SELECT count(*)::int FROM ledger_transactions) AS postings,
            (SELECT count(*)::int FROM payouts) AS payouts`,
  );
  return row;
}

const nothing = { consultants: 0, earnings: 0, postings: 0, payouts: 0 };
const whole = { consultants: 220, earnings: 1002, postings: 1002, payouts: 220 };

describe("import:earnings", () => {
  beforeEach(async () => {
    database = await createTestDatabase();
  });
  afterEach(async () => {
    await database.drop();
  });

  it("tries the sample, brings it in, and changes nothing the second time", async () => {
    const planned = await run([samplePath, "--dry-run", "--approve"], database.url);
    expect(planned).toMatchObject({ exitCode: 0, stderr: "" });
    expect(planned.stdout).toContain("Dry run: nothing was written.");
    expect(await counts()).toEqual(nothing);

    const first = await run([samplePath, "--approve"], database.url);
    expect(first).toMatchObject({ exitCode: 0, stderr: "" });
    expect(first.stdout.split("\n").slice(1)).toEqual(planned.stdout.split("\n").slice(1));
    expect(first.stdout).toContain("Consultants        220 new, 0 known");
    expect(first.stdout).toContain("gross ₹91,65,026.00");
    expect(await counts()).toEqual(whole);

    const second = await run([samplePath, "--approve"], database.url);
    expect(second.exitCode).toBe(0);
    expect(second.stdout).toContain("0 new, 1002 already imported");
    expect(second.stdout).toMatch(/Payouts approved\s+0\n/);
    expect(await counts()).toEqual(whole);
  });

  it("brings the sample in once when two processes import it at the same time", async () => {
    const runs = await Promise.all([
      run([samplePath, "--approve"], database.url),
      run([samplePath, "--approve"], database.url),
    ]);

    expect(runs.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
    expect(await counts()).toEqual(whole);
  });

  it("ends with 1 and a list of problems when rows are refused, and shows no private value", async () => {
    const text = readFileSync(samplePath, "utf8")
      .replaceAll(/,(20\d\d)-(\d\d)-(\d\d),/g, ",$3/$2/$1,")
      .replaceAll("individual", "company");
    const path = file("bad.csv", text);

    const { exitCode, stdout, stderr } = await run([path], database.url);

    expect(exitCode).toBe(1);
    expect(stdout).toBe("");
    const lines = stderr.trimEnd().split("\n");
    expect(lines).toHaveLength(52);
    expect(lines[0]).toMatch(/bad\.csv:2 column pan: does not fit category company/);
    expect(stderr).toMatch(/bad\.csv:2 column credit_date: day and month cannot be told apart/);
    expect(lines[50]).toMatch(/^… and \d+ more$/);
    expect(lines[51]).toMatch(/^\d+ problems; nothing was imported\.$/);
    expect(stderr).not.toMatch(/ZZ[A-Z]{3}[0-9]{4}|@demobank|[0-9]{9,}/);
    expect(await counts()).toEqual(nothing);
  });

  it("ends with 1 and the report when some rows are good", async () => {
    const text = readFileSync(samplePath, "utf8").replace("1917.50", "9999999");

    const { exitCode, stdout, stderr } = await run([file("partly.csv", text)], database.url);

    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/partly\.csv:2 column platform_fee: .* leaves nothing to pay/);
    expect(stderr).toContain("1 problem; nothing was imported.");
    expect(stdout).toContain("Refused: nothing was written.");
    expect(await counts()).toEqual(nothing);
  });

  it("ends with 1 when the file is empty", async () => {
    const path = file("empty.csv", "");

    const { exitCode, stderr } = await run([path], database.url);

    expect(exitCode).toBe(1);
    expect(stderr).toContain(`${path}: the file is empty`);
  });

  it("ends with 1 when the database cannot be reached, naming host and port and no password", async () => {
    const { exitCode, stdout, stderr } = await run([samplePath], nowhere);

    expect(exitCode).toBe(1);
    expect(stdout).toBe("");
    expect(stderr).toContain("127.0.0.1:9/books cannot be reached (ECONNREFUSED)");
    expect(stderr).not.toContain("open-sesame");
  });

  it("still lists the file's problems when the database cannot be reached", async () => {
    const text = readFileSync(samplePath, "utf8").replace("1917.50", "9999999");

    const { stderr } = await run([file("partly.csv", text)], nowhere);

    expect(stderr).toMatch(/partly\.csv:2 column platform_fee/);
    expect(stderr).toContain("cannot be reached");
  });

  it("ends with 2 when the database has no tables of ours", async () => {
    const url = new URL(database.url);
    url.pathname = "/postgres";

    const { exitCode, stderr } = await run([samplePath], url.href);

    expect(exitCode).toBe(2);
    expect(stderr).toContain("lacks a table or column of this version");
    expect(stderr).toContain("db:migrate");
  });
});

describe("import:earnings that cannot begin ends with 2", () => {
  it.each([
    ["no file is named", [], "missing required argument 'file'"],
    ["an option is unknown", ["x.csv", "--force"], "unknown option '--force'"],
    ["two files are named", ["a.csv", "b.csv"], "too many arguments"],
    ["there is no such file", ["/nowhere/week.csv"], "/nowhere/week.csv: there is no such file"],
    ["the file is a folder", [root], "is a folder; expected a CSV file"],
  ])("when %s", async (_what, args, message) => {
    const { exitCode, stderr } = await run(args, nowhere);

    expect(exitCode).toBe(2);
    expect(stderr).toContain(message);
  });

  it.each([
    ["is empty", "", "DATABASE_URL is not set"],
    ["is no address", "open-sesame", "DATABASE_URL is not a PostgreSQL URL"],
    ["is of another kind", "mysql://u:open-sesame@h/d", "DATABASE_URL is not a PostgreSQL URL"],
    [
      "is unprotected",
      "postgres://u:open-sesame@db.example.com/d?sslmode=disable",
      "add db.example.com to ALLOW_PLAINTEXT",
    ],
  ])("when DATABASE_URL %s", async (_what, url, message) => {
    const { exitCode, stderr } = await run([samplePath], url);

    expect(exitCode).toBe(2);
    expect(stderr).toContain(message);
    expect(stderr).not.toContain("open-sesame");
  });
});

it("import:earnings --help explains itself and ends with 0", async () => {
  const { exitCode, stdout } = await run(["--help"], nowhere);

  expect(exitCode).toBe(0);
  for (const option of ["--dry-run", "--approve", "--update-accounts"]) {
    expect(stdout).toContain(option);
  }
});
