import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openDatabase, inTransaction } from "../../../lib/db/client.ts";
import { toJson } from "../../../lib/support/log.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";

describe("the database as a core sees it", () => {
  let database: TestDatabase;
  beforeAll(async () => void (database = await createTestDatabase()));
  afterAll(() => database.drop());

  const open = ({ readOnly = false } = {}) =>
    openDatabase({
      url: database.url,
      applicationName: "afterhours tests/client",
      readOnly,
      connections: 1,
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
});
