import { createHash, randomUUID } from "node:crypto";
import pg from "pg";
import { inject } from "vitest";
import { sleep } from "../../lib/support/clock.ts";

export interface TestDatabase {
  readonly url: string;
  readonly name: string;
  /** Names the environment of runs on it, so that locks in Redis are those of one test. */
  readonly environment: string;
  /** How long runs on it wait for a locked row, where that differs from the product's value. */
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
 *
 * To empty a database costs a quarter of a new one, and its sessions are warm. So `drop` keeps a database of the
 * run's template for the next test of the same file, unless a test changed its schema, rights or settings.
 */
export async function createTestDatabase({
  serverUrl,
  template,
}: { serverUrl?: string; template?: string } = {}): Promise<TestDatabase> {
  const isOrdinary = serverUrl === undefined && template === undefined;
  const server = serverUrl ?? inject("postgresUrl");
  const kept = isOrdinary ? emptied.pop() : undefined;
  if (kept) return handOut(kept, server);
  if (isOrdinary) await (leftovers ??= dropLeftovers(server));
  const name = `${isOrdinary ? prefix() : "test_"}${randomUUID().replaceAll("-", "")}`;
  await asAdmin(server, (admin) =>
    admin.query(
      `CREATE DATABASE ${name} TEMPLATE ${template ?? inject("templateDatabase")} STRATEGY FILE_COPY`,
    ),
  );
  const url = new URL(server);
  url.pathname = `/${name}`;
  const session = lazySession(url.href);
  return handOut({ name, url: url.href, session, isOrdinary }, server);
}

interface OwnDatabase {
  readonly name: string;
  readonly url: string;
  readonly session: LazySession;
  /** A copy of the run's template: the next test may have it. */
  readonly isOrdinary: boolean;
}

/** Databases of this file that no test uses now. */
const emptied: OwnDatabase[] = [];
const sessions = new Map<string, LazySession>();
let leftovers: Promise<void> | undefined;
let handedOut = 0;

/**
 * The files of one worker run one after the other, so the next one may drop the database that the last one kept.
 */
function prefix(): string {
  return `test_${inject("runName")}_${process.env["VITEST_POOL_ID"] ?? "0"}_`;
}

async function dropLeftovers(serverUrl: string): Promise<void> {
  await asAdmin(serverUrl, async (admin) => {
    const { rows } = await admin.query<{ name: string }>(
      "SELECT datname AS name FROM pg_database WHERE starts_with(datname, $1)",
      [prefix()],
    );
    for (const { name } of rows) await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
  });
}

/** One transaction after the other, in the warm session of a database made here, else in a new one. */
export async function inTransaction(
  { url }: { url: string },
  work: (client: pg.Client) => Promise<void>,
): Promise<void> {
  const session = sessions.get(url) ?? lazySession(url);
  const client = await session.open();
  const turn = (turns.get(session) ?? Promise.resolve()).then(async () => {
    await client.query("BEGIN");
    try {
      await work(client);
      await client.query("COMMIT");
    } catch (error) {
      await client.query("ROLLBACK");
      throw error;
    }
  });
  turns.set(
    session,
    turn.catch(() => undefined),
  );
  try {
    await turn;
  } finally {
    if (!sessions.has(url)) await session.close();
  }
}

const turns = new WeakMap<LazySession, Promise<void>>();

function handOut(own: OwnDatabase, serverUrl: string): TestDatabase {
  const { name, url, session } = own;
  sessions.set(url, session);
  return {
    url,
    name,
    environment: `${name}_${(handedOut += 1)}`,
    query: async <Row extends pg.QueryResultRow>(
      text: string,
      values: unknown[] = [],
      { prepared = false }: { prepared?: boolean } = {},
    ) => {
      const name = prepared ? { name: createHash("md5").update(text).digest("hex") } : {};
      return (await (await session.open()).query<Row>({ text, values, ...name })).rows;
    },
    drop: async () => {
      sessions.delete(url);
      if (own.isOrdinary && (await isEmptied(session, name))) emptied.push(own);
      else {
        await session.close();
        await asAdmin(serverUrl, (admin) => dropOnceIdle(admin, name));
      }
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

/**
 * Empties the database for the next test. False: it can't be handed out again, because a test changed its schema
 * or its settings, a session is still open, or the server is away.
 */
async function isEmptied(session: LazySession, name: string): Promise<boolean> {
  try {
    const client = await session.open();
    const deadline = performance.now() + SESSIONS_END_WITHIN_MS;
    while ((await openSessions(client, name)).length > 1) {
      if (performance.now() > deadline) return false;
      await sleep(5);
    }
    await client.query("ROLLBACK; RESET ALL");
    if ((await schemaVersion(client)) !== inject("schemaVersion")) return false;
    await client.query(inject("clearing"));
    return true;
  } catch {
    return false;
  }
}

/**
 * Empties every table but those that migrations fill, and begins every sequence again. Triggers are off meanwhile:
 * many tables refuse to lose a row.
 */
export async function clearingStatement(client: Pick<pg.Client, "query">): Promise<string> {
  const { rows } = await client.query<{ statement: string }>(
    `SELECT format('DELETE FROM %I.%I', schemaname, tablename) AS statement FROM pg_tables
     WHERE schemaname IN ('public', 'simulation')
       AND query_to_xml(format('SELECT 1 FROM %I.%I LIMIT 1', schemaname, tablename), false, true, '')::text = ''
     UNION ALL
     SELECT format('SELECT setval(''%I.%I'', 1, false)', schemaname, sequencename) FROM pg_sequences
     WHERE schemaname IN ('public', 'simulation')`,
  );
  return [
    "SET session_replication_role = replica",
    ...rows.map(({ statement }) => statement),
    "RESET session_replication_role",
  ].join("; ");
}

/**
 * Changes with every statement that alters a table, a function, a trigger, a right or a setting of the database:
 * each writes a row of a catalog, under the number of its transaction.
 */
export async function schemaVersion(client: pg.Client): Promise<string> {
  const catalogs = [
    "pg_class",
    "pg_attribute",
    "pg_attrdef",
    "pg_constraint",
    "pg_default_acl",
    "pg_index",
    "pg_namespace",
    "pg_proc",
    "pg_rewrite",
    "pg_trigger",
    "pg_type",
  ];
  const counts = catalogs.map(
    (catalog) => `(SELECT count(*) || ':' || max(xmin::text::bigint) FROM ${catalog})`,
  );
  const { rows } = await client.query<{ version: string }>(
    `SELECT concat_ws(' ', ${counts.join(", ")},
       (SELECT string_agg(s::text, ' ') FROM pg_db_role_setting s WHERE setdatabase = d.oid),
       datallowconn, datconnlimit, datacl) AS version
     FROM pg_database d WHERE datname = current_database()`,
  );
  return rows[0]?.version ?? "";
}

interface LazySession {
  readonly open: () => Promise<pg.Client>;
  readonly close: () => Promise<void>;
}

function lazySession(connectionString: string): LazySession {
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
