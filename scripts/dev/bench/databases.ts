import pg from "pg";
import { migrate } from "../migrate/apply.ts";
import { startPostgres, type RunningPostgres } from "../services/postgres.ts";

const TEMPLATE = "bench_migrated";

/** The embedded PostgreSQL with production settings: each commit is flushed. */
export interface BenchServer {
  /** Its superuser's, for actions on a whole database. */
  readonly url: string;
  /** A migrated and empty database. */
  create: (name: string) => Promise<string>;
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
    url: postgres.url,
    create: async (name) => {
      await statement(postgres, `CREATE DATABASE ${name} TEMPLATE ${TEMPLATE}`);
      return postgres.urlOf(name);
    },
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
