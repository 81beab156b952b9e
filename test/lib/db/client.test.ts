import { AsyncResource } from "node:async_hooks";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inTransaction, openDatabase, sql, type DbSession } from "../../../lib/db/client.ts";
import { toJson } from "../../../lib/support/log.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";

describe("the database as a core sees it", () => {
  let database: TestDatabase;
  beforeAll(async () => void (database = await createTestDatabase()));
  afterAll(() => database.drop());

  const open = ({ readOnly = false, connections = 1 } = {}) =>
    openDatabase({
      url: database.url,
      applicationName: "afterhours tests/client",
      readOnly,
      connections,
    });

  it("is not connected before its first question", async () => {
    const db = open();
    try {
      const sessions = await database.query(
        "SELECT 1 FROM pg_stat_activity WHERE application_name = 'afterhours tests/client' AND datname = $1",
        [database.name],
      );
      expect(sessions).toEqual([]);
    } finally {
      await db.close();
    }
  });

  it("keeps all statements of a transaction, or none", async () => {
    const db = open();
    try {
      await expect(
        inTransaction(db, async (tx) => {
          await tx.execute`INSERT INTO job_leases (key, fence) VALUES ('aborted', 1)`;
          throw new Error("half-way");
        }),
      ).rejects.toThrow("half-way");
      await inTransaction(
        db,
        (tx) => tx.execute`INSERT INTO job_leases (key, fence) VALUES ('kept', 1)`,
      );
      expect(await database.query("SELECT key FROM job_leases")).toEqual([{ key: "kept" }]);
    } finally {
      await db.close();
    }
  });

  it("that is read-only can neither write by itself nor in a transaction", async () => {
    const db = open({ readOnly: true });
    try {
      await expect(
        db.execute`INSERT INTO job_leases (key, fence) VALUES ('stray', 1)`,
      ).rejects.toThrow(/read-only transaction/);
      await expect(
        inTransaction(db, (tx) => tx.execute`UPDATE job_leases SET fence = 2`),
      ).rejects.toThrow(/read-only transaction/);
      expect(await database.query("SELECT 1 FROM job_leases WHERE key = 'stray'")).toEqual([]);
    } finally {
      await db.close();
    }
  });

  it("stores any text, with a mark for what PostgreSQL can not hold", async () => {
    const db = open();
    try {
      const words = "a\0b \ud800 c \u{1f600} \\u0000";
      const json = toJson({ words });
      const [row] = await db.query<{ plain: string; inside: string }[]>`
        SELECT ${words}::text AS plain, ${json}::jsonb ->> 'words' AS inside`;
      const kept = "a\ufffdb \ufffd c \u{1f600} \\u0000";
      expect(row).toEqual({ plain: kept, inside: kept });
    } finally {
      await db.close();
    }
  });

  it("takes a text for a value, whatever SQL stands in it", async () => {
    const db = open();
    try {
      const words = "x'); DELETE FROM job_leases; --$1 \\' \"";
      await db.execute`INSERT INTO job_leases (key, fence) VALUES (${words}, 1)`;
      const keys = sql`SELECT key FROM job_leases WHERE key = ${words}`;
      expect(
        await db.query`SELECT * FROM (${keys}) AS found WHERE key = ANY(${[words]}::text[])`,
      ).toEqual([{ key: words }]);
    } finally {
      await db.close();
    }
  });

  it("refuses a value that is undefined, which would reach PostgreSQL as NULL", async () => {
    const db = open();
    try {
      const key = undefined as unknown as string;
      await expect(db.execute`DELETE FROM job_leases WHERE key = ${key}`).rejects.toThrow(
        /undefined after: DELETE FROM job_leases WHERE key =/,
      );
      await expect(
        db.execute`DELETE FROM job_leases WHERE key = ANY(${[key]}::text[])`,
      ).rejects.toThrow(/a value in a list is undefined/);
    } finally {
      await db.close();
    }
  });

  it("gives the values of a list as it gives them alone", async () => {
    const db = open();
    try {
      const [row] = await db.query<Record<string, unknown[]>[]>`
        SELECT ARRAY[9007199254740993, NULL, -1]::bigint[] AS integers,
               ARRAY[['0.10', '1234567890123456789.01']]::numeric[] AS exact,
               ARRAY['2026-04-01']::date[] AS days,
               ARRAY['2026-04-01 18:30:00']::timestamp[] AS times,
               ARRAY['2026-04-01 18:30:00+05:30']::timestamptz[] AS instants`;
      expect(row).toEqual({
        integers: [9007199254740993n, null, -1n],
        exact: [["0.10", "1234567890123456789.01"]],
        days: [new Date("2026-04-01T00:00:00Z")],
        times: [new Date("2026-04-01T18:30:00Z")],
        instants: [new Date("2026-04-01T13:00:00Z")],
      });
    } finally {
      await db.close();
    }
  });

  it.each(["date", "timestamp", "timestamptz", "date[]", "timestamptz[]"])(
    "fails a statement that reads a %s which is no time, and goes on",
    async (type) => {
      const db = open();
      try {
        const endless = sql([
          type.endsWith("[]") ? `'{infinity}'::${type}` : `'infinity'::${type}`,
        ]);
        await expect(db.query`SELECT ${endless} AS at`).rejects.toThrow(
          "a time that no Date can hold: infinity",
        );
        expect(await db.query`SELECT 1 AS one`).toEqual([{ one: 1 }]);
      } finally {
        await db.close();
      }
    },
  );

  it("refuses to be asked from within its own transaction when it has one session", async () => {
    const db = open();
    try {
      const inside = (ask: () => Promise<unknown>) => db.transaction(() => ask());
      const refusal = /from within its own transaction/;
      await expect(inside(() => db.query`SELECT 1`)).rejects.toThrow(refusal);
      await expect(inside(() => db.execute`SELECT 1`)).rejects.toThrow(refusal);
      await expect(inside(() => inside(() => Promise.resolve()))).rejects.toThrow(refusal);
      expect(await db.query`SELECT 1 AS one`).toEqual([{ one: 1 }]);
    } finally {
      await db.close();
    }
  });

  it("lets others wait for its one session, and what a transaction began go on after it", async () => {
    const db = open();
    try {
      let after: (() => Promise<unknown>) | undefined;
      const one = db.transaction(async (tx) => {
        after = AsyncResource.bind(() => db.query`SELECT 3 AS three`);
        return tx.query`SELECT 1 AS one`;
      });
      const two = db.query`SELECT 2 AS two`;
      expect(await Promise.all([one, two])).toEqual([[{ one: 1 }], [{ two: 2 }]]);
      expect(await after?.()).toEqual([{ three: 3 }]);
    } finally {
      await db.close();
    }
  });

  it("with a second session may be asked from within a transaction", async () => {
    const db = open({ connections: 2 });
    try {
      expect(await db.transaction(() => db.query`SELECT 1 AS one`)).toEqual([{ one: 1 }]);
    } finally {
      await db.close();
    }
  });

  it.each(["was kept", "was given up"])(
    "refuses the session of a transaction that %s",
    async (end) => {
      const db = open();
      try {
        const sessions: DbSession[] = [];
        await db
          .transaction((tx) => {
            sessions.push(tx);
            return end === "was kept" ? Promise.resolve() : Promise.reject(new Error("half-way"));
          })
          .catch(() => undefined);
        for (const late of sessions) {
          await expect(late.query`SELECT 1`).rejects.toThrow("used after its end");
          await expect(late.execute`SELECT 1`).rejects.toThrow("used after its end");
        }
        expect(sessions).toHaveLength(1);
      } finally {
        await db.close();
      }
    },
  );
});
