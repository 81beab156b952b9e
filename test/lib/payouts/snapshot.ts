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
  const all: Record<string, string[]> = {};
  for (const { name } of tables) {
    if (except.some((prefix) => name.startsWith(prefix))) continue;
    const rows = await database.query<{ row: string }>(
      `SELECT (to_jsonb(t) - 'last_seen_at')::text AS row FROM ${name} AS t ORDER BY 1`,
    );
    all[name] = rows.map(({ row }) => row);
  }
  return all;
}
