import pg from "pg";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";
import { migrate } from "../../../scripts/dev/migrate/apply.ts";
import { OUR_FOLDERS, readMigrations } from "../../../scripts/cli/schema/migration-files.ts";
import { withScratchDatabase } from "../../../scripts/dev/migrate/scratch-database.ts";
import { startPgBouncer } from "../../support/pgbouncer.ts";
import { copyOfOurFolders, writeMigration } from "./folders.ts";

const ours = readMigrations(OUR_FOLDERS).migrationDirectories.map(({ path }) => path);

async function queryIn<Row extends pg.QueryResultRow>(url: string, sql: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}

/** Everything in the database that is not PostgreSQL's own, and the rows of the other application's history. */
async function contentOf(url: string): Promise<unknown> {
  const objects = await queryIn(
    url,
    `SELECT nspname, relname AS name FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
     WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema'
     UNION ALL
     SELECT nspname, typname FROM pg_type JOIN pg_namespace n ON n.oid = typnamespace WHERE nspname = 'public'
     UNION ALL
     SELECT nspname, proname FROM pg_proc JOIN pg_namespace n ON n.oid = pronamespace WHERE nspname = 'public'
     ORDER BY 1, 2`,
  );
  const kept = objects.some(({ name }) => name === "_prisma_migrations");
  return { objects, history: kept ? await queryIn(url, "SELECT * FROM _prisma_migrations") : [] };
}

/** As Prisma 7 makes it. */
const HISTORY = `CREATE TABLE _prisma_migrations (
  id varchar(36) PRIMARY KEY, checksum varchar(64) NOT NULL, finished_at timestamptz,
  migration_name varchar(255) NOT NULL, logs text, rolled_back_at timestamptz,
  started_at timestamptz NOT NULL DEFAULT now(), applied_steps_count integer NOT NULL DEFAULT 0);`;
const THEIRS = `INSERT INTO _prisma_migrations (id, checksum, finished_at, migration_name, applied_steps_count)
  VALUES ('a', 'b', now(), '20240101000000_shop', 1);`;

describe("a database of another application", () => {
  it.each([
    [
      "its tables and its history",
      `CREATE TABLE "User" (id text); ${HISTORY} ${THEIRS}`,
      "20240101000000_shop",
    ],
    ["its history alone", `${HISTORY} ${THEIRS}`, "20240101000000_shop"],
    [
      "a migration of its own that failed",
      `${HISTORY} ${THEIRS.replace("now()", "NULL")}`,
      "20240101000000_shop",
    ],
    [
      "a table of one of our names",
      `${HISTORY} ${THEIRS} CREATE TABLE payouts (id int);`,
      "20240101000000_shop",
    ],
    [
      "a table of one of our names and no history",
      "CREATE TABLE payouts (id int);",
      "the table public.payouts",
    ],
    [
      "an empty history and a table",
      `CREATE TABLE "User" (id serial); ${HISTORY}`,
      'the table public."User"',
    ],
    [
      "a history of another program",
      "CREATE TABLE _prisma_migrations (id int);",
      "public._prisma_migrations",
    ],
    ["a view", "CREATE VIEW report AS SELECT 1;", "the view public.report"],
    [
      "a type of one of our names",
      "CREATE TYPE payout_status AS ENUM ('x');",
      "the type public.payout_status",
    ],
    [
      "a function of one of our names",
      "CREATE FUNCTION guard_deduction() RETURNS int LANGUAGE sql AS 'SELECT 1';",
      "the function public.guard_deduction",
    ],
  ])("is refused, and left as it is, with %s", async (_, sql, named) => {
    await withScratchDatabase(inject("postgresUrl"), async (url) => {
      await queryIn(url, sql);
      const before = await contentOf(url);
      await expect(migrate({ url })).rejects.toMatchObject({
        code: "DATABASE_NOT_OURS",
        message: expect.stringContaining(named) as string,
        remedy: expect.stringContaining("docs/adapting.md#in-the-same-database") as string,
      });
      expect(await contentOf(url)).toEqual(before);
    });
  });

  it("is one that has ours among its own, as long as there is something to apply", async () => {
    await withScratchDatabase(inject("postgresUrl"), async (url) => {
      await migrate({ url });
      await queryIn(url, THEIRS);
      // Nothing is missing, so nothing is written.
      expect(await migrate({ url })).toEqual([]);
      await queryIn(url, `DELETE FROM _prisma_migrations WHERE migration_name = '${ours.at(-1)}'`);
      await expect(migrate({ url })).rejects.toMatchObject({ code: "DATABASE_NOT_OURS" });
    });
  });

  it("is not one in which an extension lies, nor one whose other tables lie in a schema of their own", async () => {
    await withScratchDatabase(inject("postgresUrl"), async (url) => {
      await queryIn(
        url,
        `CREATE FUNCTION public.helper() RETURNS int LANGUAGE sql AS 'SELECT 1';
         CREATE SCHEMA shop; SET search_path = shop; ${HISTORY} ${THEIRS} CREATE TABLE payouts (id int);`,
      );
      expect(await migrate({ url })).toEqual(ours);
      expect(await queryIn(url, "SELECT migration_name FROM shop._prisma_migrations")).toHaveLength(
        1,
      );
    });
  });

  it("is not one in which somebody added a table to ours", async () => {
    const folders = copyOfOurFolders();
    try {
      await withScratchDatabase(inject("postgresUrl"), async (url) => {
        await migrate({ url });
        await queryIn(url, "CREATE VIEW report AS SELECT 1; CREATE TABLE notes (id int)");
        writeMigration(folders, "29990101000000_more", "CREATE TABLE more (id int);");
        expect(await migrate({ url, folders })).toEqual(["29990101000000_more"]);
      });
    } finally {
      folders.remove();
    }
  });
});

describe("a first migration that fails", () => {
  let folders: ReturnType<typeof copyOfOurFolders>;
  beforeEach(() => void (folders = copyOfOurFolders()));
  afterEach(() => folders.remove());

  it("leaves not even a history", async () => {
    await withScratchDatabase(inject("postgresUrl"), async (url) => {
      const before = await contentOf(url);
      writeMigration(folders, "20200101000000_broken", "CREATE TABLE half (id int); SELECT 1 / 0;");
      await expect(migrate({ url, folders })).rejects.toMatchObject({
        code: "MIGRATION_FAILED",
        message: expect.stringContaining("left nothing behind: ERROR: division by zero") as string,
      });
      expect(await contentOf(url)).toEqual(before);
      expect(await migrate({ url })).toEqual(ours);
    });
  });
});

describe("an upgrade of a database that is in use", () => {
  const LAST = "20261127000000_checks_by_statement";

  it("keeps its rows, also those of a wrong year, which may end as they would have, and takes no new one", async () => {
    const folders = copyOfOurFolders();
    const later = ours.slice(ours.indexOf(LAST) + 1);
    const { rm } = await import("node:fs/promises");
    for (const name of later) await rm(`${folders.migrationsDir}/${name}`, { recursive: true });
    try {
      await withScratchDatabase(inject("postgresUrl"), async (url) => {
        expect((await migrate({ url, folders })).at(-1)).toBe(LAST);
        const ids = await seedDeductions(url);
        expect(await migrate({ url })).toEqual(later);

        await queryIn(url, `UPDATE tax_deductions SET status = 'FINAL' WHERE id = '${ids.wrong}'`);
        await queryIn(url, insertDeduction({ ids, year: 1990, reverses: ids.wrong }));
        await queryIn(url, insertDeduction({ ids, year: 2026 }));
        for (const year of [1990, 2025, 2027]) {
          await expect(queryIn(url, insertDeduction({ ids, year }))).rejects.toMatchObject({
            code: "23514",
            constraint: "tax_deductions_fiscal_year",
          });
        }
        for (const [day, year] of [
          ["2027-03-31", 2026],
          ["2027-04-01", 2027],
        ] as const) {
          await queryIn(url, insertDeduction({ ids, year, day }));
        }
      });
    } finally {
      folders.remove();
    }
  });
});

interface Ids {
  consultant: string;
  earning: string;
  payout: string;
  wrong: string;
}

/** One deduction of a right year and one of a wrong one, as the versions before wrote them. */
async function seedDeductions(url: string): Promise<Ids> {
  const [row] = await queryIn<{ consultant: string; earning: string; payout: string }>(
    url,
    `WITH payee AS (INSERT INTO consultants (external_ref, name) VALUES ('C-1', 'A payee') RETURNING id),
          sale AS (INSERT INTO earnings (consultant_id, booking_reference, credited_on, gross_paise, platform_fee_paise, amount_paise)
                   SELECT id, 'B-1', '2026-11-20', 100000, 0, 100000 FROM payee RETURNING id),
          paid AS (INSERT INTO payouts (consultant_id, gross_paise, amount_paise, status)
                   SELECT id, 100000, 100000, 'PENDING' FROM payee RETURNING id),
          held AS (INSERT INTO payout_items (payout_id, earning_id, gross_paise, amount_paise)
                   SELECT paid.id, sale.id, 100000, 100000 FROM paid, sale)
     SELECT payee.id AS consultant, sale.id AS earning, paid.id AS payout FROM payee, sale, paid`,
  );
  if (row === undefined) throw new Error("nothing was seeded");
  const ids = { ...row, wrong: "" };
  await queryIn(url, insertDeduction({ ids, year: 2026 }));
  const [wrong] = await queryIn<{ id: string }>(url, insertDeduction({ ids, year: 1990 }));
  return { ...ids, wrong: wrong?.id ?? "" };
}

function insertDeduction({
  ids,
  year,
  day = "2026-11-20",
  reverses,
}: {
  ids: Ids;
  year: number;
  day?: string;
  reverses?: string;
}): string {
  const sign = reverses === undefined ? "" : "-";
  return `INSERT INTO tax_deductions (consultant_id, payout_id, earning_id, fiscal_year, credited_on, gross_paise,
      tax_paise, rate_bps, section, code, reason, reverses_id)
    VALUES ('${ids.consultant}', '${ids.payout}', '${ids.earning}', ${year}, '${day}', ${sign}100000, 0, 0, '393',
      '1035', 'below-threshold', ${reverses === undefined ? "NULL" : `'${reverses}'`}) RETURNING id`;
}

describe("through a pooler in transaction mode", () => {
  it("the migrations are applied once, and no lock is left in a session of the pool", async () => {
    await withScratchDatabase(inject("postgresUrl"), async (url) => {
      const pooler = await startPgBouncer(url, { mode: "transaction" });
      try {
        const applied = await Promise.all([1, 2].map(() => migrate({ url: pooler.url })));
        expect(applied.toSorted((a, b) => b.length - a.length)).toEqual([ours, []]);
        const locks = `SELECT objid FROM pg_locks WHERE locktype = 'advisory'
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`;
        expect(await queryIn(url, locks)).toEqual([]);
      } finally {
        await pooler.stop();
      }
    });
  });
});
