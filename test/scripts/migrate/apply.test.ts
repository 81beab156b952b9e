import pg from "pg";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";
import { migrate } from "../../../scripts/dev/migrate/apply.ts";
import { OUR_FOLDERS, readMigrations } from "../../../scripts/cli/schema/migration-files.ts";
import { withScratchDatabase } from "../../../scripts/dev/migrate/scratch-database.ts";
import { copyOfOurFolders, writeMigration } from "./folders.ts";

const ours = readMigrations(OUR_FOLDERS).migrationDirectories.map(({ path }) => path);

let folders: ReturnType<typeof copyOfOurFolders>;

beforeEach(() => {
  folders = copyOfOurFolders();
});

afterEach(() => {
  folders.remove();
});

function inEmptyDatabase(test: (url: string) => Promise<void>): () => Promise<void> {
  return () => withScratchDatabase(inject("postgresUrl"), test);
}

async function queryIn<Row extends pg.QueryResultRow>(url: string, sql: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}

describe("migrate", () => {
  it(
    "brings an empty database to the present, and does nothing the second time",
    inEmptyDatabase(async (url) => {
      expect(await migrate({ url })).toEqual(ours);
      expect(await migrate({ url })).toEqual([]);
    }),
  );

  it(
    "records what it did as `prisma migrate deploy` does",
    inEmptyDatabase(async (url) => {
      await migrate({ url });
      const rows = await queryIn(
        url,
        `SELECT migration_name, finished_at IS NOT NULL AS finished, applied_steps_count AS steps,
           length(checksum) AS checksum FROM _prisma_migrations ORDER BY started_at`,
      );
      expect(rows).toEqual(
        ours.map((name) => ({ migration_name: name, finished: true, steps: 1, checksum: 64 })),
      );
    }),
  );

  it(
    "applies each migration once when several migrate at the same time, and tells those who wait",
    inEmptyDatabase(async (url) => {
      const said: string[] = [];
      const say = (line: string): void => void said.push(line);
      const applied = await Promise.all([1, 2, 3].map(() => migrate({ url, say })));
      expect(applied.toSorted((a, b) => b.length - a.length)).toEqual([ours, [], []]);
      expect(said).toEqual(Array(2).fill(expect.stringContaining("waiting")));
    }),
  );

  it(
    "sends a function body with its semicolons to the server unbroken",
    inEmptyDatabase(async (url) => {
      const sql = `CREATE FUNCTION three() RETURNS int LANGUAGE plpgsql AS $$
        BEGIN PERFORM 1; PERFORM 2; RETURN 3; END $$; SELECT 'a;b';`;
      writeMigration(folders, "29990101000000_function", sql);
      await migrate({ url, folders });
      expect(await queryIn(url, "SELECT three()")).toEqual([{ three: 3 }]);
    }),
  );

  it(
    "leaves nothing of a migration that fails, names it, and goes on once it is corrected",
    inEmptyDatabase(async (url) => {
      await migrate({ url });
      const name = "29990101000000_broken";
      writeMigration(folders, name, "CREATE TABLE half (id int); SELECT 1 / 0;");

      await expect(migrate({ url, folders })).rejects.toMatchObject({
        code: "MIGRATION_FAILED",
        message: `The migration ${name} failed and left nothing behind: ERROR: division by zero`,
        remedy: expect.stringContaining(`--rolled-back ${name}`) as string,
      });
      expect(await queryIn(url, "SELECT to_regclass('half') AS half")).toEqual([{ half: null }]);

      writeMigration(folders, name, "CREATE TABLE whole (id int);");
      await expect(migrate({ url, folders })).rejects.toThrow(`${name} failed in an earlier run`);
      expect(await migrate({ url, folders, rolledBack: name })).toEqual([name]);
    }),
  );

  it(
    "refuses an unknown name for a migration that failed",
    inEmptyDatabase(async (url) => {
      await migrate({ url });
      await expect(migrate({ url, rolledBack: "no_such" })).rejects.toThrow("no_such");
    }),
  );

  it("names the folder that has no migration.sql", async () => {
    writeMigration(folders, "29990101000000_empty/inner", "");
    await expect(migrate({ url: inject("postgresUrl"), folders })).rejects.toThrow(
      "29990101000000_empty/migration.sql is missing",
    );
  });
});
