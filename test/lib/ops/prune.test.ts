import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openDatabase, type Db } from "../../../lib/db/client.ts";
import { recordFinding } from "../../../lib/findings/index.ts";
import { retentionEnvironment } from "../../../lib/ops/index.ts";
import { LeaseLostError } from "../../../lib/support/lease.ts";
import { seedPlan, seedUser, seedWaiting } from "../../../scripts/dev/seed/bookings.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { RETENTION, runPrune, seedFinding, seedOldMail, seedRun } from "../../support/ops.ts";
import { mailKeys, runExpire, runRemind } from "../../support/waitlist.ts";
import { inSession } from "../payouts/sessions.ts";

const DAY = 24;

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
    applicationName: "prune under test",
    readOnly,
    connections: 1,
  });
  clients.push(made);
  return made;
}

async function runsLeft(): Promise<string[]> {
  const rows = await database.query<{ id: string }>("SELECT id FROM job_runs ORDER BY started_at");
  return rows.map(({ id }) => id);
}

async function openSubjects(): Promise<string[]> {
  const rows = await database.query<{ subject_id: string }>(
    "SELECT subject_id FROM findings WHERE resolved_at IS NULL ORDER BY subject_id",
  );
  return rows.map((row) => row.subject_id);
}

async function subjects(): Promise<string[]> {
  const rows = await database.query<{ subject_id: string }>(
    "SELECT subject_id FROM findings ORDER BY subject_id",
  );
  return rows.map((row) => row.subject_id);
}

describe("run records", () => {
  it("go when they are past their limit, but for runs without an end", async () => {
    await seedRun(database, { hoursAgo: 401 * DAY });
    await seedRun(database, { hoursAgo: 401 * DAY, outcome: "failed" });
    await seedRun(database, { hoursAgo: 401 * DAY, outcome: "skipped" });
    const unfinished = await seedRun(database, { hoursAgo: 402 * DAY, outcome: null });
    const young = await seedRun(database, { hoursAgo: 399 * DAY });

    expect((await runPrune(db)).report.pruned.runs).toBe(3);
    expect(await runsLeft()).toEqual([unfinished, young]);
  });

  it("keep the last success of each job however old it is", async () => {
    await seedRun(database, { hoursAgo: 900 * DAY });
    const last = await seedRun(database, { hoursAgo: 800 * DAY });
    const other = await seedRun(database, { job: "tests/other-things", hoursAgo: 700 * DAY });
    await seedRun(database, { hoursAgo: 600 * DAY, outcome: "failed" });

    expect((await runPrune(db)).report.pruned.runs).toBe(2);
    expect(await runsLeft()).toEqual([last, other]);
  });
});

describe("mail", () => {
  it("goes when it was sent or lapsed long ago, and not while it waits for anything", async () => {
    const userId = await seedUser(database, {});
    for (const status of ["SENT", "LAPSED", "QUEUED", "GAVE_UP"] as const) {
      await seedOldMail(database, { key: `old:${status}`, userId, status, daysAgo: 91 });
      await seedOldMail(database, { key: `young:${status}`, userId, status, daysAgo: 89 });
    }

    expect((await runPrune(db)).report.pruned.mails).toBe(2);
    expect(await mailKeys(database)).toEqual([
      "old:GAVE_UP GAVE_UP",
      "old:QUEUED",
      "young:GAVE_UP GAVE_UP",
      "young:LAPSED LAPSED",
      "young:QUEUED",
      "young:SENT SENT",
    ]);
  });

  it("that reminded of an offer stays as long as the offer stands: nobody is reminded twice", async () => {
    const plan = await seedPlan(database, {});
    const { entryId, userId } = await seedWaiting(database, {
      plan,
      status: "NOTIFIED",
      expiresInHours: 2,
    });
    const key = `waitlist-reminder:${entryId}`;
    await seedOldMail(database, {
      key,
      userId,
      template: "waitlist-reminder",
      status: "SENT",
      daysAgo: 30,
    });
    const short = { settings: { ...RETENTION, mailsDays: 1 } };

    expect((await runPrune(db, short)).report.pruned.mails).toBe(0);
    expect((await runRemind(db)).report).toMatchObject({ found: 0, queued: 0 });

    await database.query(
      "UPDATE waitlist_entries SET status = 'CANCELLED', ended_at = now() WHERE id = $1",
      [entryId],
    );
    expect((await runPrune(db, short)).report.pruned.mails).toBe(1);
    expect((await runRemind(db)).report).toMatchObject({ found: 0, queued: 0 });
    expect(await mailKeys(database)).toEqual([]);
  });

  it("that said an offer has ended is not written again when its row is gone", async () => {
    const plan = await seedPlan(database, {});
    const { entryId } = await seedWaiting(database, {
      plan,
      status: "NOTIFIED",
      expiresInHours: -1,
    });
    await runExpire(db);
    expect(await mailKeys(database)).toEqual([`waitlist-expired:${entryId}`]);
    await database.query(`
      SET session_replication_role = replica;
      UPDATE outbox_mails SET status = 'SENT', settled_at = now() - interval '91 days';
      RESET session_replication_role`);

    expect((await runPrune(db)).report.pruned.mails).toBe(1);
    await runExpire(db);
    await runRemind(db);
    expect(await mailKeys(database)).toEqual([]);
  });

  it("is asked for by its missing row in two places alone, the reminder and mails to payees", () => {
    const asking = filesBelow("lib").filter((file) =>
      /NOT EXISTS \(\s*SELECT[^)]*outbox_mails/i.test(readFileSync(file, "utf8")),
    );
    expect(asking.sort()).toEqual([
      "lib/notifications/tell-payees/find.ts",
      "lib/waitlist/remind/due-reminders.ts",
    ]);
  });
});

describe("findings", () => {
  it("go when they were resolved and last seen long ago, and never while they are open", async () => {
    await seedFinding(database, { subjectId: "gone", resolvedDaysAgo: 401, seenDaysAgo: 402 });
    await seedFinding(database, { subjectId: "open", seenDaysAgo: 900 });
    await seedFinding(database, { subjectId: "young", resolvedDaysAgo: 399, seenDaysAgo: 900 });

    expect((await runPrune(db)).report.pruned.findings).toBe(1);
    expect(await subjects()).toEqual(["open", "young"]);
  });

  it("stay while a job still sees the difference: what was resolved does not open again", async () => {
    await seedFinding(database, { subjectId: "p", resolvedDaysAgo: 401, seenDaysAgo: 402 });
    const seen = {
      kind: "amount-differs",
      severity: "critical",
      subjectType: "payout",
      subjectId: "p",
      details: { oursPaise: 1n },
    } as const;
    expect(await recordFinding(db, seen)).toBe(false);

    expect((await runPrune(db)).report.pruned.findings).toBe(0);
    expect(await recordFinding(db, seen)).toBe(false);
    expect(await openSubjects()).toEqual([]);
  });

  it.each([
    ["an open finding", "DELETE FROM findings"],
    ["a mail that waits", "DELETE FROM outbox_mails"],
    ["a run without an end", "DELETE FROM job_runs"],
  ])("%s is kept by the database itself", async (_what, statement) => {
    await seedFinding(database, { subjectId: "open", seenDaysAgo: 900 });
    const userId = await seedUser(database, {});
    await seedOldMail(database, { key: "k", userId, status: "GAVE_UP", daysAgo: 900 });
    await seedRun(database, { outcome: null });
    await expect(database.query(statement)).rejects.toThrow("still open can not be deleted");
  });
});

describe("what is young", () => {
  it.each([
    ["a run of last month", "DELETE FROM job_runs", "job_runs_young_stays"],
    ["a mail of today", "DELETE FROM outbox_mails", "outbox_mails_young_stays"],
  ])("%s is kept by the database itself", async (_what, statement, constraint) => {
    const userId = await seedUser(database, {});
    await seedOldMail(database, { key: "k", userId, status: "SENT", daysAgo: 0.9 });
    await seedRun(database, { hoursAgo: 34 * 24 });
    await expect(database.query(statement)).rejects.toMatchObject({ constraint });
  });

  it.each(["", ", settled_at = now() - interval '900 days'", ", settled_at = NULL"])(
    "does not get old by what a statement says (%s)",
    async (change) => {
      const userId = await seedUser(database, {});
      await seedOldMail(database, { key: "k", userId, status: "QUEUED", daysAgo: 900 });
      await database.query(`UPDATE outbox_mails SET status = 'SENT'${change}`);
      await expect(database.query("DELETE FROM outbox_mails")).rejects.toMatchObject({
        constraint: "outbox_mails_young_stays",
      });
    },
  );

  it("is what no setting allows to be deleted either", async () => {
    const least = Object.fromEntries(
      retentionEnvironment.variables.map(({ name, allowed }) => [
        name,
        (allowed as { least?: number } | undefined)?.least,
      ]),
    );
    const triggers = await database.query<{ name: string; days: string }>(
      `SELECT tgname AS name, substring(pg_get_triggerdef(oid) FROM $$'(\\d+) days?'$$) AS days
       FROM pg_trigger WHERE tgname LIKE '%young_stays' ORDER BY tgname`,
    );
    expect(triggers.map(({ name, days }) => [name, Number(days)])).toEqual([
      ["findings_young_stays", least["RETENTION_FINDINGS_DAYS"]],
      ["job_runs_young_stays", least["RETENTION_RUNS_DAYS"]],
      ["outbox_mails_young_stays", least["RETENTION_MAILS_DAYS"]],
    ]);
  });
});

describe("the record of a run", () => {
  it("gets its end once, when it is written, and the login of its session", async () => {
    const id = await seedRun(database, { outcome: null });
    await database.query(
      "UPDATE job_runs SET outcome = 'failed', exit_code = 1, finished_at = '2001-01-01' WHERE id = $1",
      [id],
    );
    expect(
      await database.query(
        "SELECT finished_at > now() - interval '1 hour' AS now, login = session_user AS own FROM job_runs",
      ),
    ).toEqual([{ now: true, own: true }]);
    for (const change of ["outcome = 'completed', exit_code = 0", "report = '{}'", "reason = 'x'"])
      await expect(database.query(`UPDATE job_runs SET ${change}`)).rejects.toMatchObject({
        constraint: "job_runs_end_once",
      });
  });

  it.each(["job = 'other'", "started_at = now()", "owner = 'x'", "login = 'cfo'"])(
    "keeps how it began (%s)",
    async (change) => {
      await seedRun(database, { outcome: null });
      await expect(database.query(`UPDATE job_runs SET ${change}`)).rejects.toMatchObject({
        constraint: "job_runs_end_once",
      });
    },
  );
});

describe("a run of prune", () => {
  const seedMany = async (count: number): Promise<void> => {
    await database.query(
      `INSERT INTO job_runs (id, job, owner, outcome, started_at, finished_at)
       SELECT gen_random_uuid(), 'tests/count-things', 'o', 'failed', at, at
       FROM generate_series(1, $1) AS n, LATERAL (SELECT now() - interval '500 days' AS at) AS old`,
      [count],
    );
  };

  it("deletes more than one batch, and the next one finds nothing", async () => {
    await seedMany(2500);
    const first = await runPrune(db);
    expect(first).toMatchObject({
      verdict: { kind: "completed" },
      report: { pruned: { runs: 2500 } },
    });
    expect((await runPrune(db)).report.pruned.runs).toBe(0);
  });

  it("deletes at most its limit, and says what is left", async () => {
    await seedMany(30);
    expect((await runPrune(db, { limit: 20 })).report).toMatchObject({
      pruned: { runs: 20, mails: 0 },
      left: { runs: 10 },
    });
  });

  it("counts in a dry run what it would delete, and writes nothing", async () => {
    await seedMany(30);
    const dry = await runPrune(client({ readOnly: true }), { dryRun: true, limit: 25 });
    expect(dry.report).toMatchObject({ pruned: { runs: 25 }, left: { runs: 5 } });
    expect(await runsLeft()).toHaveLength(30);
  });

  it("at the same time as another one ends as one alone does", async () => {
    await seedMany(5000);
    const kept = await seedRun(database, {});
    const [a, b] = await Promise.all([runPrune(client()), runPrune(client())]);
    expect(a.verdict).toEqual({ kind: "completed" });
    expect(b.verdict).toEqual({ kind: "completed" });
    expect(a.report.pruned.runs + b.report.pruned.runs).toBe(5000);
    expect(await runsLeft()).toEqual([kept]);
  });

  it("leaves a row that another session holds to a later run, and waits for nobody", async () => {
    await seedMany(3);
    await inSession(database, async (other) => {
      await other.query("BEGIN");
      await other.query("SELECT 1 FROM job_runs LIMIT 1 FOR UPDATE");
      expect((await runPrune(db)).report).toMatchObject({ pruned: { runs: 2 }, left: { runs: 1 } });
    });
    expect((await runPrune(db)).report.pruned.runs).toBe(1);
  });

  it("deletes nothing more once it is told to stop, or its lease is lost", async () => {
    await seedMany(3);
    expect((await runPrune(db, { signal: AbortSignal.abort() })).verdict.kind).toBe("interrupted");
    const lost = {
      fence: 1n,
      assertTrusted: () => {
        throw new LeaseLostError("key");
      },
    };
    expect((await runPrune(db, { lease: lost })).verdict.kind).toBe("broken");
    expect(await runsLeft()).toHaveLength(3);
  });
});

describe("the limits", () => {
  it("have defaults", () => {
    expect(retentionEnvironment.parse({})).toMatchObject({ ok: true, settings: RETENTION });
  });

  it("are refused all at once, each with its name and what was expected", () => {
    const env = {
      RETENTION_RUNS_DAYS: "34",
      RETENTION_MAILS_DAYS: "0",
      RETENTION_FINDINGS_DAYS: "1y",
    };
    expect(retentionEnvironment.parse(env)).toEqual({
      ok: false,
      problems: [
        {
          variable: "RETENTION_RUNS_DAYS",
          problem: "expected a whole number from 35 to 3650",
        },
        {
          variable: "RETENTION_MAILS_DAYS",
          problem: "expected a whole number from 1 to 3650",
        },
        {
          variable: "RETENTION_FINDINGS_DAYS",
          problem: "expected a whole number from 1 to 3650",
        },
      ],
    });
  });
});

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => join(folder, name));
}
