import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openDatabase, type Db } from "../../../lib/db/client.ts";
import { openControlPool } from "../../../lib/db/pool.ts";
import { newSession } from "../../../lib/db/session.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import {
  spoilSessions,
  startPgBouncer,
  type PoolerOptions,
  type TestPooler,
} from "../../support/pgbouncer.ts";

let database: TestDatabase;
let pooler: TestPooler;
let opened: Db[] = [];

const startPooler = (options: PoolerOptions) => async (): Promise<void> => {
  database = await createTestDatabase();
  pooler = await startPgBouncer(database.url, options);
};
const stopPooler = async (): Promise<void> => {
  await pooler.stop();
  await database.drop();
};
afterEach(async () => {
  for (const db of opened) await db.close();
  opened = [];
});

function open(given: { readOnly?: boolean; connections?: number } = {}): Db {
  const db = openDatabase({
    url: pooler.url,
    applicationName: "afterhours tests/pooled",
    readOnly: false,
    connections: 1,
    ...given,
  });
  opened.push(db);
  return db;
}

interface Now {
  pid: number;
  style: string;
  path: string;
  isolation: string;
  readOnly: string;
  wait: string;
  commit: string;
}
const NOW = `SELECT pg_backend_pid() AS pid, current_setting('DateStyle') AS style,
  current_setting('search_path') AS path, current_setting('transaction_isolation') AS isolation,
  current_setting('transaction_read_only') AS "readOnly", current_setting('lock_timeout') AS wait,
  current_setting('synchronous_commit') AS commit`;
const nowOf = async (db: Pick<Db, "query">): Promise<Now> => {
  const [row] = await db.query<Now[]>([NOW] as unknown as TemplateStringsArray);
  if (row === undefined) throw new Error("no row");
  return row;
};
const OURS = {
  style: "ISO, MDY",
  path: "public, pg_temp",
  isolation: "read committed",
  wait: "2s",
  commit: "on",
};
const SPOIL = `SET DateStyle = 'SQL, DMY'; SET search_path = pg_catalog; SET lock_timeout = '1h';
  SET default_transaction_isolation = 'serializable'; SET default_transaction_read_only = off;
  SET synchronous_commit = off`;

describe("behind a pooler that gives each transaction another session of the server", () => {
  beforeAll(startPooler({ mode: "transaction" }));
  afterAll(stopPooler);
  beforeEach(() => spoilSessions(pooler.url, SPOIL));

  it("each statement and each transaction has our settings, whichever session it got", async () => {
    const db = open();
    const pids = new Set<number>();
    for (let round = 0; round < 6; round += 1) {
      const alone = await nowOf(db);
      expect(alone).toMatchObject({ ...OURS, readOnly: "off" });
      const [first, second] = await db.transaction(async (tx) => [
        await nowOf(tx),
        await nowOf(tx),
      ]);
      expect(first).toMatchObject({ ...OURS, readOnly: "off" });
      expect(second).toEqual(first);
      pids.add(alone.pid).add(first.pid);
    }
    expect(pids.size).toBeGreaterThan(1);
  });

  it("a transaction has the isolation that it asked for", async () => {
    for (const [isolationLevel, isolation] of [
      ["RepeatableRead", "repeatable read"],
      ["Serializable", "serializable"],
    ] as const) {
      const inside = await open().transaction((tx) => nowOf(tx), { isolationLevel });
      expect(inside).toMatchObject({ ...OURS, isolation });
    }
  });

  it("a dry run can write nowhere", async () => {
    const db = open({ readOnly: true });
    for (let round = 0; round < 6; round += 1) {
      expect(await nowOf(db)).toMatchObject({ ...OURS, readOnly: "on" });
      await expect(
        db.execute`INSERT INTO maintenance (phase) VALUES ('off')`,
      ).rejects.toMatchObject({ code: "25006" });
      await expect(
        db.transaction((tx) => tx.execute`INSERT INTO maintenance (phase) VALUES ('off')`),
      ).rejects.toMatchObject({ code: "25006" });
      await expect(
        db.transaction((tx) => tx.execute`INSERT INTO maintenance (phase) VALUES ('off')`, {
          isolationLevel: "Serializable",
        }),
      ).rejects.toMatchObject({ code: "25006" });
    }
    expect(await database.query("SELECT FROM maintenance")).toEqual([]);
  });

  it("what is written is kept, and of a transaction that fails nothing", async () => {
    const db = open();
    await db.execute`CREATE TABLE public.kept (id int UNIQUE)`;
    await db.execute`INSERT INTO kept VALUES (1)`;
    await expect(db.execute`INSERT INTO kept VALUES (1)`).rejects.toMatchObject({ code: "23505" });
    await expect(
      db.transaction(async (tx) => {
        await tx.execute`INSERT INTO kept VALUES (2)`;
        await tx.execute`INSERT INTO kept VALUES (1)`;
      }),
    ).rejects.toMatchObject({ code: "23505" });
    await db.transaction((tx) => tx.execute`INSERT INTO kept VALUES (3)`);
    expect(await database.query("SELECT id FROM kept ORDER BY id")).toEqual([{ id: 1 }, { id: 3 }]);
  });

  it("statements that are sent at once do not get into each other's transaction", async () => {
    const client = newSession({ url: pooler.url, applicationName: "tests", readOnly: false });
    await client.connect();
    try {
      const answers = await Promise.all(
        [1, 2, 3, 4].map((n) => client.query("SELECT $1 AS n", [n])),
      );
      expect(answers.map(({ rows }) => (rows[0] as { n: string }).n)).toEqual(["1", "2", "3", "4"]);
      expect(client.getTransactionStatus()).toBe("I");
    } finally {
      await client.end();
    }
  });

  it("leaves the settings of whoever shares the sessions as they were", async () => {
    const db = open();
    for (let round = 0; round < 8; round += 1) await nowOf(db);
    const other = new pg.Client({ connectionString: pooler.url });
    await other.connect();
    try {
      for (let round = 0; round < 8; round += 1) {
        const { rows } = await other.query<{ wait: string }>(
          "SELECT current_setting('lock_timeout') AS wait",
        );
        expect(rows).toEqual([{ wait: "1h" }]);
      }
    } finally {
      await other.end();
    }
  });

  it("a session that has no triggers is refused at whichever transaction gets it, and is named", async () => {
    await spoilSessions(pooler.url, "SET session_replication_role = replica");
    try {
      const db = open();
      await expect(db.query`SELECT 1`).rejects.toMatchObject({
        code: "MISCONFIGURED",
        message: expect.stringContaining("session_replication_role") as string,
      });
      await expect(db.transaction((tx) => tx.query`SELECT 1`)).rejects.toMatchObject({
        code: "MISCONFIGURED",
      });
    } finally {
      await spoilSessions(pooler.url, "RESET session_replication_role");
    }
  });

  it("what surrounds a job is guarded as well", async () => {
    const pool = await openControlPool(
      { url: pooler.url, applicationName: "tests control", readOnly: true },
      { random: () => 0.5 },
    );
    try {
      const { rows } = await pool.query<Now>(NOW);
      expect(rows[0]).toMatchObject({ ...OURS, readOnly: "on" });
      await expect(
        pool.query("INSERT INTO maintenance (phase) VALUES ('off')"),
      ).rejects.toMatchObject({ code: "25006" });
    } finally {
      await pool.end();
    }
  });
});

describe("behind a pooler in session mode", () => {
  beforeAll(startPooler({ mode: "session" }));
  afterAll(stopPooler);

  it("a session works as if there were none", async () => {
    const db = open({ connections: 2 });
    expect(await nowOf(db)).toMatchObject({ ...OURS, readOnly: "off" });
    expect(await db.transaction((tx) => nowOf(tx))).toMatchObject(OURS);
    expect(await nowOf(open({ readOnly: true }))).toMatchObject({ ...OURS, readOnly: "on" });
  });
});

describe("behind a pooler that takes no startup options", () => {
  beforeAll(startPooler({ mode: "transaction", ignores: ["extra_float_digits"] }));
  afterAll(stopPooler);

  it("a session is refused in a sentence about poolers", async () => {
    for (const attempt of [
      () => open().query`SELECT 1`,
      () =>
        openControlPool(
          { url: pooler.url, applicationName: "tests", readOnly: true },
          { random: () => 0.5 },
        ),
      () => newSession({ url: pooler.url, applicationName: "tests", readOnly: true }).connect(),
    ]) {
      await expect(attempt()).rejects.toMatchObject({
        code: "MISCONFIGURED",
        message: expect.stringMatching(
          /connection pooler at .* unsupported startup parameter/,
        ) as string,
        remedy: expect.stringMatching(/direct address.*ignore_startup_parameters/) as string,
      });
    }
  });
});

describe("behind a pooler that takes no transactions", () => {
  beforeAll(startPooler({ mode: "statement" }));
  afterAll(stopPooler);

  it("no statement is sent: the pooler ends the session before", async () => {
    await expect(open().execute`INSERT INTO maintenance (phase) VALUES ('off')`).rejects.toThrow();
    expect(await database.query("SELECT FROM maintenance")).toEqual([]);
  });
});
