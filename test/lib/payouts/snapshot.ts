import type { TestDatabase } from "../../support/database.ts";

/** All rows of all tables but the record of runs and locks, as text; times of looking are left out. */
export async function snapshot(
  database: Pick<TestDatabase, "query">,
  { except = [] }: { except?: readonly string[] } = {},
): Promise<Record<string, string[]>> {
  const tables = await database.query<{ name: string }>(
    `SELECT tablename AS name FROM pg_tables
     WHERE schemaname = 'public' AND tablename NOT IN ('job_runs', 'job_leases', '_prisma_migrations')
     ORDER BY tablename`,
  );
  const names = tables
    .map(({ name }) => name)
    .filter((name) => !except.some((prefix) => name.startsWith(prefix)));
  const rows = await database.query<{ name: string; row: string }>(
    names
      .map(
        (name) =>
          `SELECT '${name}' AS name, (to_jsonb(t) - 'last_seen_at')::text AS row FROM ${name} AS t`,
      )
      .join(" UNION ALL ") + " ORDER BY 1, 2",
    [],
    { prepared: true },
  );
  const all: Record<string, string[]> = Object.fromEntries(names.map((name) => [name, []]));
  for (const { name, row } of rows) all[name]?.push(row);
  return all;
}
