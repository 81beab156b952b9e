import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectionConfig } from "../../../lib/db/connection.ts";
import {
  openDatabase,
  inTransaction,
  sql,
  type Db,
  type DbSession,
} from "../../../lib/db/client.ts";
import { freePort } from "../../../scripts/dev/services/free-port.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import {
  isConnectionError,
  isLockConflict,
  isMissingSchema,
  sqlStateOf,
} from "../../../lib/db/sqlstate.ts";

/** The same errors through the library of the harness and through that of the cores. */
describe.each(["pg", "a core's session"] as const)("what Postgres says, through %s", (library) => {
  let database: TestDatabase;
  const opened: Session[] = [];
  beforeAll(async () => {
    database = await createTestDatabase();
    await database.query("CREATE TABLE things (id int PRIMARY KEY, count int NOT NULL)");
    await database.query("INSERT INTO things VALUES (1, 0), (2, 0)");
  });
  afterAll(async () => {
    for (const session of opened) await session.close();
    await database.drop();
  });

  async function open(url = database.url): Promise<Session> {
    const session = await (library === "pg" ? openPg(url) : openCore(url));
    opened.push(session);
    return session;
  }
  const errorOf = (work: Promise<unknown>): Promise<unknown> =>
    work.then(
      () => expect.fail("it succeeded"),
      (error: unknown) => error,
    );

  it.each([
    ["SELECT * FROM missing", "42P01"],
    ["SELECT missing FROM things", "42703"],
  ])("%s is a missing schema", async (sql, state) => {
    const error = await errorOf((await open()).run(sql));
    expect(sqlStateOf(error)).toBe(state);
    expect(isMissingSchema(error)).toBe(true);
    expect(isConnectionError(error)).toBe(false);
    expect(isLockConflict(error)).toBe(false);
  });

  it.each([
    ["INSERT INTO things VALUES (1, 0)", "23505"],
    ["INSERT INTO things VALUES (3, NULL)", "23502"],
    ["SELECT 1 / 0", "22012"],
    ["nonsense", "42601"],
  ])("%s is none of what the harness knows by name", async (sql, state) => {
    const error = await errorOf((await open()).run(sql));
    expect(sqlStateOf(error)).toBe(state);
    expect(isMissingSchema(error) || isConnectionError(error) || isLockConflict(error)).toBe(false);
  });

  it("a row that another session holds for too long is a lock conflict", async () => {
    const holder = await open();
    const waiter = await open();
    await holder.transaction(async (run) => {
      await run("UPDATE things SET count = count + 1 WHERE id = 1");
      const error = await errorOf(
        waiter.transaction(async (wait) => {
          await wait("SET LOCAL lock_timeout = 20");
          await wait("UPDATE things SET count = count + 1 WHERE id = 1");
        }),
      );
      expect(sqlStateOf(error)).toBe("55P03");
      expect(isLockConflict(error)).toBe(true);
      expect(isConnectionError(error)).toBe(false);
    });
  });

  it("a session that the database ended is a lost connection", async () => {
    const session = await open();
    const [pid] = await session.run("SELECT pg_backend_pid() AS value");
    const asked = errorOf(session.run("SELECT pg_sleep(60) AS value"));
    await expect
      .poll(() =>
        database.query(
          "SELECT pg_terminate_backend(pid) AS ended FROM pg_stat_activity WHERE pid = $1 AND query LIKE '%pg_sleep(60)%'",
          [pid],
        ),
      )
      .toEqual([{ ended: true }]);
    const error = await asked;
    expect(isConnectionError(error)).toBe(true);
    expect(isMissingSchema(error) || isLockConflict(error)).toBe(false);
  });

  it.each([
    ["a port where nobody listens", (url: URL, port: number) => void (url.port = String(port))],
    ["a wrong password", (url: URL) => void (url.password = "wrong")],
    ["a database that is not there", (url: URL) => void (url.pathname = "/not_there")],
  ])("%s is a lost connection", async (_what, change) => {
    const url = new URL(database.url);
    change(url, await freePort());
    const error = await errorOf(open(url.href).then((session) => session.run("SELECT 1 AS value")));
    expect(isConnectionError(error)).toBe(true);
    expect(isMissingSchema(error) || isLockConflict(error)).toBe(false);
  });
});

/** Runs a statement and answers with the column `value`. */
type Run = (sql: string) => Promise<unknown[]>;

interface Session {
  run: Run;
  transaction(body: (run: Run) => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

async function openPg(url: string): Promise<Session> {
  const client = new pg.Client(
    connectionConfig({ url, applicationName: "afterhours tests/errors", readOnly: false }),
  );
  client.on("error", () => undefined);
  await client.connect();
  const run: Run = async (sql) =>
    (await client.query<{ value: unknown }>(sql)).rows.map(({ value }) => value);
  return {
    run,
    async transaction(body) {
      await run("BEGIN");
      try {
        await body(run);
        await run("COMMIT");
      } catch (error) {
        await run("ROLLBACK");
        throw error;
      }
    },
    close: () => client.end(),
  };
}

function openCore(url: string): Promise<Session> {
  const db: Db = openDatabase({
    url,
    applicationName: "afterhours tests/errors",
    readOnly: false,
    connections: 1,
  });
  const runner =
    (session: DbSession): Run =>
    async (text) =>
      (await session.query<{ value: unknown }[]>(sql([text]))).map(({ value }) => value);
  return Promise.resolve({
    run: runner(db),
    transaction: (body) => inTransaction(db, (tx) => body(runner(tx))),
    close: () => db.close(),
  });
}
