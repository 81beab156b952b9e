import pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { isPaused, readMaintenance, type MaintenancePhase } from "../../../lib/job/maintenance.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";

describe("a phase", () => {
  it.each<[MaintenancePhase, "degraded" | "offline", boolean]>([
    ["off", "degraded", false],
    ["off", "offline", false],
    ["degraded", "degraded", true],
    ["degraded", "offline", false],
    ["offline", "degraded", true],
    ["offline", "offline", true],
  ])("%s pauses a job that is paused by %s: %s", (phase, pausedBy, paused) => {
    expect(isPaused(phase, pausedBy)).toBe(paused);
  });
});

describe("the phase in the database", () => {
  let database: TestDatabase;
  let pool: pg.Pool;
  beforeAll(async () => {
    database = await createTestDatabase();
    pool = new pg.Pool({ connectionString: database.url, max: 1 });
  });
  afterAll(async () => {
    await pool.end();
    await database.drop();
  });
  beforeEach(() => database.query("DELETE FROM maintenance"));

  it("is off without a row", async () => {
    expect(await readMaintenance(pool)).toEqual({ phase: "off", reason: null });
  });

  it.each<MaintenancePhase>(["off", "degraded", "offline"])(
    "is %s where the row says so",
    async (phase) => {
      await database.query("INSERT INTO maintenance (phase, reason) VALUES ($1, 'a new disk')", [
        phase,
      ]);
      expect(await readMaintenance(pool)).toEqual({ phase, reason: "a new disk" });
    },
  );

  it("lasts until its end and not longer, on the database's clock", async () => {
    await database.query(
      `INSERT INTO maintenance (phase, "until") VALUES ('offline', now() + interval '1 hour')`,
    );
    expect(await readMaintenance(pool)).toMatchObject({ phase: "offline" });
    await database.query(`UPDATE maintenance SET "until" = now() - interval '1 second'`);
    expect(await readMaintenance(pool)).toEqual({ phase: "off", reason: null });
  });

  it("cannot be two at once", async () => {
    await database.query("INSERT INTO maintenance (phase) VALUES ('offline')");
    await expect(
      database.query("INSERT INTO maintenance (id, phase) VALUES (2, 'off')"),
    ).rejects.toThrow();
  });
});
