import { createHash, randomUUID } from "node:crypto";
import pg from "pg";
import { inject } from "vitest";
import { sleep } from "../../lib/support/clock.ts";

export interface TestDatabase {
  readonly url: string;
  readonly name: string;
  /** How long runs on it wait for a locked row, where that is not what the product says. */
  readonly rowWait?: string;
  /**
   * Runs one statement on a session of its own and returns the rows. `int8` comes as bigint and
   * `date` as `YYYY-MM-DD`, as the code under test has them.
   *
   * @param options.prepared for one that is run again and again: the session keeps it, parsed and planned
   */
  query<Row extends pg.QueryResultRow = pg.QueryResultRow>(
    sql: string,
    parameters?: unknown[],
    options?: { prepared?: boolean },
  ): Promise<Row[]>;
  /** Drops it. Fails when a session is still open: the code under test has leaked it. */
  drop(): Promise<void>;
}

const SESSIONS_END_WITHIN_MS = 5_000;

/**
 * A database of its own for one test or one file, on the run's server or on another: migrated and empty,
 * or a copy of `template`, the name of another database there that nobody is connected to.
 */
export async function createTestDatabase({
  serverUrl = inject("postgresUrl"),
  template = inject("templateDatabase"),
}: { serverUrl?: string; template?: string } = {}): Promise<TestDatabase> {
  const name = `test_${randomUUID().replaceAll("-", "")}`;
  await asAdmin(serverUrl, (admin) =>
    admin.query(`CREATE DATABASE ${name} TEMPLATE ${template} STRATEGY FILE_COPY`),
  );
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  const session = lazySession(url.href);
  return {
    url: url.href,
    name,
    query: async <Row extends pg.QueryResultRow>(
      text: string,
      values: unknown[] = [],
      { prepared = false }: { prepared?: boolean } = {},
    ) => {
      const name = prepared ? { name: createHash("md5").update(text).digest("hex") } : {};
      return (await (await session.open()).query<Row>({ text, values, ...name })).rows;
    },
    drop: async () => {
      await session.close();
      await asAdmin(serverUrl, (admin) => dropOnceIdle(admin, name));
    },
  };
}

/** A session needs a moment to end after its client has closed the socket. */
async function dropOnceIdle(admin: pg.Client, name: string): Promise<void> {
  const deadline = performance.now() + SESSIONS_END_WITHIN_MS;
  let open = await openSessions(admin, name);
  while (open.length > 0 && performance.now() < deadline) {
    await sleep(20);
    open = await openSessions(admin, name);
  }
  await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
  if (open.length === 0) return;
  const sessions = open.map(({ label, query }) => `${label || "unnamed"}: ${query}`).join("\n  ");
  throw new Error(`${open.length} session(s) were left open:\n  ${sessions}`);
}

async function openSessions(
  admin: pg.Client,
  name: string,
): Promise<{ label: string; query: string }[]> {
  const { rows } = await admin.query<{ label: string; query: string }>(
    `SELECT application_name AS label, left(regexp_replace(query, '\\s+', ' ', 'g'), 120) AS query
     FROM pg_stat_activity WHERE datname = $1 AND backend_type = 'client backend'`,
    [name],
  );
  return rows;
}

function lazySession(connectionString: string): {
  open: () => Promise<pg.Client>;
  close: () => Promise<void>;
} {
  let opening: Promise<pg.Client> | undefined;
  const connect = async (): Promise<pg.Client> => {
    const client = new pg.Client({ connectionString, types, application_name: "test query" });
    // The next query opens another one: the server may be one that a test restarts.
    client.on("error", () => (opening = undefined));
    await client.connect();
    return client;
  };
  return {
    open: () => (opening ??= connect()),
    close: async () => {
      const client = await opening?.catch(() => undefined);
      await client?.end();
    },
  };
}

const INT8: number = pg.types.builtins.INT8;
const DATE: number = pg.types.builtins.DATE;

const types: pg.CustomTypesConfig = {
  getTypeParser: (type, format?: "text" | "binary") => {
    const oid: number = type;
    if (oid === INT8) return (text: string) => BigInt(text);
    if (oid === DATE) return (text: string) => text;
    return pg.types.getTypeParser(type, format) as (text: string) => unknown;
  },
};

async function asAdmin<T>(serverUrl: string, work: (admin: pg.Client) => Promise<T>): Promise<T> {
  const admin = new pg.Client({ connectionString: serverUrl });
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.end();
  }
}
