import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from "vitest";
import { migrate } from "../../scripts/dev/migrate/apply.ts";
import { startSandbox, type Sandbox } from "../../scripts/sandbox/razorpay/index.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { runScript, type ScriptResult } from "../support/run-script.ts";
import { blocksOf, readPage, ROOT } from "./commands/blocks.ts";

const PAGE = "docs/adapting.md";
const MARK = "<!-- sql: before the migrations -->";

const sqlBlocks = blocksOf(PAGE).filter(({ language }) => language === "sql");
const isBefore = (line: number): boolean =>
  readPage(PAGE)
    .split("\n")
    .slice(0, line - 1)
    .join("\n")
    .trimEnd()
    .endsWith(MARK);
const before = sqlBlocks.filter(({ line }) => isBefore(line));
const after = sqlBlocks.filter(({ line }) => !isBefore(line));

describe("a payout cycle that was brought in from another system", () => {
  let database: TestDatabase;
  let sandbox: Sandbox;
  beforeAll(async () => {
    database = await createTestDatabase();
    sandbox = await startSandbox();
  });
  afterAll(async () => {
    await sandbox.close();
    await database.drop();
  });
  const run = (file: string, ...args: string[]): Promise<ScriptResult> =>
    runScript(file, {
      args,
      env: { ...sandbox.env, DATABASE_URL: database.url, RAZORPAY_REQUESTS_PER_SECOND: "100" },
    });

  it("has books that agree, and counts the year that the payee had before", async () => {
    const sample = sampleFile();
    expect(await run("scripts/cli/import-earnings.ts", sample)).toMatchObject({ exitCode: 0 });
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    try {
      for (const { text, line } of after) {
        await client.query(text).catch((error: unknown) => {
          throw new Error(`${PAGE}:${line}`, { cause: error });
        });
      }
    } finally {
      await client.end();
    }
    for (const job of [
      "jobs/ledger/reconcile-ledger.ts",
      "jobs/payouts/reconcile-payout-status.ts",
      "jobs/payouts/handle-stuck-payouts.ts",
      "jobs/ledger/reconcile-ledger.ts",
    ]) {
      const end = await run(job);
      expect(end.exitCode, end.stdout + end.stderr).toBe(0);
    }

    await run("scripts/cli/import-earnings.ts", sample, "--approve");
    await database.query(
      `UPDATE payouts SET status = 'REJECTED' WHERE status = 'APPROVED'
         AND consultant_id <> (SELECT id FROM consultants WHERE external_ref = 'C-002')`,
    );
    const paid = await run("jobs/payouts/process-payouts.ts");
    expect(paid.exitCode, paid.stdout).toBe(0);
    // ₹4,98,000 was credited before: the week takes the payee over ₹5,00,000, and all of the year is taxed.
    const [year] = await database.query<{ gross: string; tax: string; crossed: boolean }>(
      `SELECT sum(gross_paise)::text AS gross, sum(tax_paise)::text AS tax,
              bool_or(reason = 'threshold-crossed') AS crossed
       FROM tax_deductions JOIN consultants c ON c.id = consultant_id WHERE c.external_ref = 'C-002'`,
    );
    expect(year?.crossed).toBe(true);
    const thousandth = Number(year?.gross) / 1000;
    expect(Math.abs(Number(year?.tax) - thousandth)).toBeLessThanOrEqual(100);
  });
});

describe("the same database as the marketplace's", () => {
  it("takes the migrations once its tables have moved out of public, and not before", async () => {
    const admin = new pg.Client({ connectionString: inject("postgresUrl") });
    await admin.connect();
    const url = new URL(inject("postgresUrl"));
    url.pathname = "/adapting_test";
    const role = "SELECT 1 FROM pg_roles WHERE rolname = 'marketplace_app'";
    try {
      await admin.query("CREATE DATABASE adapting_test");
      if ((await admin.query(role)).rowCount === 0)
        await admin.query("CREATE ROLE marketplace_app");
      const client = new pg.Client({ connectionString: url.href });
      await client.connect();
      try {
        await client.query("CREATE TABLE public.orders (id bigserial PRIMARY KEY)");
        await expect(migrate({ url: url.href })).rejects.toMatchObject({
          code: "DATABASE_NOT_OURS",
          message: expect.stringContaining("the table public.orders") as string,
        });
        expect(before.length).toBeGreaterThan(0);
        for (const { text } of before) await client.query(text);
        expect((await migrate({ url: url.href })).length).toBeGreaterThan(5);
        await client.query("INSERT INTO marketplace.orders DEFAULT VALUES");
      } finally {
        await client.end();
      }
    } finally {
      await admin.query("DROP DATABASE IF EXISTS adapting_test WITH (FORCE)");
      await admin.query("DROP ROLE IF EXISTS marketplace_app");
      await admin.end();
    }
  });
});

describe("what the page names", () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  it("is every table there is", async () => {
    const rows = await database.query<{ name: string }>(
      "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' AND tablename NOT LIKE '\\_%'",
    );
    const section = readPage(PAGE).split("\n## Tables\n")[1]?.split("\n## ")[0] ?? "";
    const named = [...section.matchAll(/^\| ([^|]+) \|/gm)].flatMap(([, cell = ""]) =>
      [...cell.matchAll(/`([a-z_]+)`/g)].map(([, name = ""]) => name),
    );
    expect(named.sort()).toEqual(rows.map(({ name }) => name).sort());
  });

  it("are constraints, triggers and indexes of the database", async () => {
    const rows = await database.query<{ name: string }>(
      `SELECT conname AS name FROM pg_constraint UNION SELECT tgname FROM pg_trigger
       UNION SELECT indexname FROM pg_indexes WHERE schemaname = 'public'`,
    );
    const there = new Set(rows.map(({ name }) => name));
    const section = readPage(PAGE).split("\n## What must stay\n")[1] ?? "";
    const named = [...section.matchAll(/^\| (`[^|]+`) +\|/gm)].flatMap(([, cell = ""]) =>
      [...cell.matchAll(/`([a-z_]+)`/g)].map(([, name = ""]) => name),
    );
    expect(named.length).toBeGreaterThan(15);
    expect(named.filter((name) => !there.has(name))).toEqual([]);
  });
});

/** The first ten lines of the sample week, of which C-002 has one. */
function sampleFile(): string {
  const folder = mkdtempSync(join(tmpdir(), "afterhours-adapting-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const lines = readFileSync(join(ROOT, "scripts/dev/demo/sample-earnings.csv"), "utf8").split(
    "\n",
  );
  const file = join(folder, "week.csv");
  writeFileSync(file, `${lines.slice(0, 11).join("\n")}\n`);
  return file;
}

it("the rows of the booking states are states that there are", () => {
  const schema = ["bookings", "checkouts"]
    .map((name) => readFileSync(join(ROOT, `prisma/schema/${name}.prisma`), "utf8"))
    .join("\n");
  const section = readPage(PAGE).split("\n## Values\n")[1]?.split("\n## ")[0] ?? "";
  for (const [, name = ""] of section.matchAll(/`([A-Z_]{4,})`/g)) {
    if (name !== "PREPARED") expect(schema).toMatch(new RegExp(`^  ${name}$`, "m"));
  }
});
