import { AsyncLocalStorage } from "node:async_hooks";
import type pg from "pg";
import { seconds } from "../support/clock.ts";
import { explainWaits } from "./blockers.ts";
import type { ConnectionOptions } from "./connection.ts";
import { getTypeParser } from "./column-types.ts";
import { newSessionPool } from "./session.ts";
import { sql, SqlPart, toStatement } from "./sql.ts";

export { sql, type SqlPart };

type Statement = TemplateStringsArray | SqlPart;

/** The database inside a transaction, or outside of one. */
export interface DbSession {
  /** The rows: `bigint` is a bigint, `numeric` a string, a time a `Date`, JSON its value; so in arrays as well. */
  query<T = unknown>(statement: Statement, ...values: unknown[]): Promise<T>;
  /** How many rows were written. */
  execute(statement: Statement, ...values: unknown[]): Promise<number>;
}

interface TransactionOptions {
  /** Default: PostgreSQL's own, read committed. */
  isolationLevel?: "RepeatableRead" | "Serializable";
}

/**
 * The database as a core sees it. With one session, a query from within an own transaction but outside of its
 * `tx` is refused: it would wait for the session of this very transaction.
 */
export interface Db extends DbSession {
  /** The session that `body` gets ends with it: used afterwards, it throws. */
  transaction<T>(body: (tx: DbSession) => Promise<T>, options?: TransactionOptions): Promise<T>;
  /** Opens a session if none is open, and reads its settings back. It asks nothing more. */
  connect(): Promise<void>;
  close(): Promise<void>;
}

interface DbOptions extends ConnectionOptions {
  /** Sessions that the client may hold at once; a job has one unless it asks for more. */
  connections: number;
  /** How long a statement waits for one of them. Default 60 s. */
  sessionWaitMs?: number;
}

/**
 * `pg` counts the wait for a session of the pool as part of connecting. Statements queue for the one session of
 * a job, and must not take a full queue for an unreachable database.
 */
const SESSION_WAIT_MS = seconds(60);

/**
 * A client that connects on first use. Disconnect it with `close()`. Where none of its sessions is free in
 * time, a statement throws `DatabaseBusyError`, unless the server is away.
 */
export function openDatabase({
  connections,
  sessionWaitMs = SESSION_WAIT_MS,
  ...connection
}: DbOptions): Db {
  const pool = newSessionPool(connection, {
    connectionTimeoutMillis: sessionWaitMs,
    max: connections,
    idleTimeoutMillis: 0,
    types: { getTypeParser },
  });
  let ended: Promise<void> | undefined;
  const within = new AsyncLocalStorage<OpenTransaction>();
  const refuseWithin = (): void => {
    if (connections > 1 || !within.getStore()?.open) return;
    throw new Error(
      "the database was asked from within its own transaction, which has its only session: use the session that the transaction was given",
    );
  };
  const waiting = explainWaits({ connection, waitedMs: sessionWaitMs });
  const session = sessionOn(pool, refuseWithin);
  return {
    query: (statement, ...values) => waiting(session.query(statement, ...values)),
    execute: (statement, ...values) => waiting(session.execute(statement, ...values)),
    transaction: async (body, options) => {
      refuseWithin();
      const transaction = { open: true };
      const inside = (tx: DbSession): ReturnType<typeof body> =>
        within.run(transaction, () => body(tx));
      return waiting(transact(pool, { body: inside, transaction, ...options }));
    },
    connect: () => waiting(pool.connect().then((client) => client.release())),
    close: () => (ended ??= pool.end()),
  };
}

/** Runs `body` in one transaction: all of its statements are kept, or none. */
export function inTransaction<T>(db: Db, body: (tx: DbSession) => Promise<T>): Promise<T> {
  return db.transaction((tx) => body(tx));
}

/**
 * Runs `body` on one snapshot: all its reads see the same moment, also during other commits. `body` must write
 * nothing.
 */
export function onSnapshot<T>(db: Db, body: (tx: DbSession) => Promise<T>): Promise<T> {
  return db.transaction((tx) => body(tx), { isolationLevel: "RepeatableRead" });
}

interface OpenTransaction {
  open: boolean;
}

/** @param refuse throws where a statement must not be sent */
function sessionOn(target: Pick<pg.ClientBase, "query">, refuse: () => void): DbSession {
  const run = (statement: Statement, values: unknown[]): Promise<pg.QueryResult> => {
    refuse();
    return target.query(
      toStatement(statement instanceof SqlPart ? statement : sql(statement, ...values)),
    );
  };
  return {
    query: async <T>(statement: Statement, ...values: unknown[]) =>
      (await run(statement, values)).rows as T,
    execute: async (statement, ...values) => (await run(statement, values)).rowCount ?? 0,
  };
}

const BEGIN = {
  RepeatableRead: "BEGIN ISOLATION LEVEL REPEATABLE READ",
  Serializable: "BEGIN ISOLATION LEVEL SERIALIZABLE",
};

async function transact<T>(
  pool: pg.Pool,
  {
    body,
    transaction,
    isolationLevel,
  }: TransactionOptions & {
    body: (tx: DbSession) => Promise<T>;
    transaction: OpenTransaction;
  },
): Promise<T> {
  const client = await pool.connect();
  // Outside of the pool a session has no listener; the current statement reports the error.
  const ignore = (): void => undefined;
  client.on("error", ignore);
  let broken: Error | undefined;
  try {
    await client.query(isolationLevel === undefined ? "BEGIN" : BEGIN[isolationLevel]);
    const result = await body(sessionOn(client, refuseAfter(transaction)));
    transaction.open = false;
    const { command } = await client.query("COMMIT");
    // PostgreSQL's answer when a statement failed and the body continued.
    if (command === "ROLLBACK") throw new Error("a statement failed, so nothing was committed");
    return result;
  } catch (error) {
    await client.query("ROLLBACK").catch((reason: unknown) => {
      broken = reason instanceof Error ? reason : new Error(String(reason));
    });
    throw error;
  } finally {
    transaction.open = false;
    client.off("error", ignore);
    // A session that could not roll back is closed; its locks end with it.
    client.release(broken);
  }
}

/** The session goes back to the pool: a statement that came late would be one of somebody else's transaction. */
function refuseAfter(transaction: OpenTransaction): () => void {
  return () => {
    if (!transaction.open) throw new Error("the session of a transaction was used after its end");
  };
}
