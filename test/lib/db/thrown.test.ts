import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inTransaction, type Db, type DbSession } from "../../../lib/db/client.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { seedPayee } from "../../support/payout-world.ts";
import { endSessions, impatient, inSession, withDb } from "../payouts/sessions.ts";
import {
  isConnectionError,
  isLockConflict,
  isMissingSchema,
  sqlStateOf,
} from "../../../lib/db/sqlstate.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  await seedPayee(database);
});
afterAll(() => database.drop());

/** What is thrown by a statement, alone and in a transaction. */
async function thrownBy(
  database: Pick<TestDatabase, "url" | "rowWait">,
  sql: TemplateStringsArray,
  before: () => unknown = () => undefined,
): Promise<unknown[]> {
  return withDb(database, async (db) => {
    await before();
    const alone = await caught(() => db.execute(sql));
    const together = await caught(() => inTransaction(db, (tx) => tx.execute(sql)));
    return [alone, together];
  });
}

async function caught(work: () => Promise<unknown>): Promise<unknown> {
  try {
    await work();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

const statement = (sql: string): TemplateStringsArray => Object.assign([sql], { raw: [sql] });

describe("what a core is thrown, read by the code that Postgres gave", () => {
  it.each([
    ["23514", "UPDATE payouts SET tries = -1"],
    [
      "23505",
      "INSERT INTO consultants (external_ref, name) SELECT external_ref, name FROM consultants",
    ],
    ["23503", "UPDATE earnings SET consultant_id = gen_random_uuid()"],
    ["23502", "UPDATE payouts SET status = NULL"],
    ["22P02", "SELECT 'x'::uuid"],
    ["22003", "UPDATE payouts SET amount_paise = 9223372036854775807 + amount_paise"],
    ["P0001", "DO $$ BEGIN RAISE EXCEPTION 'no'; END $$"],
  ])("%s is neither a lost session nor a lock", async (state, sql) => {
    for (const error of await thrownBy(database, statement(sql))) {
      expect(sqlStateOf(error)).toBe(state);
      expect([isConnectionError(error), isLockConflict(error), isMissingSchema(error)]).toEqual([
        false,
        false,
        false,
      ]);
    }
  });

  it.each([
    ["42P01", "SELECT 1 FROM no_such_table"],
    ["42703", "SELECT no_such_column FROM payouts"],
  ])("%s is a missing migration", async (state, sql) => {
    for (const error of await thrownBy(database, statement(sql))) {
      expect(sqlStateOf(error)).toBe(state);
      expect(isMissingSchema(error)).toBe(true);
    }
  });

  it("55P03, a row that another session holds too long, is a lock conflict", async () => {
    const errors = await inSession(database, async (client) => {
      await client.query("BEGIN");
      await client.query("SELECT 1 FROM payouts FOR UPDATE");
      return thrownBy(impatient(database), statement("UPDATE payouts SET tries = 0"));
    });
    for (const error of errors) {
      expect(sqlStateOf(error)).toBe("55P03");
      expect(isLockConflict(error)).toBe(true);
      expect(isConnectionError(error)).toBe(false);
    }
  });

  it("a session that was ended is a lost session, at once and later", async () => {
    await withDb(database, async (db) => {
      const inTransactionThat = (body: (tx: DbSession) => Promise<unknown>) =>
        caught(() => inTransaction(db, body));
      const first = await inTransactionThat(async (tx) => {
        await tx.execute`SELECT 1`;
        await endSessions(database);
        await tx.execute`SELECT 1`;
      });
      expect(isConnectionError(first)).toBe(true);
      await db.execute`SELECT 1`;
      const sleeping = caught(() => db.execute`SELECT pg_sleep(30)`);
      await untilAsleep();
      await endSessions(database);
      expect(isConnectionError(await sleeping)).toBe(true);
    });
  });

  it.each([
    ["nobody listens", (url: URL) => void (url.port = "1")],
    ["there is no such database", (url: URL) => void (url.pathname = "/no_such_database")],
    ["there is no such role", (url: URL) => void (url.username = "no_such_role")],
  ])("%s: a session that was never made", async (_title, change) => {
    const url = new URL(database.url);
    change(url);
    for (const error of await thrownBy({ url: url.href }, statement("SELECT 1"))) {
      expect(isConnectionError(error)).toBe(true);
      expect(isLockConflict(error)).toBe(false);
    }
  });

  it("a deadlock is a lock conflict", async () => {
    await database.query("INSERT INTO job_leases (key, fence) VALUES ('a', 1), ('b', 1)");
    const cross = (db: Db, first: string, second: string, met: () => Promise<void>) =>
      inTransaction(db, async (tx) => {
        await tx.execute`UPDATE job_leases SET fence = 2 WHERE key = ${first}`;
        await met();
        await tx.execute`UPDATE job_leases SET fence = 2 WHERE key = ${second}`;
      });
    let arrived = 0;
    let open: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    const met = (): Promise<void> => {
      if (++arrived === 2) open();
      return gate;
    };
    const results = await withDb(database, (one) =>
      withDb(database, (other) =>
        Promise.allSettled([cross(one, "a", "b", met), cross(other, "b", "a", met)]),
      ),
    );
    const reasons = results.flatMap((result) =>
      result.status === "rejected" ? [result.reason as unknown] : [],
    );
    expect(reasons).toHaveLength(1);
    expect(isLockConflict(reasons[0])).toBe(true);
  });
});

describe("anything else that is thrown", () => {
  it.each([undefined, null, "text", 5, {}, new Error("no"), { code: "EPIPE" }])(
    "has no code of Postgres (%s)",
    (thrown) => {
      expect(sqlStateOf(thrown)).toBeUndefined();
      expect(isLockConflict(thrown)).toBe(false);
    },
  );

  it("is read through what it wraps", () => {
    const cause = Object.assign(new Error("lock"), { code: "55P03" });
    expect(sqlStateOf(new Error("outer", { cause: new Error("inner", { cause }) }))).toBe("55P03");
  });
});

async function untilAsleep(): Promise<void> {
  const asleep =
    "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(30)%' AND state = 'active'";
  while ((await database.query(asleep)).length === 0);
}
