import { describe, expect, it, onTestFinished } from "vitest";
import { openDatabase, type Db, type DbSession } from "../../../lib/db/client.ts";
import { inSerializable } from "../../../lib/db/retries.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { WriteConflictError } from "../../../lib/db/errors.ts";

const options = { random: () => 0, firstWaitMs: 1 };

async function openCounter(): Promise<{ database: TestDatabase; db: Db }> {
  const database = await createTestDatabase();
  const db = openDatabase({
    url: database.url,
    applicationName: "serializable under test",
    readOnly: false,
    connections: 4,
  });
  onTestFinished(async () => {
    await db.close();
    await database.drop();
  });
  await database.query("CREATE TABLE counters (id int PRIMARY KEY, value int NOT NULL)");
  await database.query("INSERT INTO counters VALUES (1, 0), (2, 0)");
  return { database, db };
}

const read = async (tx: DbSession, id = 1): Promise<number> => {
  const [row] = await tx.query<{ value: number }[]>`SELECT value FROM counters WHERE id = ${id}`;
  return row?.value ?? -1;
};
const write = (tx: DbSession, value: number, id = 1): Promise<number> =>
  tx.execute`UPDATE counters SET value = ${value} WHERE id = ${id}`;

/** Another session changes the row that the transaction has read. */
const interfere = (database: TestDatabase): Promise<unknown> =>
  database.query("UPDATE counters SET value = value + 10 WHERE id = 1");

describe("a serializable transaction", () => {
  it("is tried again when another session changed what it read, and decides anew", async () => {
    const { database, db } = await openCounter();
    let tries = 0;
    const result = await inSerializable(
      db,
      async (tx) => {
        tries += 1;
        const value = await read(tx);
        if (tries === 1) await interfere(database);
        await write(tx, value + 1);
        return value;
      },
      options,
    );
    expect({ tries, result }).toEqual({ tries: 2, result: 10 });
    expect(await database.query("SELECT value FROM counters WHERE id = 1")).toEqual([
      { value: 11 },
    ]);
  });

  it("gives up after its tries with an error that says so, and keeps nothing of any", async () => {
    const { database, db } = await openCounter();
    let tries = 0;
    const attempt = inSerializable(
      db,
      async (tx) => {
        tries += 1;
        await write(tx, 999, 2);
        const value = await read(tx);
        await interfere(database);
        await write(tx, value + 1);
      },
      { ...options, tries: 3 },
    );
    await expect(attempt).rejects.toBeInstanceOf(WriteConflictError);
    await expect(attempt).rejects.toMatchObject({ code: "WRITE_CONFLICT" });
    expect(tries).toBe(3);
    expect(await database.query("SELECT value FROM counters WHERE id = 2")).toEqual([{ value: 0 }]);
  });

  it("is tried again when it is refused at the commit, which no statement of it was", async () => {
    const { database, db } = await openCounter();
    // Write skew: each reads what the other writes. PostgreSQL may refuse one of them only at the end.
    let bothHaveWritten = (): void => undefined;
    const written = new Promise<void>((resolve) => (bothHaveWritten = resolve));
    let writers = 0;
    const tries = [0, 0];
    const skewed = (index: 0 | 1): Promise<number> =>
      inSerializable(
        db,
        async (tx) => {
          tries[index] = (tries[index] ?? 0) + 1;
          const other = await read(tx, 2 - index);
          await write(tx, other + 1, 1 + index);
          writers += 1;
          if (writers === 2) bothHaveWritten();
          await written;
          return other;
        },
        options,
      );
    const results = await Promise.all([skewed(0), skewed(1)]);
    // As one after the other: whoever was refused has seen what the other one wrote.
    expect(results.sort()).toEqual([0, 1]);
    expect(tries.sort()).toEqual([1, 2]);
    expect(await database.query("SELECT value FROM counters ORDER BY value")).toEqual([
      { value: 1 },
      { value: 2 },
    ]);
  });

  it("is not tried again for an error of its own", async () => {
    const { db } = await openCounter();
    let tries = 0;
    const attempt = inSerializable(
      db,
      () => {
        tries += 1;
        return Promise.reject(new Error("a bug"));
      },
      options,
    );
    await expect(attempt).rejects.toThrow("a bug");
    expect(tries).toBe(1);
  });

  it("is tried again for a constraint only where its body names it as a lost race", async () => {
    const { db } = await openCounter();
    const insert = (lostRaces: readonly string[]): Promise<number> => {
      let tries = 0;
      return inSerializable(
        db,
        async (tx) => {
          tries += 1;
          await tx.execute`INSERT INTO counters VALUES (${tries}, 0)`;
          return tries;
        },
        { ...options, lostRaces },
      );
    };
    await expect(insert([])).rejects.not.toBeInstanceOf(WriteConflictError);
    expect(await insert(["23505"])).toBe(3);
  });

  it("is not tried again by a run that is to stop", async () => {
    const { database, db } = await openCounter();
    const stop = new AbortController();
    let tries = 0;
    const attempt = inSerializable(
      db,
      async (tx) => {
        tries += 1;
        const value = await read(tx);
        await interfere(database);
        stop.abort();
        await write(tx, value + 1);
      },
      { ...options, signal: stop.signal },
    );
    await expect(attempt).rejects.toBeInstanceOf(WriteConflictError);
    expect(tries).toBe(1);
  });
});
