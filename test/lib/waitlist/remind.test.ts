import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openDatabase, type Db } from "../../../lib/db/client.ts";
import { noLease } from "../../../lib/support/lease.ts";
import { reminderOutputs } from "../../../lib/waitlist/index.ts";
import { bookOffer, leaveWaitlist } from "../../../lib/waitlist/moves/index.ts";
import { startMailSandbox, type MailSandbox } from "../../../scripts/sandbox/mail/index.ts";
import { seedPlan, seedWaiting } from "../../../scripts/dev/seed/bookings.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { letHoursPass, mailSettings } from "../../support/mail.ts";
import { mailKeys, OFFER_MS, runRemind } from "../../support/waitlist.ts";
import { impatient, inSession } from "../payouts/sessions.ts";

let database: TestDatabase;
let db: Db;

beforeEach(async () => {
  database = await createTestDatabase();
  db = openDatabase({
    url: database.url,
    rowWait: impatient(database).rowWait,
    applicationName: "reminders under test",
    readOnly: false,
    connections: 1,
  });
});
afterEach(async () => {
  await db.close();
  await database.drop();
});

/** Somebody whose offer ends in so many hours. */
async function offered(expiresInHours: number): Promise<string> {
  const plan = await seedPlan(database, { title: "Yoga" });
  return (await seedWaiting(database, { plan, status: "NOTIFIED", expiresInHours })).entryId;
}

async function settle(entryId: string, status: "SENT" | "GAVE_UP"): Promise<void> {
  await database.query(
    "UPDATE outbox_mails SET status = $2::mail_status, settled_at = now() WHERE key = $1",
    [`waitlist-reminder:${entryId}`, status],
  );
}

describe("a reminder", () => {
  it("is written for everyone with less than twelve hours left, however little that is", async () => {
    const [late, soon] = [await offered(0.05), await offered(11.9)];
    await offered(12.1);
    await offered(-0.1);

    const { verdict, report } = await runRemind(db);

    expect(verdict).toEqual({ kind: "completed" });
    expect(report).toMatchObject({ found: 2, queued: 2, sent: 0, waiting: 2 });
    expect(await mailKeys(database)).toEqual(
      [late, soon].map((entryId) => `waitlist-reminder:${entryId}`).toSorted(),
    );
  });

  it("shows the plan and the end of the offer, and is not delivered after that", async () => {
    const entryId = await offered(2);
    await runRemind(db);

    const [mail] = await database.query(`
      SELECT entry.expires_at = mail.deliver_until AS until,
             (mail.data->>'expiresAt')::timestamptz = entry.expires_at AS shown,
             mail.data->>'planTitle' AS title, mail.template, mail.user_id = entry.user_id AS reader
      FROM outbox_mails AS mail, waitlist_entries AS entry`);
    expect(mail).toEqual({
      until: true,
      shown: true,
      title: "Yoga",
      template: "waitlist-reminder",
      reader: true,
    });
    expect(await mailKeys(database)).toEqual([`waitlist-reminder:${entryId}`]);
  });

  it("is written once for an offer, and counts as sent only when the mail server took it", async () => {
    const [sent, open, refused] = [await offered(2), await offered(3), await offered(4)];
    expect((await runRemind(db)).report).toMatchObject({ queued: 3, open: 0, sent: 0, waiting: 3 });

    expect((await runRemind(db)).report).toMatchObject({ found: 0, open: 3, sent: 0, waiting: 3 });
    await settle(sent, "SENT");
    await settle(refused, "GAVE_UP");
    expect((await runRemind(db)).report).toMatchObject({ found: 0, open: 1, waiting: 1 });
    expect(await mailKeys(database)).toEqual(
      [
        `waitlist-reminder:${sent} SENT`,
        `waitlist-reminder:${open}`,
        `waitlist-reminder:${refused} GAVE_UP`,
      ].toSorted(),
    );
  });

  it("does not follow at the heels of the offer itself", async () => {
    const entryId = await offered(6);
    await database.query("UPDATE waitlist_entries SET told_at = now() - interval '59 minutes'");
    expect((await runRemind(db)).report.found).toBe(0);

    await database.query("UPDATE waitlist_entries SET told_at = now() - interval '61 minutes'");
    expect((await runRemind(db)).report.queued).toBe(1);
    expect(await mailKeys(database)).toEqual([`waitlist-reminder:${entryId}`]);
  });

  it("is taken back when its person books or leaves before it is delivered", async () => {
    const [booked, left] = [await offered(2), await offered(2)];
    await runRemind(db);

    await bookOffer(db, { entryId: booked, reference: "booking-1", status: "CONFIRMED" });
    await leaveWaitlist(db, { entryId: left, offerMs: OFFER_MS });

    expect(await mailKeys(database)).toEqual(
      [booked, left].map((entryId) => `waitlist-reminder:${entryId} LAPSED`).toSorted(),
    );
  });

  it("that a run is delivering at the moment is left to it", async () => {
    const entryId = await offered(2);
    await runRemind(db);
    await database.query(
      `UPDATE outbox_mails
       SET claimed_by = gen_random_uuid(), claimed_until = now() + interval '1 minute'`,
    );

    await leaveWaitlist(db, { entryId, offerMs: OFFER_MS });

    expect(await mailKeys(database)).toEqual([`waitlist-reminder:${entryId}`]);
  });
});

describe("a run of send-expiration-reminders with a mail server", () => {
  let sandbox: MailSandbox;
  beforeEach(async () => {
    sandbox = await startMailSandbox();
  });
  afterEach(() => sandbox.close());
  const run = () => runRemind(db, { mail: mailSettings({ sandbox }) });

  it("counts as sent what the server took, and tries the rest again, which is never sent twice", async () => {
    await offered(2);
    await offered(3);
    sandbox.behave({ at: "recipient", do: { refuse: 450 } });

    const first = await run();
    expect(first.report).toMatchObject({ queued: 2, sent: 1, waiting: 1, mailsSent: 1 });
    expect(first.verdict).toEqual({
      kind: "completed",
      warning: "1 reminders were not sent yet; notifications/deliver-outbox tries again.",
    });

    await letHoursPass(database);
    const second = await run();
    expect(second.verdict).toEqual({ kind: "completed" });
    expect(second.report).toMatchObject({ found: 0, open: 1, sent: 1, waiting: 0 });
    expect((await run()).report).toMatchObject({ found: 0, open: 0, sent: 0, mailsSent: 0 });
    expect(sandbox.mails()).toHaveLength(2);
  });

  it("leaves one that the server refuses for good to deliver-outbox, which is red for it", async () => {
    await offered(2);
    sandbox.behave({ at: "recipient", do: { refuse: 550 } });
    const { verdict, report } = await run();
    expect(verdict).toMatchObject({
      kind: "completed",
      warning: "1 reminders were not sent yet; notifications/deliver-outbox tries again.",
    });
    expect(report).toMatchObject({ sent: 0, waiting: 1, gaveUp: 0 });
  });

  it("delivers none to who has booked meanwhile", async () => {
    const entryId = await offered(2);
    await runRemind(db);
    await bookOffer(db, { entryId, reference: "booking-1", status: "CONFIRMED" });
    expect((await run()).report).toMatchObject({ found: 0, open: 0, mailsSent: 0 });
    expect(sandbox.mails()).toEqual([]);
  });
});

describe("a run of send-expiration-reminders", () => {
  it("leaves a locked offer to the next run, and is red when every one is locked", async () => {
    const locked = await offered(2);
    await offered(3);
    await inSession(database, async (other) => {
      await other.query("BEGIN");
      await other.query("SELECT 1 FROM waitlist_entries WHERE id = $1 FOR UPDATE", [locked]);
      expect((await runRemind(db, { limit: 1 })).verdict).toMatchObject({
        kind: "failed",
        code: "work-left-behind",
      });
      const { verdict, report } = await runRemind(db);
      expect(verdict).toMatchObject({
        kind: "completed",
        warning: "1 offers were locked by another session and are left to the next run.",
      });
      expect(report).toMatchObject({
        queued: 1,
        locked: 1,
        items: [{ entryId: locked, outcome: "locked" }],
      });
    });
    expect((await runRemind(db)).report).toMatchObject({ found: 1, queued: 1 });
  });

  it("is interrupted when it is told to stop while the last one is locked", async () => {
    await offered(2);
    const stop = new AbortController();
    const lease = { ...noLease, assertTrusted: () => stop.abort() };
    await inSession(database, async (other) => {
      await other.query("BEGIN");
      await other.query("SELECT 1 FROM waitlist_entries FOR UPDATE");
      const { verdict, report } = await runRemind(db, { lease, signal: stop.signal });
      expect(verdict).toEqual({ kind: "interrupted" });
      expect(report).toMatchObject({ found: 1, locked: 1 });
    });
  });

  it("is partial when the database refuses one reminder", async () => {
    const [refused] = [await offered(2), await offered(3)];
    await database.query(`
      CREATE FUNCTION refuse_mail() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF NEW.key LIKE '%${refused}' THEN RAISE EXCEPTION 'refused by a test'; END IF;
        RETURN NEW;
      END $$`);
    await database.query(`CREATE TRIGGER refuse_mail BEFORE INSERT ON outbox_mails
      FOR EACH ROW EXECUTE FUNCTION refuse_mail()`);

    const { verdict, report } = await runRemind(db);

    expect(verdict).toMatchObject({ kind: "partial", reason: "reminders-failed" });
    expect(report).toMatchObject({
      queued: 1,
      failed: 1,
      items: [{ entryId: refused, outcome: "failed" }],
    });
  });

  it("in a dry run says what the real one then queues, and writes nothing", async () => {
    await offered(2);
    const reader = openDatabase({
      url: database.url,
      applicationName: "dry run under test",
      readOnly: true,
      connections: 1,
    });
    const planned = await runRemind(reader, { dryRun: true }).finally(() => reader.close());

    expect(reminderOutputs(planned.report)).toMatchObject({ found: 1, queued: 1, sent: 0 });
    expect(await mailKeys(database)).toEqual([]);
    expect((await runRemind(db)).report.queued).toBe(1);
  });
});
