import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { openDatabase, type Db } from "../../../lib/db/client.ts";
import { noLease } from "../../../lib/support/lease.ts";
import { expireOutputs, expireTables } from "../../../lib/waitlist/index.ts";
import { startMailSandbox } from "../../../scripts/sandbox/mail/index.ts";
import {
  seedBooking,
  seedPlan,
  seedUser,
  seedWaiting,
} from "../../../scripts/dev/seed/bookings.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { mailSettings } from "../../support/mail.ts";
import { entryStatuses, mailKeys, runExpire, seatsOf } from "../../support/waitlist.ts";
import { impatient, inSession } from "../payouts/sessions.ts";

let database: TestDatabase;
let db: Db;

beforeEach(async () => {
  database = await createTestDatabase();
  db = openDatabase({
    url: database.url,
    rowWait: impatient(database).rowWait,
    applicationName: "expiry under test",
    readOnly: false,
    connections: 1,
  });
});
afterEach(async () => {
  await db.close();
  await database.drop();
});

describe("offers whose time has passed", () => {
  it("end, their people are told, and each seat goes to exactly one next person", async () => {
    const plan = await seedPlan(database, { capacity: 3, title: "Yoga" });
    const ended = [];
    for (let place = 0; place < 2; place += 1) {
      ended.push(await seedWaiting(database, { plan, status: "NOTIFIED", expiresInHours: -1 }));
    }
    await seedWaiting(database, { plan, status: "NOTIFIED", expiresInHours: 1 });
    const next = [];
    for (const priority of [0, 3, 0]) next.push(await seedWaiting(database, { plan, priority }));

    const { verdict, report } = await runExpire(db);

    expect(verdict).toEqual({ kind: "completed" });
    expect(expireOutputs(report)).toEqual({
      found: 1,
      advanced: 1,
      unchanged: 0,
      locked: 0,
      failed: 0,
      expired: 2,
      unreached: 0,
      offered: 2,
      unsent: 0,
      mails_sent: 0,
      mails_left: 4,
    });
    expect(await entryStatuses(database)).toEqual([
      "EXPIRED",
      "EXPIRED",
      "NOTIFIED",
      "NOTIFIED",
      "NOTIFIED",
      "WAITING",
    ]);
    expect(await mailKeys(database)).toEqual(
      [
        ...ended.map(({ entryId }) => `waitlist-expired:${entryId}`),
        ...next.slice(0, 2).map(({ entryId }) => `waitlist-offer:${entryId}`),
      ].toSorted(),
    );
    expect(await seatsOf(database, plan.id)).toEqual({ capacity: 3, booked: 0, offered: 3 });
  });

  it("are found however late the run is, and a second run does nothing", async () => {
    const plan = await seedPlan(database, { capacity: 1 });
    await seedWaiting(database, { plan, status: "NOTIFIED", expiresInHours: -100 });
    await seedWaiting(database, { plan });
    await runExpire(db);
    const mails = await mailKeys(database);

    const { verdict, report } = await runExpire(db);

    expect(verdict).toEqual({ kind: "completed" });
    expect(report).toMatchObject({ found: 0, expired: 0, offered: 0 });
    expect(await mailKeys(database)).toEqual(mails);
  });

  it("end also when the plan has begun, and then nobody else is offered the seat", async () => {
    const plan = await seedPlan(database, { capacity: 1, startsInHours: -1 });
    await seedWaiting(database, { plan, status: "NOTIFIED", expiresInHours: -1 });
    await seedWaiting(database, { plan });

    expect((await runExpire(db)).report).toMatchObject({ expired: 1, offered: 0 });
    expect(await entryStatuses(database)).toEqual(["EXPIRED", "WAITING"]);
  });

  it("stay offers up to their very end", async () => {
    const plan = await seedPlan(database, { capacity: 1 });
    await seedWaiting(database, { plan, status: "NOTIFIED", expiresInHours: 0.01 });
    expect((await runExpire(db)).report.found).toBe(0);
  });
});

describe("a seat that became free without anybody telling", () => {
  it.each([
    ["a capacity that was raised", "UPDATE plans SET capacity = capacity + 1"],
    [
      "a booking that was cancelled by another program",
      "UPDATE bookings SET status = 'CANCELLED' WHERE seats = 1",
    ],
  ])("is offered to the next person: %s", async (_, change) => {
    const plan = await seedPlan(database, { capacity: 3 });
    await seedBooking(database, { plan, seats: 2, status: "CONFIRMED" });
    await seedBooking(database, { plan, seats: 1, status: "CONFIRMED" });
    await seedWaiting(database, { plan });
    await seedWaiting(database, { plan });
    await database.query(change);

    expect((await runExpire(db)).report).toMatchObject({ found: 1, expired: 0, offered: 1 });
    expect(await entryStatuses(database)).toEqual(["NOTIFIED", "WAITING"]);
  });

  it("is no work where nobody waits for it", async () => {
    await seedPlan(database, { capacity: 3 });
    expect((await runExpire(db)).report.found).toBe(0);
  });

  it("is left where nobody of those who wait can have it", async () => {
    const plan = await seedPlan(database, { capacity: 3 });
    await seedWaiting(database, { plan, userId: await seedUser(database, { active: false }) });

    const { verdict, report } = await runExpire(db);

    expect(verdict).toEqual({ kind: "completed" });
    expect(report).toMatchObject({ found: 1, advanced: 0, unchanged: 1 });
    expect(await entryStatuses(database)).toEqual(["SKIPPED"]);
  });
});

describe("trouble with one plan", () => {
  const dueTwice = async (): Promise<string[]> => {
    const ids = [];
    for (let index = 0; index < 2; index += 1) {
      const plan = await seedPlan(database, { capacity: 1 });
      await seedWaiting(database, { plan, status: "NOTIFIED", expiresInHours: -1 });
      await seedWaiting(database, { plan });
      ids.push(plan.id);
    }
    return ids;
  };

  it("leaves a locked one to the next run, and handles the others", async () => {
    const [locked = "", free = ""] = await dueTwice();
    await inSession(database, async (other) => {
      await other.query("BEGIN");
      await other.query("SELECT 1 FROM plans WHERE id = $1 FOR UPDATE", [locked]);

      const { verdict, report } = await runExpire(db);

      expect(verdict).toMatchObject({
        kind: "completed",
        warning: "1 plans were locked by another session and are left to the next run.",
      });
      expect(report).toMatchObject({ found: 2, advanced: 1, locked: 1, expired: 1, offered: 1 });
      expect(await entryStatuses(database, free)).toEqual(["EXPIRED", "NOTIFIED"]);
      expect(await entryStatuses(database, locked)).toEqual(["NOTIFIED", "WAITING"]);
    });
    expect((await runExpire(db)).report).toMatchObject({ found: 1, advanced: 1 });
  });

  it("is red when every one is locked", async () => {
    const [only = ""] = await dueTwice();
    await inSession(database, async (other) => {
      await other.query("BEGIN");
      await other.query("SELECT 1 FROM plans FOR UPDATE");
      expect((await runExpire(db, { limit: 1 })).verdict).toMatchObject({
        kind: "failed",
        code: "work-left-behind",
      });
    });
    expect(await entryStatuses(database, only)).toEqual(["NOTIFIED", "WAITING"]);
  });

  it("is interrupted when it is told to stop while the last one is locked", async () => {
    await dueTwice();
    const stop = new AbortController();
    const lease = { ...noLease, assertTrusted: () => stop.abort() };
    await inSession(database, async (other) => {
      await other.query("BEGIN");
      await other.query("SELECT 1 FROM plans FOR UPDATE");
      const { verdict, report } = await runExpire(db, { limit: 1, lease, signal: stop.signal });
      expect(verdict).toEqual({ kind: "interrupted" });
      expect(report).toMatchObject({ found: 1, locked: 1 });
    });
  });

  it("is partial when the database refuses one, of which nothing is changed", async () => {
    const [broken = "", sound = ""] = await dueTwice();
    await refuseMailsOf(broken);

    const { verdict, report } = await runExpire(db);

    expect(verdict).toMatchObject({ kind: "partial", reason: "plans-failed" });
    expect(report).toMatchObject({ advanced: 1, failed: 1, expired: 1, offered: 1 });
    expect(await entryStatuses(database, broken)).toEqual(["NOTIFIED", "WAITING"]);
    expect(await entryStatuses(database, sound)).toEqual(["EXPIRED", "NOTIFIED"]);
    expect(expireTables(report)[1]?.rows).toEqual([[broken, "failed"]]);
  });

  /** The offer's mail of one plan fails, after its offers were ended. */
  async function refuseMailsOf(planId: string): Promise<void> {
    await database.query(`
      CREATE FUNCTION refuse_offer() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF NEW.template = 'waitlist-offer' AND NEW.data->>'planUrl' LIKE '%${planId}' THEN
          RAISE EXCEPTION 'refused by a test';
        END IF;
        RETURN NEW;
      END $$`);
    await database.query(`
      CREATE TRIGGER refuse_offer BEFORE INSERT ON outbox_mails
      FOR EACH ROW EXECUTE FUNCTION refuse_offer()`);
  }
});

describe("a run of process-expired-notifications", () => {
  it("in a dry run says what the real one then does, and writes nothing", async () => {
    const plan = await seedPlan(database, { capacity: 4 });
    await seedBooking(database, { plan, status: "CONFIRMED" });
    await seedWaiting(database, { plan, status: "NOTIFIED", expiresInHours: -1 });
    await seedWaiting(database, { plan, userId: await seedUser(database, { active: false }) });
    for (let place = 0; place < 2; place += 1) await seedWaiting(database, { plan });
    const other = await seedPlan(database, { capacity: 2 });
    for (let place = 0; place < 4; place += 1) await seedWaiting(database, { plan: other });
    const reader = openDatabase({
      url: database.url,
      applicationName: "dry run under test",
      readOnly: true,
      connections: 1,
    });

    const planned = await runExpire(reader, { dryRun: true }).finally(() => reader.close());

    expect(planned.report).toMatchObject({ found: 2, advanced: 2, expired: 1, offered: 4 });
    expect(await mailKeys(database)).toEqual([]);
    const { report } = await runExpire(db);
    expect({ ...report, dryRun: true, mailsLeft: 0 }).toEqual(planned.report);
  });

  it("delivers in the end what it wrote, and leaves what the mail server does not take", async () => {
    const sandbox = await startMailSandbox();
    onTestFinished(() => sandbox.close());
    const plan = await seedPlan(database, { capacity: 1 });
    const ended = await seedWaiting(database, { plan, status: "NOTIFIED", expiresInHours: -1 });
    const next = await seedWaiting(database, { plan });
    sandbox.behave({ at: "recipient", do: { refuse: 450 }, to: ended.userId });

    const { verdict, report } = await runExpire(db, { mail: mailSettings({ sandbox }) });

    expect(verdict).toEqual({ kind: "completed" });
    expect(report).toMatchObject({ expired: 1, offered: 1, mailsSent: 1 });
    expect(sandbox.mails().map(({ recipient }) => recipient)).toEqual([
      expect.stringContaining(next.userId),
    ]);
    expect(await mailKeys(database)).toEqual([
      `waitlist-expired:${ended.entryId}`,
      `waitlist-offer:${next.entryId} SENT`,
    ]);
  });

  it("handles no more plans than its limit", async () => {
    for (let index = 0; index < 3; index += 1) {
      const plan = await seedPlan(database, { capacity: 1 });
      await seedWaiting(database, { plan });
    }
    expect((await runExpire(db, { limit: 2 })).report).toMatchObject({ found: 2, offered: 2 });
    expect((await runExpire(db)).report).toMatchObject({ found: 1, offered: 1 });
  });

  it("told to stop, starts no other plan", async () => {
    for (let index = 0; index < 2; index += 1) {
      await seedWaiting(database, { plan: await seedPlan(database, { capacity: 1 }) });
    }
    const stop = new AbortController();
    const progress = { update: () => stop.abort() };

    const { verdict, report } = await runExpire(db, { signal: stop.signal, progress });

    expect(verdict).toEqual({ kind: "interrupted" });
    expect(report.offered).toBe(1);
  });
});
