import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openDatabase, type Db } from "../../../lib/db/client.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { openTcpProxy } from "../../support/tcp-proxy.ts";
import { DatabaseBusyError } from "../../../lib/db/errors.ts";
import { isConnectionError, isForEveryRow, isLockConflict } from "../../../lib/db/sqlstate.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  await database.query("INSERT INTO job_leases (key, fence) VALUES ('held', 1)");
});
afterAll(() => database.drop());

/** One session, for which a statement waits so long as no other test needs. */
async function withOneSession<T>(
  { url = database.url, sessionWaitMs = 300 }: { url?: string; sessionWaitMs?: number },
  work: (db: Db) => Promise<T>,
): Promise<T> {
  const applicationName = "a job with one session";
  const db = openDatabase({ url, applicationName, readOnly: false, connections: 1, sessionWaitMs });
  try {
    return await work(db);
  } finally {
    await db.close();
  }
}

/** What each of the statements that wait for the session is told, while another program holds `held`. */
async function toldWhile(held: string): Promise<unknown[]> {
  const other = new pg.Client({
    connectionString: database.url,
    application_name: "another program",
  });
  await other.connect();
  try {
    await other.query("BEGIN");
    await other.query(held);
    return await withOneSession({}, async (db) => {
      await db.execute`SELECT 1`;
      const all = await Promise.allSettled([
        db.execute`UPDATE job_leases SET fence = 2 WHERE key = 'held'`,
        db.execute`SELECT 1`,
        db.transaction((tx) => tx.execute`SELECT 1`),
      ]);
      const [holding, ...waiting] = all.map((each) =>
        each.status === "rejected" ? (each.reason as unknown) : undefined,
      );
      expect(isLockConflict(holding)).toBe(true);
      return waiting;
    });
  } finally {
    await other.end();
  }
}

describe("a statement for which none of the run's own sessions is free in time", () => {
  it.each([
    ["rows", "SELECT 1 FROM job_leases FOR UPDATE"],
    ["a table", "LOCK TABLE job_leases IN ACCESS EXCLUSIVE MODE"],
  ])("says who holds up the session, and where (%s)", async (_, held) => {
    const told = await toldWhile(held);
    expect(told).toHaveLength(2);
    for (const error of told) {
      expect(error).toBeInstanceOf(DatabaseBusyError);
      expect(error).toMatchObject({
        code: "DB_BUSY",
        message: expect.stringMatching(
          /is up, .* wait for rows or all of job_leases held by session \d+ \(another program\)$/,
        ) as string,
        remedy: expect.stringContaining("pg_terminate_backend") as string,
      });
      expect([isConnectionError(error), isForEveryRow(error)]).toEqual([false, true]);
    }
  });

  it("says so where nobody holds it up but the run itself", async () => {
    await withOneSession({}, async (db) => {
      await db.execute`SELECT 1`;
      const [, waiting] = await Promise.allSettled([
        db.query`SELECT pg_sleep(2)`,
        db.execute`SELECT 1`,
      ]);
      expect(waiting).toMatchObject({
        reason: {
          code: "DB_BUSY",
          message: expect.stringContaining("the sessions that block them are unknown") as string,
        },
      });
    });
  });

  it("takes the server for away when it does not answer another session either", async () => {
    const line = await openTcpProxy(database.url);
    try {
      await withOneSession({ url: line.through(database.url) }, async (db) => {
        await db.execute`SELECT 1`;
        const sleeping = db.query`SELECT pg_sleep(2)`.catch((error: unknown) => error);
        const waiting = db.execute`SELECT 1`.catch((error: unknown) => error);
        line.silence();
        expect(isConnectionError(await waiting)).toBe(true);
        line.drop();
        await sleeping;
      });
    } finally {
      await line.close();
    }
  });
});
