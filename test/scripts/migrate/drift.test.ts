import { appendFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";
import { schemaDrift } from "../../../scripts/dev/migrate/drift.ts";
import {
  OUR_FOLDERS,
  readMigrations,
  readSchema,
} from "../../../scripts/cli/schema/migration-files.ts";
import { openSchemaEngine } from "../../../scripts/dev/migrate/schema-engine.ts";
import { copyOfOurFolders, writeMigration } from "./folders.ts";

const serverUrl = inject("postgresUrl");
const LAST = "29990101000000_by_hand";

let folders: ReturnType<typeof copyOfOurFolders>;

beforeEach(() => {
  folders = copyOfOurFolders();
});

afterEach(() => {
  folders.remove();
});

describe("schemaDrift", () => {
  it("finds that this repository's migrations lead to its schema", async () => {
    expect(await schemaDrift({ serverUrl })).toBe("");
  });

  it("prints the SQL for a column that the schema has and no migration makes", async () => {
    const model = 'model Extra {\n  id Int @id\n  label String\n\n  @@map("extra")\n}\n';
    appendFileSync(join(folders.schemaDir, "tax.prisma"), model);
    const sql = await schemaDrift({ serverUrl, folders });
    expect(sql).toContain('CREATE TABLE "extra"');
    writeMigration(folders, LAST, sql);
    expect(await schemaDrift({ serverUrl, folders })).toBe("");
  });

  it.each([
    ["a check", `ALTER TABLE consultants ADD CHECK (name <> '')`],
    ["a partial unique index", "CREATE UNIQUE INDEX ON consultants (name) WHERE name <> ''"],
    ["an index on an expression", "CREATE INDEX ON consultants (lower(name))"],
    ["an exclusion constraint", "ALTER TABLE consultants ADD EXCLUDE (name WITH =)"],
    [
      "a function with a trigger",
      `CREATE FUNCTION same() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
       CREATE TRIGGER same BEFORE INSERT ON consultants FOR EACH ROW EXECUTE FUNCTION same()`,
    ],
    ["a view", "CREATE VIEW one AS SELECT 1 AS one"],
  ])("says nothing of %s that stands in a migration alone", async (_, sql) => {
    writeMigration(folders, LAST, sql);
    expect(await schemaDrift({ serverUrl, folders })).toBe("");
  });

  it.each([
    ["a table", "CREATE TABLE extra (id int PRIMARY KEY)", 'DROP TABLE "extra"'],
    ["a whole index", "CREATE INDEX extra ON consultants (created_at)", 'DROP INDEX "extra"'],
    ["a column", "ALTER TABLE consultants ADD extra int", 'DROP COLUMN "extra"'],
    ["a default", "ALTER TABLE consultants ALTER name SET DEFAULT 'x'", "DROP DEFAULT"],
  ])("reports %s that the schema does not know", async (_, sql, expected) => {
    writeMigration(folders, LAST, sql);
    expect(await schemaDrift({ serverUrl, folders })).toContain(expected);
  });

  it("drops its scratch database, also when a migration does not run", async () => {
    const sql = "DO $$ BEGIN RAISE EXCEPTION 'replayed in <%>', current_database(); END $$";
    writeMigration(folders, LAST, sql);
    const message = await schemaDrift({ serverUrl, folders }).catch((error: unknown) =>
      String(error),
    );
    expect(message).toContain(LAST);
    const name = /replayed in <(\w+)>/.exec(message)?.[1];
    expect(name).toMatch(/^afterhours_scratch_/);

    const admin = new pg.Client({ connectionString: serverUrl });
    await admin.connect();
    const { rows } = await admin.query("SELECT FROM pg_database WHERE datname = $1", [name]);
    await admin.end();
    expect(rows).toEqual([]);
  });

  it("never replays migrations in a database that was not made for it", async () => {
    const schema = readSchema(OUR_FOLDERS);
    const engine = await openSchemaEngine({ url: serverUrl, schema, isScratch: false });
    await expect(
      engine.diff({ tag: "migrations", ...readMigrations(OUR_FOLDERS) }, { tag: "empty" }),
    ).rejects.toThrow();
    await engine.close();
  });
});
