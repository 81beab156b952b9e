import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { changePhase, readPhase } from "../../lib/ops/maintenance.ts";
import { readAudit } from "../../lib/audit/audit-log.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { runScript, type ScriptResult } from "../support/run-script.ts";
import { withDb } from "../lib/payouts/sessions.ts";

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase();
  onTestFinished(() => database.drop());
});

function maintenance(args: string[], env: Record<string, string> = {}): Promise<ScriptResult> {
  return runScript("scripts/cli/maintenance.ts", {
    args,
    env: { DATABASE_URL: database.url, USER: "asha", ...env },
  });
}

const audit = (): Promise<{ actor: string; action: string; reason: string | null }[]> =>
  withDb(database, (db) => readAudit(db, { subjectType: "maintenance", subjectId: "phase" })).then(
    (entries) => entries.map(({ actor, action, reason }) => ({ actor, action, reason })),
  );

describe("npm run maintenance", () => {
  it("sets a phase for a while, shows it, and ends it, each change audited", async () => {
    const set = await maintenance(["degraded", "--reason", "provider migrates", "--until", "2h"]);
    expect(set, set.stderr).toMatchObject({ exitCode: 0, stderr: "" });
    expect(set.stdout).toMatch(
      /^changed {2}degraded until \S+ \S+ IST by asha \(provider migrates\); before: off\n$/,
    );

    const status = await maintenance(["status", "--json"]);
    expect(JSON.parse(status.stdout)).toMatchObject({
      phase: "degraded",
      reason: "provider migrates",
      changedBy: "asha",
      override: null,
    });
    const [left] = await database.query<{ minutes: number }>(
      `SELECT round(extract(epoch FROM "until" - updated_at) / 60)::int AS minutes FROM maintenance`,
    );
    expect(left).toEqual({ minutes: 120 });

    const off = await maintenance(["off", "--by", "bala"]);
    expect(off).toMatchObject({ exitCode: 0 });
    expect(off.stdout).toContain("changed  off; before: degraded until");
    expect(await maintenance(["off"])).toMatchObject({ exitCode: 0, stdout: "off already\n" });
    expect(await audit()).toEqual([
      { actor: "asha", action: "degraded", reason: "provider migrates" },
      { actor: "bala", action: "off", reason: null },
    ]);
  });

  it("does not put a phase over another one, unless it is told to replace it", async () => {
    await maintenance(["offline", "--reason", "upgrade", "--until", "2099-01-01T00:00+05:30"]);

    const refused = await maintenance(["degraded", "--reason", "other"]);
    expect(refused).toMatchObject({ exitCode: 1 });
    expect(refused.stdout).toContain("not changed  offline until 2099-01-01 00:00 IST by asha");

    const replaced = await maintenance(["degraded", "--reason", "other", "--replace"]);
    expect(replaced, replaced.stderr).toMatchObject({ exitCode: 0 });
    expect(replaced.stderr).toContain("It has no end");
    expect((await audit()).map(({ action }) => action)).toEqual(["offline", "degraded"]);
  });

  it("says that the environment comes first", async () => {
    const status = await maintenance(["status"], { MAINTENANCE_PHASE: "offline" });
    expect(status).toMatchObject({ exitCode: 0, stdout: "off\n" });
    expect(status.stderr).toContain("MAINTENANCE_PHASE is offline here");
  });

  it.each<[string[], string]>([
    [["offline"], "--reason"],
    [["degraded", "--reason", " "], "expected 1 to 500 characters"],
    [["offline", "--reason", "x", "--until", "soon"], "expected a time with its zone"],
    [["offline", "--reason", "x", "--until", "2026-11-25T18:00"], "expected a time with its zone"],
    [["offline", "--reason", "x", "--until", "2027-02-30T18:00Z"], "expected a time with its zone"],
    [["offline", "--reason", "x", "--until", "31d"], "up to 30d"],
    [["offline", "--reason", "x", "--until", "0h"], "--until"],
    [["offline", "--reason", "x", "--until", "2020-01-01T00:00Z"], "expected a time to come"],
    [["half"], "unknown command"],
  ])("refuses %j and says what it expected", async (args, said) => {
    const end = await maintenance(args);
    expect(end).toMatchObject({ exitCode: 2, stdout: "" });
    expect(end.stderr).toContain(said);
    expect(await audit()).toEqual([]);
  });
});

describe("a phase", () => {
  const request = {
    phase: "offline",
    reason: "upgrade",
    until: undefined,
    by: "asha",
    replace: false,
  } as const;

  it("ends by itself when its time has come, and can be set anew", async () => {
    await withDb(database, async (db) => {
      await changePhase(db, { ...request, until: { afterMs: 60_000 } });
      await database.query(`UPDATE maintenance SET "until" = now() - interval '1 second'`);
      expect(await readPhase(db)).toMatchObject({ phase: "off", reason: null, until: null });
      expect(await changePhase(db, request)).toMatchObject({ outcome: "changed" });
    });
  });

  it("of two people at once is that of one, and the other is told so", async () => {
    const set = (by: string): Promise<string> =>
      withDb(database, (db) => changePhase(db, { ...request, by })).then(({ outcome }) => outcome);
    const ends = await Promise.all(["asha", "bala", "chandra"].map(set));
    expect(ends.sort()).toEqual(["changed", "in-force", "in-force"]);
    expect(await audit()).toHaveLength(1);
  });
});
