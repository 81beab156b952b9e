import pg from "pg";
import { migrate } from "../migrate/apply.ts";
import { startPostgres, type RunningPostgres } from "../services/postgres.ts";

const TEMPLATE = "bench_migrated";

/** The embedded PostgreSQL with production settings: each commit is flushed. */
export interface BenchServer {
  /** A migrated and empty database, or a copy of another one. */
  create: (name: string, template?: string) => Promise<string>;
  drop: (name: string) => Promise<void>;
  stop: () => Promise<void>;
}

export async function startBenchServer(): Promise<BenchServer> {
  const postgres = await startPostgres({ durability: "full" });
  try {
    await statement(postgres, `CREATE DATABASE ${TEMPLATE}`);
    await migrate({ url: postgres.urlOf(TEMPLATE) });
  } catch (error) {
    await postgres.stop();
    throw error;
  }
  return {
    create: async (name, template = TEMPLATE) => {
      await statement(postgres, `CREATE DATABASE ${name} TEMPLATE ${template}`);
      await statement(postgres, "CHECKPOINT");
      return postgres.urlOf(name);
    },
    drop: (name) => statement(postgres, `DROP DATABASE ${name} WITH (FORCE)`),
    stop: () => postgres.stop(),
  };
}

/** One session for as long as the work takes. */
export async function withClient<T>(
  url: string,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({ connectionString: url, application_name: "bench" });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function statement({ url }: RunningPostgres, sql: string): Promise<void> {
  await withClient(url, (admin) => admin.query(sql));
}
