import { afterAll, beforeAll, describe, expect, it } from "vitest";
import pg from "pg";
import { GROUPS, type Group } from "../../scripts/cli/schema/roles.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import {
  groupsIn,
  readRights,
  rightsAsText,
  rightsFromText,
  type TableRights,
} from "../support/rights.ts";
import { createLogins, type Logins } from "../support/roles.ts";
import { EXPECTED_RIGHTS } from "./expected-rights.ts";

let database: TestDatabase;
let logins: Logins;

beforeAll(async () => {
  database = await createTestDatabase();
  logins = await createLogins(database);
});
afterAll(async () => {
  await logins.drop();
  await database.drop();
});

const expected = rightsFromText(EXPECTED_RIGHTS);

/** Whether a group may do it by what is expected, its own rights and those of the groups that it is in. */
function may(
  group: Group,
  { granted }: TableRights,
  right: "insert" | "update" | "delete",
  column?: string,
): boolean {
  return granted.some(
    (each) =>
      each.right === right &&
      groupsIn(group).includes(each.group) &&
      (column === undefined || each.columns.includes(column)),
  );
}

describe("who may write to which column", () => {
  it("is what stands in expected-rights.ts, for each table, view and column that there is", async () => {
    expect(rightsAsText(await readRights(database))).toBe(EXPECTED_RIGHTS.trim());
  });

  it.each(GROUPS)("%s has it also by the groups that it is in, and nothing else", async (group) => {
    const { name } = await logins.login(group);
    const held = await database.query<{ table: string; column: string; can: string }>(
      `SELECT relation.relname AS "table", attname AS "column",
              concat_ws(' ', CASE WHEN has_column_privilege($1, relation.oid, attnum, 'SELECT') THEN 'select' END,
                        CASE WHEN has_column_privilege($1, relation.oid, attnum, 'INSERT') THEN 'insert' END,
                        CASE WHEN has_column_privilege($1, relation.oid, attnum, 'UPDATE') THEN 'update' END,
                        CASE WHEN has_column_privilege($1, relation.oid, attnum, 'REFERENCES') THEN 'references' END,
                        CASE WHEN has_table_privilege($1, relation.oid, 'DELETE') THEN 'delete' END,
                        CASE WHEN has_table_privilege($1, relation.oid, 'TRUNCATE, TRIGGER') THEN 'more' END) AS can
       FROM pg_class AS relation JOIN pg_attribute ON attrelid = relation.oid AND attnum > 0 AND NOT attisdropped
       WHERE relation.relnamespace = 'public'::regnamespace AND relation.relkind IN ('r', 'p', 'v', 'm')
       ORDER BY 1, attnum`,
      [name],
    );
    const wanted = held.map(({ table, column }) => {
      const rights = expected.find((each) => each.table === table);
      if (!rights) throw new Error(`${table} is not in expected-rights.ts`);
      const can = [
        "select",
        ...(may(group, rights, "insert", column) ? ["insert"] : []),
        ...(may(group, rights, "update", column) ? ["update"] : []),
        ...(may(group, rights, "delete") ? ["delete"] : []),
      ];
      return { table, column, can: can.join(" ") };
    });
    expect(held).toEqual(wanted);
  });

  it.each(GROUPS)(
    "is refused to %s by PostgreSQL itself where it stands for nobody",
    async (group) => {
      const { url } = await logins.login(group);
      const views = await database.query<{ name: string }>(
        "SELECT viewname AS name FROM pg_views WHERE schemaname = 'public'",
      );
      const tables = expected.filter(({ table }) => !views.some(({ name }) => name === table));
      const forbidden = tables.flatMap((rights) => forbiddenTo(group, rights));
      const sequences = await database.query<{ name: string }>(
        "SELECT sequencename AS name FROM pg_sequences WHERE schemaname = 'public'",
      );
      const statements = [
        ...forbidden,
        ...views.map(({ name }) => `DROP VIEW ${name}`),
        ...sequences.map(({ name }) => `SELECT setval('${name}', 1)`),
      ];
      expect(statements.length).toBeGreaterThan(expected.length * 5);
      expect(await notRefused(url, statements)).toEqual([]);
    },
  );
});

/** A statement for each thing that the group may not do with the table. None of them would change a row. */
function forbiddenTo(group: Group, rights: TableRights): string[] {
  const { table, columns } = rights;
  const hasUpdate = columns.some((column) => may(group, rights, "update", column));
  return [
    ...columns.flatMap((column) => [
      ...(may(group, rights, "insert", column)
        ? []
        : [`INSERT INTO ${table} ("${column}") SELECT "${column}" FROM ${table} WHERE false`]),
      ...(may(group, rights, "update", column)
        ? []
        : [`UPDATE ${table} SET "${column}" = DEFAULT WHERE false`]),
    ]),
    ...(may(group, rights, "delete") ? [] : [`DELETE FROM ${table} WHERE false`]),
    ...(hasUpdate ? [] : [`SELECT 1 FROM ${table} FOR KEY SHARE`]),
    ...(hasUpdate || may(group, rights, "delete")
      ? []
      : [`LOCK TABLE ${table} IN SHARE ROW EXCLUSIVE MODE`]),
    `TRUNCATE ${table} CASCADE`,
    `ALTER TABLE ${table} DISABLE TRIGGER USER`,
    `CREATE TRIGGER mine BEFORE INSERT ON ${table} FOR EACH ROW EXECUTE FUNCTION refuse_change()`,
    `DROP TABLE ${table} CASCADE`,
  ];
}

/** Those of the statements that did not end with 42501, each with how it ended. All of them are rolled back. */
async function notRefused(url: string, statements: readonly string[]): Promise<string[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query("BEGIN; SET TRANSACTION READ WRITE");
    const list = JSON.stringify(statements).replaceAll("'", "''");
    const thrown: unknown = await client
      .query(
        `DO $all$
         DECLARE each text; DECLARE wrong jsonb := '[]';
         BEGIN
           FOR each IN SELECT jsonb_array_elements_text('${list}'::jsonb) LOOP
             BEGIN
               EXECUTE each;
               wrong := wrong || to_jsonb(each || ': done');
             EXCEPTION
               WHEN insufficient_privilege THEN NULL;
               WHEN OTHERS THEN wrong := wrong || to_jsonb(each || ': ' || SQLSTATE);
             END;
           END LOOP;
           RAISE EXCEPTION '%', wrong USING ERRCODE = 'ZZ001';
         END $all$`,
      )
      .catch((error: unknown) => error);
    if (!(thrown instanceof pg.DatabaseError) || thrown.code !== "ZZ001") throw thrown;
    return JSON.parse(thrown.message) as string[];
  } finally {
    await client.end();
  }
}

describe("beside tables", () => {
  it.each(GROUPS)("%s makes no objects, temporary or large ones included", async (group) => {
    const { name } = await logins.login(group);
    const [held] = await database.query(
      `SELECT has_schema_privilege($1, 'public', 'CREATE') AS "inSchema",
              has_database_privilege($1, current_database(), 'CREATE') AS "schemas",
              has_database_privilege($1, current_database(), 'TEMPORARY') AS "temporary"`,
      [name],
    );
    expect(held).toEqual({ inSchema: false, schemas: false, temporary: false });
    const { url } = await logins.login(group);
    expect(
      await notRefused(url, [
        "SELECT lo_creat(-1)",
        "SELECT lo_create(0)",
        "SELECT lo_from_bytea(0, 'x')",
        "SELECT lo_put(1, 0, 'x')",
        "SELECT lo_unlink(1)",
        "SELECT lowrite(0, 'x')",
        "CREATE TEMPORARY TABLE x (y int)",
        "CREATE SCHEMA x",
      ]),
    ).toEqual([]);
  });

  it("no function of ours works with the owner's rights but those of triggers, which nobody can call", async () => {
    expect(
      await database.query(
        `SELECT proname, prorettype::regtype::text AS returns FROM pg_proc
         WHERE pronamespace = 'public'::regnamespace AND prosecdef ORDER BY 1`,
      ),
    ).toEqual([
      { proname: "add_payee_locks", returns: "trigger" },
      { proname: "begin_offer", returns: "trigger" },
      { proname: "hold_for_dispute", returns: "trigger" },
      { proname: "lock_payee_for_hold", returns: "trigger" },
      { proname: "move_offers", returns: "trigger" },
      { proname: "resolve_failed_refunds", returns: "trigger" },
    ]);
  });
});
