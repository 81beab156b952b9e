import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openDatabase, type Db } from "../../../lib/db/client.ts";
import { watchOutputs } from "../../../lib/ops/index.ts";
import type { WatchedJob } from "../../../lib/ops/watch/judge.ts";
import { markLost } from "../../../lib/ops/watch/unfinished.ts";
import { minutes } from "../../../lib/support/clock.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { runWatch, seedRun } from "../../support/ops.ts";

const OWNER = "2026-11-25T00:00:00.000Z@runner:00000000-0000-4000-8000-00000000000a";

let database: TestDatabase;
let clients: Db[];
let db: Db;

beforeEach(async () => {
  database = await createTestDatabase();
  clients = [];
  db = client();
});
afterEach(async () => {
  await Promise.all(clients.map((each) => each.close()));
  await database.drop();
});

function client({ readOnly = false } = {}): Db {
  const made = openDatabase({
    url: database.url,
    applicationName: "watchdog under test",
    readOnly,
    connections: 1,
  });
  clients.push(made);
  return made;
}

/** Every hour, so that a tick lies between any two instants that are an hour apart. */
function hourly(name: string): WatchedJob {
  return {
    name,
    schedule: { cron: "0 * * * *" },
    lock: { ttlMs: minutes(35) },
    deadlineMs: minutes(30),
  };
}

const COUNT = hourly("tests/count-things");
const OTHER = hourly("tests/other-things");

async function outcomeOf(id: string): Promise<{ outcome: string | null; reason: string | null }> {
  const [row] = await database.query<{ outcome: string | null; reason: string | null }>(
    "SELECT outcome, reason FROM job_runs WHERE id = $1",
    [id],
  );
  if (!row) throw new Error(`there is no run ${id}`);
  return row;
}

const kindsOf = (faults: readonly { job: string; kind: string }[]): string[] =>
  faults.map(({ job, kind }) => `${job} ${kind}`);

describe("the watchdog", () => {
  it("is green while every job runs when it is due, whatever ran in between", async () => {
    await seedRun(database, { hoursAgo: 1 });
    await seedRun(database, { hoursAgo: 0.5, outcome: "skipped", reason: "lock-held" });
    await seedRun(database, { job: OTHER.name, hoursAgo: 0.2, outcome: null });
    expect(await runWatch(db, { jobs: [COUNT, OTHER] })).toEqual({
      verdict: { kind: "completed" },
      report: { watched: [COUNT.name, OTHER.name], markedLost: 0, faults: [], tax: [] },
    });
  });

  it("is red with a list of every job that needs a look", async () => {
    await seedRun(database, { job: "tests/is-late", hoursAgo: 10 });
    await seedRun(database, { job: "tests/is-paused", hoursAgo: 10 });
    for (const hoursAgo of [3, 2, 1]) {
      const red = { job: "tests/is-failing", outcome: "failed", reason: "books-drift", hoursAgo };
      await seedRun(database, red);
      const skipped = { outcome: "skipped", reason: "maintenance", hoursAgo };
      await seedRun(database, { job: "tests/is-paused", ...skipped });
    }
    await seedRun(database, { job: "tests/is-failing", hoursAgo: 4 });
    const names = ["tests/is-late", "tests/is-failing", "tests/is-paused", "tests/never-ran"];

    const { verdict, report } = await runWatch(db, { jobs: names.map(hourly) });

    expect(verdict).toMatchObject({
      kind: "failed",
      code: "jobs-missed",
      message:
        "Of 4 jobs some need a look: tests/is-late missed, tests/is-failing failing, tests/is-paused skipped, tests/never-ran never-succeeded.",
    });
    expect(report.faults.map(({ detail }) => detail)).toEqual([
      expect.stringContaining("no run has begun since"),
      "3 red runs in a row, the last one books-drift",
      "every run since was skipped: 3 for maintenance, 0 for its lock",
      "it has never been run",
    ]);
    expect(watchOutputs(report)).toEqual({
      jobs: 4,
      missed: 1,
      never_succeeded: 1,
      failing: 1,
      skipped: 1,
      lost: 0,
      stuck: 0,
      marked_lost: 0,
      tax_due_soon: 0,
      tax_overdue: 0,
    });
  });

  it("is green on a fresh installation, where nothing could have run yet", async () => {
    expect((await runWatch(db, { jobs: [COUNT] })).verdict).toEqual({ kind: "completed" });
    await seedRun(database, { job: "ops/watchdog", outcome: null, hoursAgo: 0.1 });
    expect((await runWatch(db, { jobs: [COUNT] })).verdict).toEqual({ kind: "completed" });
  });

  it("does not miss a job that was added later before its first tick since then", async () => {
    const watched = (hoursAgo: number, names: string[]): Promise<string> => {
      const report = { watched: names };
      return seedRun(database, { job: "ops/watchdog", hoursAgo, report });
    };
    await seedRun(database, { hoursAgo: 2000 });
    await seedRun(database, {});
    await watched(900, [COUNT.name]);
    const jobs = [COUNT, OTHER];
    expect((await runWatch(db, { jobs })).report.faults).toEqual([]);
    await watched(1, [COUNT.name, OTHER.name]);
    expect((await runWatch(db, { jobs })).report.faults).toEqual([]);
    await watched(24, [COUNT.name, OTHER.name]);
    expect(kindsOf((await runWatch(db, { jobs })).report.faults)).toEqual([
      "tests/other-things never-succeeded",
    ]);
  });

  it("misses a job from the beginning that never ran, also after its second run", async () => {
    await seedRun(database, { hoursAgo: 2000 });
    await seedRun(database, {});
    for (const hoursAgo of [2, 1]) {
      const report = { watched: [COUNT.name, OTHER.name] };
      await seedRun(database, { job: "ops/watchdog", hoursAgo, report });
    }
    expect(kindsOf((await runWatch(db, { jobs: [COUNT, OTHER] })).report.faults)).toEqual([
      "tests/other-things never-succeeded",
    ]);
  });
});

describe("a run without an end", () => {
  it("is marked as lost when it holds no lock, and counts as a red run from then on", async () => {
    await seedRun(database, { hoursAgo: 6 });
    const gone = await seedRun(database, { hoursAgo: 1.2, outcome: null, owner: OWNER });

    const { verdict, report } = await runWatch(db, { jobs: [COUNT] });

    expect(verdict).toMatchObject({ kind: "failed", code: "jobs-missed" });
    expect(report).toMatchObject({ markedLost: 1, faults: [{ job: COUNT.name, kind: "lost" }] });
    expect(await outcomeOf(gone)).toEqual({ outcome: "lost", reason: "process-gone" });
    expect((await runWatch(db, { jobs: [COUNT] })).verdict).toEqual({ kind: "completed" });
  });

  it("is left alone as long as it may go on", async () => {
    const running = await seedRun(database, { hoursAgo: 1, outcome: null });
    expect((await runWatch(db, { jobs: [COUNT] })).report).toMatchObject({ faults: [] });
    expect(await outcomeOf(running)).toMatchObject({ outcome: null });
  });

  it("of a job that is no longer there is lost after a day", async () => {
    const young = await seedRun(database, { job: "old/job", hoursAgo: 23, outcome: null });
    const old = await seedRun(database, { job: "old/job", hoursAgo: 25, outcome: null });
    await runWatch(db, { jobs: [COUNT] });
    expect(await outcomeOf(young)).toMatchObject({ outcome: null });
    expect(await outcomeOf(old)).toMatchObject({ outcome: "lost" });
  });

  it.each<[string, () => Promise<string | undefined>, string]>([
    ["renews its lock in the database", () => Promise.resolve(undefined), "still renews its lock"],
    ["renews its lock elsewhere", () => Promise.resolve(OWNER), "still renews its lock"],
    [
      "may hold its lock, since its store is away",
      () => Promise.reject(new Error("away")),
      "the lock store can not say",
    ],
  ])("that %s is stuck, and stays as it is", async (what, holderOf, detail) => {
    const hangs = await seedRun(database, { hoursAgo: 3, outcome: null, owner: OWNER });
    if (what.endsWith("database")) await lease("1 minute");
    const { report } = await runWatch(db, { jobs: [COUNT], holderOf });
    expect(report).toMatchObject({ markedLost: 0, faults: [{ kind: "stuck" }] });
    expect(report.faults[0]?.detail).toContain(detail);
    expect(await outcomeOf(hangs)).toMatchObject({ outcome: null });
  });

  it("whose lease has ended is lost, and one whose lock somebody else holds is too", async () => {
    const gone = await seedRun(database, { hoursAgo: 3, outcome: null, owner: OWNER });
    await lease("-1 minute");
    await runWatch(db, { jobs: [COUNT], holderOf: () => Promise.resolve("somebody else") });
    expect(await outcomeOf(gone)).toMatchObject({ outcome: "lost" });
  });

  it("that has ended or taken its lease after all is not overwritten", async () => {
    const ended = await seedRun(database, { hoursAgo: 3 });
    expect(await markLost(db, ended)).toBe(false);
    expect(await outcomeOf(ended)).toMatchObject({ outcome: "completed" });
    const held = await seedRun(database, { hoursAgo: 3, outcome: null, owner: OWNER });
    await lease("1 minute");
    expect(await markLost(db, held)).toBe(false);
  });

  it("is marked by one of two watchdogs at once, and both say so", async () => {
    const ids = [];
    for (let each = 0; each < 20; each++) {
      ids.push(await seedRun(database, { hoursAgo: 30, outcome: null }));
    }
    const ends = await Promise.all([
      runWatch(client(), { jobs: [COUNT] }),
      runWatch(client(), { jobs: [COUNT] }),
    ]);
    expect(ends.map(({ verdict }) => verdict.kind)).toEqual(["failed", "failed"]);
    expect(ends.reduce((sum, { report }) => sum + report.markedLost, 0)).toBe(20);
    for (const id of ids) expect(await outcomeOf(id)).toMatchObject({ outcome: "lost" });
  });

  it("is named by a dry run, which marks nothing", async () => {
    const gone = await seedRun(database, { hoursAgo: 3, outcome: null });
    const { report } = await runWatch(client({ readOnly: true }), { jobs: [COUNT], dryRun: true });
    expect(report).toMatchObject({ markedLost: 0, faults: [{ kind: "lost" }] });
    expect(await outcomeOf(gone)).toMatchObject({ outcome: null });
  });
});

async function lease(endsIn: string): Promise<void> {
  await database.query(
    `INSERT INTO job_leases (key, owner, fence, acquired_at, expires_at)
     VALUES ('k', $1, 1, now(), now() + $2::interval)`,
    [OWNER, endsIn],
  );
}
