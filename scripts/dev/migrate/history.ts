import type pg from "pg";
import type { MigrationList } from "@prisma/schema-engine-wasm";
import { AfterhoursError } from "../../../lib/support/errors.ts";
import { describeServer } from "../../cli/frame/database-url.ts";

/** The migrations that a database has, before anything is written to it. */
interface History {
  /** Ours that are not applied, in order. */
  missing: string[];
  /** Whether the table `_prisma_migrations` is there. */
  isKept: boolean;
}

/**
 * Reads the history of a database, and refuses one that is not ours to write to. Nothing is written by it. A
 * history of the same or a newer version of ours is no obstacle: with nothing missing nothing is written either.
 *
 * @throws AfterhoursError DATABASE_NOT_OURS
 */
export async function readHistory(
  admin: pg.Client,
  { url, migrations }: { url: string; migrations: MigrationList },
): Promise<History> {
  const ours = migrations.migrationDirectories.map(({ path }) => path);
  const kept = await admin.query<{ names: boolean }>(
    `SELECT count(*) FILTER (WHERE attname IN ('migration_name', 'finished_at', 'rolled_back_at')) = 3 AS names
     FROM pg_attribute WHERE attrelid = to_regclass('public._prisma_migrations')
     HAVING count(*) > 0`,
  );
  const isKept = kept.rows.length > 0;
  if (isKept && !kept.rows[0]?.names) throw notOurs(url, ["the table public._prisma_migrations"]);
  const rows = isKept ? await readNames(admin) : [];
  const applied = new Set(rows.filter(({ isApplied }) => isApplied).map(({ name }) => name));
  const missing = ours.filter((name) => !applied.has(name));
  if (missing.length === 0) return { missing, isKept };

  const foreign = [...new Set(rows.map(({ name }) => name))].filter((name) => !ours.includes(name));
  if (foreign.length > 0) {
    throw notOurs(
      url,
      foreign.map((name) => `the migration ${name}`),
    );
  }
  // Once ours are there, a table that somebody added is no sign of another application's database.
  const others = applied.size > 0 ? [] : await readOthers(admin, migrations);
  if (others.length > 0) throw notOurs(url, others);
  return { missing, isKept };
}

async function readNames(admin: pg.Client): Promise<{ name: string; isApplied: boolean }[]> {
  const { rows } = await admin.query<{ name: string; isApplied: boolean }>(
    `SELECT migration_name AS name, finished_at IS NOT NULL AND rolled_back_at IS NULL AS "isApplied"
     FROM public._prisma_migrations ORDER BY migration_name`,
  );
  return rows;
}

/**
 * Everything in `public` that belongs to no extension: every table, view and sequence, and those types and
 * functions whose names we use.
 */
async function readOthers(admin: pg.Client, migrations: MigrationList): Promise<string[]> {
  const made = migrations.migrationDirectories.flatMap(({ migrationFile: { content } }) =>
    content.tag === "ok"
      ? [...content.value.matchAll(/CREATE (?:OR REPLACE )?(?:FUNCTION|TYPE) "?(\w+)"?/g)]
      : [],
  );
  const names = made.map(([, name = ""]) => name);
  const { rows } = await admin.query<{ what: string }>(
    `SELECT format('the %s public.%I', kind, name) AS what
     FROM (
       SELECT CASE relkind WHEN 'S' THEN 'sequence' WHEN 'v' THEN 'view' WHEN 'm' THEN 'view'
                           WHEN 'c' THEN 'type' ELSE 'table' END AS kind,
              relname AS name, 'pg_class'::regclass AS catalog, oid
       FROM pg_class
       WHERE relnamespace = 'public'::regnamespace AND relname <> '_prisma_migrations'
         AND (relkind IN ('r', 'p', 'f', 'v', 'm') OR relkind = 'c' AND relname = ANY ($1)
              -- The sequence of a column goes with its table.
              OR relkind = 'S' AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype IN ('a', 'i')))
       UNION ALL
       SELECT 'type', typname, 'pg_type'::regclass, oid FROM pg_type
       WHERE typnamespace = 'public'::regnamespace AND typtype IN ('e', 'd', 'r') AND typname = ANY ($1)
       UNION ALL
       SELECT 'function', proname, 'pg_proc'::regclass, oid FROM pg_proc
       WHERE pronamespace = 'public'::regnamespace AND proname = ANY ($1)
     ) AS present
     WHERE NOT EXISTS (SELECT FROM pg_depend AS of_extension
                       WHERE of_extension.classid = catalog AND of_extension.objid = present.oid
                         AND of_extension.deptype = 'e')
     ORDER BY kind, name`,
    [names],
  );
  return rows.map(({ what }) => what);
}

const MOST_NAMED = 5;

function notOurs(url: string, found: readonly string[]): AfterhoursError {
  const named = found.slice(0, MOST_NAMED).join(", ");
  const more = found.length > MOST_NAMED ? ` and ${found.length - MOST_NAMED} more` : "";
  return new AfterhoursError(
    "DATABASE_NOT_OURS",
    `${describeServer(url)} belongs to another application, or to a newer version of this one: it has ${named}${more}.`,
    {
      remedy:
        "Nothing was written. Give Afterhours a database of its own, or move the other application's tables and its _prisma_migrations to another schema first: docs/adapting.md#in-the-same-database says how.",
    },
  );
}

/**
 * Takes away a history that we began and that holds nothing, so that a first migration that fails leaves no
 * trace: another application's `prisma migrate deploy` would stop at it.
 *
 * @returns whether it was taken away
 */
export async function forgetEmptyHistory(admin: pg.Client, { isKept }: History): Promise<boolean> {
  if (isKept) return false;
  const rows = await readNames(admin).catch(() => undefined);
  if (rows === undefined || rows.some(({ isApplied }) => isApplied)) return false;
  await admin.query("DROP TABLE public._prisma_migrations");
  // Behind a pooler the lock is held by a transaction, which would take this back when it ends.
  if (admin.getTransactionStatus() === "T") await admin.query("COMMIT");
  return true;
}
