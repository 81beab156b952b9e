import { GROUPS, type Group } from "../../scripts/cli/schema/roles.ts";
import type { TestDatabase } from "./database.ts";

/** The rights of a group beyond those of its parent groups. */
export interface Granted {
  table: string;
  right: "insert" | "update" | "delete";
  group: Group;
  /** Of `delete`: none. */
  columns: readonly string[];
}

export interface TableRights {
  table: string;
  columns: readonly string[];
  granted: readonly Granted[];
}

/** The groups whose rights a group has, itself among them. */
export function groupsIn(group: Group): readonly Group[] {
  if (group === "afterhours_operators") return GROUPS;
  return group === "afterhours_readonly" ? [group] : ["afterhours_readonly", group];
}

export function shortName(group: Group): string {
  return group.replace("afterhours_", "");
}

/** Every table and view with its columns and the groups that may write to it, from the catalog. */
export async function readRights(database: TestDatabase): Promise<TableRights[]> {
  const rows = await database.query<{ table: string; columns: string[]; granted: Granted[] }>(
    `SELECT relation.relname AS "table",
            ARRAY(SELECT attname::text FROM pg_attribute
                  WHERE attrelid = relation.oid AND attnum > 0 AND NOT attisdropped ORDER BY attnum) AS columns,
            COALESCE((
              SELECT jsonb_agg(jsonb_build_object('table', relation.relname, 'right', "right", 'group', "group", 'columns', columns)
                               ORDER BY place, "right")
              FROM (
                SELECT lower(held.privilege_type) AS "right", grantee.rolname AS "group",
                       array_position($1::text[], grantee.rolname::text) AS place,
                       COALESCE(jsonb_agg(held.attname ORDER BY held.attnum) FILTER (WHERE held.attname IS NOT NULL), '[]')
                         AS columns
                FROM (
                  SELECT acl.privilege_type, acl.grantee, attname, attnum
                  FROM pg_attribute, aclexplode(attacl) AS acl WHERE attrelid = relation.oid
                  UNION
                  -- A right on the table is one on each of its columns, also on those that are still to come.
                  SELECT acl.privilege_type, acl.grantee, attname, attnum
                  FROM aclexplode(relation.relacl) AS acl
                  LEFT JOIN pg_attribute ON attrelid = relation.oid AND attnum > 0 AND NOT attisdropped
                    AND acl.privilege_type IN ('INSERT', 'UPDATE', 'REFERENCES')
                  WHERE acl.privilege_type <> 'SELECT'
                ) AS held
                JOIN pg_roles AS grantee ON grantee.oid = held.grantee AND grantee.rolname = ANY ($1::text[])
                GROUP BY 1, 2, 3
              ) AS by_right), '[]') AS granted
     FROM pg_class AS relation
     WHERE relation.relnamespace = 'public'::regnamespace AND relation.relkind IN ('r', 'p', 'v', 'm')
     ORDER BY 1`,
    [GROUPS],
  );
  return rows;
}

/** As text that a person reads and compares: one line for each right, and one for the columns that nobody writes. */
export function rightsAsText(tables: readonly TableRights[]): string {
  return tables
    .flatMap(({ table, columns, granted }) => {
      const written = new Set(granted.flatMap((each) => each.columns));
      const untouched = columns.filter((column) => !written.has(column));
      return [
        table,
        ...granted.map(({ right, group, columns: of }) =>
          `  ${right} ${shortName(group)}: ${of.join(" ")}`.trimEnd(),
        ),
        ...(untouched.length > 0 ? [`  nobody: ${untouched.join(" ")}`] : []),
      ];
    })
    .join("\n");
}

/** The text read back. */
export function rightsFromText(text: string): TableRights[] {
  const tables: { table: string; columns: string[]; granted: Granted[] }[] = [];
  for (const line of text.split("\n").filter((each) => each.trim() !== "")) {
    const said = /^ {2}(?:(insert|update|delete) (\w+)|nobody):(.*)$/.exec(line);
    const last = tables.at(-1);
    if (!said || !last) {
      tables.push({ table: line.trim(), columns: [], granted: [] });
      continue;
    }
    const columns = (said[3] ?? "").split(" ").filter((column) => column !== "");
    last.columns.push(...columns.filter((column) => !last.columns.includes(column)));
    const right = said[1];
    const group = GROUPS.find((each) => shortName(each) === said[2]);
    if (group && (right === "insert" || right === "update" || right === "delete"))
      last.granted.push({ table: last.table, right, group, columns });
  }
  return tables;
}
