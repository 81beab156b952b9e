import type { Group } from "../../scripts/cli/schema/roles.ts";
import type { TestDatabase } from "./database.ts";
import type { Login } from "./roles.ts";

/**
 * Records from now on which role writes to which table and how, an update column by column: also by a trigger,
 * and also where no row is hit.
 */
export async function recordRights(database: TestDatabase): Promise<void> {
  await database.query(`
    CREATE SCHEMA watched;
    CREATE TABLE watched.uses (login text, used text, PRIMARY KEY (login, used));
    CREATE FUNCTION watched.note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
    BEGIN
      INSERT INTO watched.uses VALUES (session_user, TG_ARGV[0]) ON CONFLICT DO NOTHING;
      RETURN NULL;
    END $$`);
  const columns = await database.query<{ table: string; column: string; number: number }>(`
    SELECT relname AS "table", attname AS "column", attnum AS number
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attnum > 0 AND NOT attisdropped`);
  const tables = new Set(columns.map(({ table }) => table));
  const triggers = [
    ...[...tables].flatMap((table) =>
      ["INSERT", "DELETE"].map((operation) => ({
        table,
        name: `note_${operation}`,
        event: operation,
        used: `${operation} ${table}`,
      })),
    ),
    ...columns.map(({ table, column, number }) => ({
      table,
      name: `note_update_${number}`,
      event: `UPDATE OF "${column}"`,
      used: `UPDATE ${table}.${column}`,
    })),
  ];
  const statements = triggers.map(
    ({ table, name, event, used }) =>
      `CREATE TRIGGER ${name} AFTER ${event} ON "${table}" FOR EACH STATEMENT EXECUTE FUNCTION watched.note('${used}')`,
  );
  await database.query(statements.join(";"));
}

/** The writes of this login since: `INSERT payouts`, `UPDATE payouts.status`, `DELETE slots`. */
export async function usedRights(
  database: TestDatabase,
  { name }: Pick<Login, "name">,
): Promise<string[]> {
  const rows = await database.query<{ used: string }>(
    "SELECT used FROM watched.uses WHERE login = $1 ORDER BY used",
    [name],
  );
  return rows.map(({ used }) => used);
}

/** The rights of a group to write, beyond those of its parent groups, in the same words. */
export async function grantedRights(database: TestDatabase, group: Group): Promise<string[]> {
  const rows = await database.query<{ granted: string }>(
    `SELECT DISTINCT granted FROM (
       SELECT privilege_type || ' ' || relname AS granted
       FROM pg_class, aclexplode(relacl) WHERE relkind = 'r' AND grantee = $1::regrole
       UNION ALL
       SELECT privilege_type || ' ' || relname || CASE privilege_type WHEN 'UPDATE' THEN '.' || attname ELSE '' END
       FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid, aclexplode(attacl) WHERE grantee = $1::regrole
     ) AS all_rights ORDER BY granted`,
    [group],
  );
  return rows.map(({ granted }) => granted);
}
