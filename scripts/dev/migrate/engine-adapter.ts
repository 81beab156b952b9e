import { AsyncLocalStorage } from "node:async_hooks";
import { PrismaPg } from "@prisma/adapter-pg";
import {
  ColumnTypeEnum,
  DriverAdapterError,
  type SqlDriverAdapter,
  type SqlMigrationAwareDriverAdapterFactory,
  type SqlQuery,
} from "@prisma/driver-adapter-utils";
import pg from "pg";
import { sqlStateOf } from "../../../lib/db/sqlstate.ts";
import { newSessionPool, type DatabaseSession } from "../../../lib/db/session.ts";
import { administration } from "../../cli/frame/database-url.ts";

/** The name of its session, by which the blockers of a migration are found. */
export const MIGRATION_SESSION = "afterhours migration";

/**
 * How long a migration waits for a lock. All later sessions wait behind it meanwhile: half as long as a job
 * waits, so that no job gives up.
 */
const LOCK_WAIT = "1s";

/** PostgreSQL's `"char"`, one byte, in which its catalogs keep kinds of things. */
const CHAR_OID = 18;

/** Positions of the `"char"` columns in the result of the query that runs. */
const charColumns = new AsyncLocalStorage<Set<number>>();

/**
 * Connects Prisma's migration engine. `PrismaPg` alone will not do, as of 7.10:
 * - it cuts a script at every semicolon, so a function body breaks, and a migration that fails
 *   half-way leaves half of itself behind. Here a script goes to the server whole, which makes it
 *   one transaction, as with Prisma's native engine;
 * - it refuses columns of type `"char"`, so the engine cannot read the catalogs;
 * - asked for a shadow database, it connects to the main one when it was given a URL.
 */
export class EngineAdapterFactory implements SqlMigrationAwareDriverAdapterFactory {
  readonly provider = "postgres";
  readonly adapterName = "@prisma/adapter-pg";
  readonly #url: string;
  readonly #isScratch: boolean;
  readonly #pools: pg.Pool[] = [];
  #sqlState: string | undefined;

  constructor(options: { url: string; isScratch: boolean }) {
    this.#url = options.url;
    this.#isScratch = options.isScratch;
  }

  /** The code of PostgreSQL's last refusal since this was asked last: the engine keeps its words alone. */
  takeSqlState(): string | undefined {
    const state = this.#sqlState;
    this.#sqlState = undefined;
    return state;
  }

  async connect(): Promise<SqlDriverAdapter> {
    const session = { ...administration(this.#url), applicationName: MIGRATION_SESSION };
    // One session: the engine's advisory lock belongs to the session that took it.
    const pool = newSessionPool({ ...session, rowWait: LOCK_WAIT }, { max: 1 });
    this.#pools.push(pool);
    const isPooled = await pool.connect().then((client) => {
      client.release();
      return (client as unknown as DatabaseSession).isPooled;
    });
    if (isPooled) withoutSessionLocks(pool);
    noteCharColumns(pool);
    aroundQueries(pool, async (query, ...args) => {
      try {
        return await query(...args);
      } catch (error) {
        this.#sqlState = sqlStateOf(error) ?? this.#sqlState;
        throw error;
      }
    });
    const adapter = await new PrismaPg(pool).connect();
    const queryRaw = adapter.queryRaw.bind(adapter);
    adapter.queryRaw = async (query: SqlQuery) => {
      const positions = new Set<number>();
      const result = await charColumns.run(positions, () => queryRaw(query));
      for (const position of positions) {
        result.columnTypes[position] = ColumnTypeEnum.Character;
      }
      return result;
    };
    adapter.executeScript = (script: string) => executeWhole(pool, script);
    return adapter;
  }

  connectToShadowDb(): Promise<SqlDriverAdapter> {
    if (this.#isScratch) return this.connect();
    return Promise.reject(new Error("Migrations are replayed in a scratch database only."));
  }

  async close(): Promise<void> {
    await Promise.all(this.#pools.map((pool) => pool.end()));
  }
}

type Query = (...args: unknown[]) => Promise<pg.QueryResult>;

function aroundQueries(
  pool: pg.Pool,
  around: (query: Query, ...args: unknown[]) => Promise<pg.QueryResult>,
): void {
  const query = pool.query.bind(pool) as Query;
  Object.assign(pool, { query: (...args: unknown[]) => around(query, ...args) });
}

/** Lets `"char"` pass as text and remembers where it stood. */
function noteCharColumns(pool: pg.Pool): void {
  aroundQueries(pool, async (query, ...args) => {
    const result = await query(...args);
    const positions = charColumns.getStore();
    if (!positions) return result;
    for (const [position, field] of result.fields.entries()) {
      if (field.dataTypeID !== CHAR_OID) continue;
      field.dataTypeID = pg.types.builtins.TEXT;
      positions.add(position);
    }
    return result;
  });
}

/**
 * The engine locks in its session, which a pooler gives to somebody else with the lock in it. Our own lock keeps
 * another migrating process away.
 */
function withoutSessionLocks(pool: pg.Pool): void {
  const inTransaction = (text: unknown): unknown =>
    typeof text === "string"
      ? text.replace(/\bpg_advisory_lock\(/g, "pg_advisory_xact_lock(")
      : text;
  aroundQueries(pool, (query, statement, ...rest) =>
    typeof statement === "object" && statement !== null && "text" in statement
      ? query({ ...statement, text: inTransaction(statement.text) }, ...rest)
      : query(inTransaction(statement), ...rest),
  );
}

async function executeWhole(pool: pg.Pool, script: string): Promise<void> {
  try {
    await pool.query(script);
  } catch (error) {
    if (!(error instanceof pg.DatabaseError)) throw error;
    throw new DriverAdapterError({
      kind: "postgres",
      code: error.code ?? "XX000",
      severity: error.severity ?? "ERROR",
      message: error.message,
      detail: error.detail,
      column: error.column,
      hint: error.hint,
    });
  }
}
