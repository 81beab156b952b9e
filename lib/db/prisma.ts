import { PrismaPg } from "@prisma/adapter-pg";
import { seconds } from "../support/clock.ts";
import { connectionConfig, type ConnectionOptions } from "./connection.ts";
import { Prisma, PrismaClient } from "./generated/client.ts";

/** The database as a core sees it. */
export type Db = PrismaClient;
/** The database inside a transaction, or outside of one. */
export type DbSession = Pick<PrismaClient, "$queryRaw" | "$executeRaw">;

/** A piece of a statement, to be put into a larger one. Values in it stay parameters. */
export type SqlPart = Prisma.Sql;
export const sql = Prisma.sql;

export interface PrismaOptions extends ConnectionOptions {
  /** Sessions that the client may hold at once; a job has one unless it asks for more. */
  connections: number;
}

/**
 * `pg` counts the wait for a session of the pool as part of connecting. Work in hand queues for the one
 * session that a job has, and must not take a full queue for a database that is away.
 */
const SESSION_WAIT_MS = seconds(60);

/** A client that connects on first use. Disconnect it with `$disconnect()`. */
export function createPrisma({ connections, ...connection }: PrismaOptions): Db {
  const adapter = new PrismaPg({
    ...connectionConfig(connection),
    connectionTimeoutMillis: SESSION_WAIT_MS,
    max: connections,
  });
  return new PrismaClient({ adapter });
}

/** How long a unit of work may wait for the job's session, and how long it may then take. */
const TRANSACTION_OPTIONS = { maxWait: 120_000, timeout: 60_000 };

/** Reading whole books takes its time; nothing waits for it. */
const SNAPSHOT_TIMEOUT_MS = seconds(600);

/** Runs `body` in one transaction: all of its statements are kept, or none. */
export function inTransaction<T>(db: Db, body: (tx: DbSession) => Promise<T>): Promise<T> {
  return db.$transaction((tx) => body(tx), TRANSACTION_OPTIONS);
}

/**
 * Runs `body` on one snapshot: everything it reads is as of one moment, whatever is committed meanwhile. It
 * must write nothing.
 */
export function onSnapshot<T>(db: Db, body: (tx: DbSession) => Promise<T>): Promise<T> {
  return db.$transaction((tx) => body(tx), {
    ...TRANSACTION_OPTIONS,
    timeout: SNAPSHOT_TIMEOUT_MS,
    isolationLevel: "RepeatableRead",
  });
}
