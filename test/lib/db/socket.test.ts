import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openControlPool } from "../../../lib/db/pool.ts";
import { openDatabase, inTransaction, type Db } from "../../../lib/db/client.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { openTcpProxy, type TcpProxy } from "../../support/tcp-proxy.ts";
import { isConnectionError } from "../../../lib/db/sqlstate.ts";

let database: TestDatabase;
let line: TcpProxy;
beforeEach(async () => {
  database = await createTestDatabase();
  line = await openTcpProxy(database.url);
});
afterEach(async () => {
  await line.close();
  await database.drop();
});

const options = () => ({
  url: line.through(database.url),
  applicationName: "afterhours tests/socket",
  readOnly: false,
});

async function withDb(
  changes: { silenceMs?: number; cut?: AbortSignal },
  work: (db: Db) => Promise<void>,
): Promise<void> {
  const db = openDatabase({ ...options(), connections: 1, ...changes });
  try {
    await work(db);
  } finally {
    await db.close();
  }
}

/** What a statement that must fail has failed with. */
const failureOf = (statement: Promise<unknown>): Promise<unknown> =>
  statement.then(
    () => undefined,
    (error: unknown) => error,
  );

describe("a database that falls silent without closing the connection", () => {
  it("is a lost connection, and a new session is made when it is back", async () => {
    await withDb({ silenceMs: 2000 }, async (db) => {
      await db.query`SELECT 1`;
      line.silence();
      const error = await failureOf(db.query`SELECT 1`);
      expect(isConnectionError(error), String(error)).toBe(true);
      line.restore();
      expect(await db.query`SELECT 1 AS one`).toEqual([{ one: 1 }]);
    });
  });

  it("ends a transaction as well", async () => {
    await withDb({ silenceMs: 2000 }, async (db) => {
      const error = await failureOf(
        inTransaction(db, async (tx) => {
          await tx.query`SELECT 1`;
          line.silence();
          await tx.query`SELECT 1`;
        }),
      );
      expect(isConnectionError(error), String(error)).toBe(true);
    });
  });
});

describe("sessions that are cut", () => {
  it("end in the middle of a statement, and no new one can be made", async () => {
    const cut = new AbortController();
    await withDb({ cut: cut.signal }, async (db) => {
      await db.query`SELECT 1`;
      void line.when({ text: "SELECT 2" }, () => line.silence());
      const waiting = failureOf(db.query`SELECT 2`);
      await line.when({ text: "SELECT 2" }, () => undefined);
      cut.abort();
      expect(isConnectionError(await waiting)).toBe(true);
      line.restore();
      expect(isConnectionError(await failureOf(db.query`SELECT 1`))).toBe(true);
    });
  });

  it("are those of the control pool, too", async () => {
    const cut = new AbortController();
    const pool = await openControlPool({ ...options(), cut: cut.signal }, { random: () => 0 });
    cut.abort();
    expect(isConnectionError(await failureOf(pool.query("SELECT 1")))).toBe(true);
    await pool.end();
  });
});
