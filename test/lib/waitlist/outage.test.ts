import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openDatabase, type Db } from "../../../lib/db/client.ts";
import { requeueMail } from "../../../lib/notifications/operate.ts";
import { istInWords } from "../../../lib/support/calendar.ts";
import { bookOffer, bookSeats, leaveWaitlist } from "../../../lib/waitlist/moves/index.ts";
import { startMailSandbox, type MailSandbox } from "../../../scripts/sandbox/mail/index.ts";
import {
  seedBooking,
  seedPlan,
  seedUser,
  seedWaiting,
  type SeededPlan,
} from "../../../scripts/dev/seed/bookings.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { mailSettings, runDelivery, seedMail } from "../../support/mail.ts";
import {
  entryStatuses,
  letOffersAge,
  mailKeys,
  OFFER_MS,
  runExpire,
  runRemind,
  seatsOf,
} from "../../support/waitlist.ts";

/** A port that nobody listens on. */
const DOWN = { SMTP_URL: "smtp://127.0.0.1:9" };
/** So that a busy machine is no outage. */
const PATIENT = { SMTP_TIMEOUT_MS: "20000" };

let database: TestDatabase;
let sandbox: MailSandbox;
let db: Db;

beforeEach(async () => {
  database = await createTestDatabase();
  sandbox = await startMailSandbox();
  db = openDatabase({
    url: database.url,
    applicationName: "outage under test",
    readOnly: false,
    connections: 1,
  });
});
afterEach(async () => {
  await db.close();
  await sandbox.close();
  await database.drop();
});

/** A plan with one free seat, and people who wait for it. */
async function waited(
  count: number,
  { startsInHours = 480 }: { startsInHours?: number } = {},
): Promise<{ plan: SeededPlan; people: { entryId: string; userId: string }[] }> {
  const plan = await seedPlan(database, { title: "Yoga", capacity: 2, startsInHours });
  await seedBooking(database, { plan, status: "CONFIRMED" });
  const people = [];
  for (let place = 0; place < count; place += 1) people.push(await seedWaiting(database, { plan }));
  return { plan, people };
}

const deliver = (env: Record<string, string> = {}): ReturnType<typeof runDelivery> =>
  runDelivery({ database, sandbox, env: { ...PATIENT, ...env } });

interface Offer {
  status: string;
  told: boolean;
  /** Hours from now, rounded; null for an offer without an end. */
  endsIn: number | null;
  expires_at: Date | null;
}

async function offerOf(entryId: string): Promise<Offer | undefined> {
  const [offer] = await database.query<Offer>(
    `SELECT status::text AS status, told_at IS NOT NULL AS told, expires_at,
            round(extract(epoch FROM expires_at - now()) / 3600)::int AS "endsIn"
     FROM waitlist_entries WHERE id = $1`,
    [entryId],
  );
  return offer;
}

describe("six days without a mail server", () => {
  it("burn no waitlist: one person is offered the seat meanwhile, and afterwards each in turn", async () => {
    const { plan, people } = await waited(5);
    const first = ["NOTIFIED", "WAITING", "WAITING", "WAITING", "WAITING"];
    const verdicts: string[] = [];
    for (let day = 1; day <= 6; day += 1) {
      const { verdict } = await runExpire(db, { mail: mailSettings({ sandbox, env: DOWN }) });
      verdicts.push(verdict.kind);
      expect((await deliver(DOWN)).verdict).toMatchObject({
        kind: "failed",
        code: "mail-server-unreachable",
      });
      await letOffersAge(database, 25);
      expect(await entryStatuses(database, plan.id)).toEqual(first);
    }
    expect(verdicts).toEqual(["completed", ...Array<string>(5).fill("partial")]);
    expect((await runExpire(db)).verdict).toMatchObject({
      kind: "partial",
      reason: "offers-not-mailed",
      message:
        "1 offers wait because their mail has not gone out, the oldest for 150 hours. Their seats are kept, and nobody's turn passes.",
    });
    expect(sandbox.mails()).toEqual([]);
    expect(await seatsOf(database, plan.id)).toEqual({ capacity: 2, booked: 1, offered: 1 });

    // The server is back.
    await deliver();
    for (let turn = 0; turn < 5; turn += 1) {
      const { entryId = "" } = people[turn] ?? {};
      const offer = await offerOf(entryId);
      expect(offer).toMatchObject({ status: "NOTIFIED", told: true, endsIn: 24 });
      await letOffersAge(database, 25);
      await runExpire(db, { mail: mailSettings({ sandbox, env: PATIENT }) });
    }

    expect(await entryStatuses(database, plan.id)).toEqual(Array<string>(5).fill("EXPIRED"));
    const inTurn = people.map(({ userId }) => `${userId}@buyers.example`);
    const told = (subject: string): string[] =>
      sandbox.mails().flatMap((mail) => (mail.subject === subject ? [mail.recipient] : []));
    expect(told("A seat is free: Yoga")).toEqual(inTurn);
    expect(told("Your seat is no longer kept: Yoga")).toEqual(inTurn);
    expect(sandbox.mails()).toHaveLength(10);
  });

  it("are told of by the hourly run: after two hours a warning, and then red", async () => {
    const { plan } = await waited(1);
    expect((await runExpire(db)).report).toMatchObject({ offered: 1, unsent: 0 });
    expect(await runExpire(db)).toMatchObject({
      verdict: { kind: "completed" },
      report: { unsent: 1 },
    });
    await letOffersAge(database, 3);
    expect((await runExpire(db)).verdict).toMatchObject({
      kind: "completed",
      warning: expect.stringContaining("the oldest for 3 hours") as string,
    });
    await letOffersAge(database, 22);
    expect((await runExpire(db, { dryRun: true })).verdict).toMatchObject({ kind: "partial" });
    expect(await entryStatuses(database, plan.id)).toEqual(["NOTIFIED"]);
  });
});

describe("an offer whose mail is not sent", () => {
  it("is kept until the plan begins; the mail shows the end that holds when it is sent", async () => {
    const { people, plan } = await waited(1, { startsInHours: 100 });
    const { entryId = "" } = people[0] ?? {};
    await runExpire(db);
    expect(await offerOf(entryId)).toMatchObject({ told: false, expires_at: plan.startsAt });
    await letOffersAge(database, 50);

    await deliver();

    const offer = await offerOf(entryId);
    expect(offer).toMatchObject({ status: "NOTIFIED", told: true, endsIn: 24 });
    const [mail] = sandbox.mails();
    const [{ told } = { told: new Date() }] = await database.query<{ told: Date }>(
      "SELECT told_at AS told FROM waitlist_entries",
    );
    // Shown at the claim, counted from when the server took it: the same minute, or the one before.
    const shown = [0, 60_000].map((less) => istInWords(new Date(told.getTime() + OFFER_MS - less)));
    expect(shown.some((end) => mail?.text.includes(`kept for you until ${end}`))).toBe(true);
  });

  it("has no end where its plan has no beginning, until it is sent", async () => {
    const { people, plan } = await waited(1);
    await database.query("UPDATE plans SET starts_at = NULL WHERE id = $1", [plan.id]);
    const { entryId = "" } = people[0] ?? {};
    await runExpire(db);
    expect(await offerOf(entryId)).toMatchObject({ told: false, expires_at: null });

    await deliver();

    expect(await offerOf(entryId)).toMatchObject({ told: true, endsIn: 24 });
  });

  it("can be booked, and its mail is then taken back", async () => {
    const { people, plan } = await waited(2);
    await database.query("UPDATE plans SET starts_at = NULL WHERE id = $1", [plan.id]);
    const entryId = people[0]?.entryId ?? "";
    await runExpire(db);

    const booked = await bookOffer(db, { entryId, reference: "B-1", status: "CONFIRMED" });

    expect(booked).toMatchObject({ kind: "booked" });
    expect(await mailKeys(database)).toEqual([`waitlist-offer:${entryId} LAPSED`]);
    expect(await entryStatuses(database, plan.id)).toEqual(["BOOKED", "WAITING"]);
  });

  it("counts for its person when free seats are booked", async () => {
    const { people, plan } = await waited(1);
    await database.query("UPDATE plans SET starts_at = NULL WHERE id = $1", [plan.id]);
    const userId = people[0]?.userId ?? "";
    await runExpire(db);
    const seats = { planId: plan.id, seats: 1, status: "CONFIRMED", offerMs: OFFER_MS } as const;

    expect(
      await bookSeats(db, { ...seats, userId: await seedUser(database), reference: "B-1" }),
    ).toEqual({ kind: "full", freeSeats: 0 });
    expect(await bookSeats(db, { ...seats, userId, reference: "B-2" })).toMatchObject({
      kind: "booked",
    });
  });

  it("is given up by its person, and goes to the next one", async () => {
    const { people, plan } = await waited(2);
    await runExpire(db);
    await leaveWaitlist(db, { entryId: people[0]?.entryId ?? "", offerMs: OFFER_MS });
    expect(await entryStatuses(database, plan.id)).toEqual(["CANCELLED", "NOTIFIED"]);
  });

  it("ends when the plan begins: its person is passed over, and no mail is sent at all", async () => {
    const { people, plan } = await waited(2, { startsInHours: 10 });
    await runExpire(db);
    await letOffersAge(database, 11);

    const dry = await runExpire(db, { dryRun: true });
    const { report } = await runExpire(db);

    expect(report).toMatchObject({ expired: 0, unreached: 1, offered: 0 });
    expect(dry.report).toMatchObject({ expired: 0, unreached: 1, offered: 0 });
    expect(await entryStatuses(database, plan.id)).toEqual(["SKIPPED", "WAITING"]);
    expect(await mailKeys(database)).toEqual([`waitlist-offer:${people[0]?.entryId} LAPSED`]);
    await deliver();
    expect(sandbox.mails()).toEqual([]);
  });

  it("is not delivered once the plan has begun, before the hourly run has ended it", async () => {
    await waited(1, { startsInHours: 10 });
    await runExpire(db);
    await letOffersAge(database, 11);
    expect((await deliver()).report).toMatchObject({ lapsed: 1, sent: 0 });
    expect(sandbox.mails()).toEqual([]);
  });

  it("is reminded of only after its mail", async () => {
    await waited(1, { startsInHours: 8 });
    await runExpire(db);
    await letOffersAge(database, 3);
    expect((await runRemind(db)).report).toMatchObject({ found: 0 });
    await deliver();
    await letOffersAge(database, 2);
    expect((await runRemind(db)).report).toMatchObject({ found: 1, queued: 1 });
  });
});

describe("a mail of an offer that is given up", () => {
  it("passes the turn on where the server refuses the address and takes other mail", async () => {
    const { people, plan } = await waited(2);
    const [gone, next] = people;
    sandbox.behave({
      at: "recipient",
      do: { refuse: 550 },
      to: gone?.userId ?? "",
      times: Infinity,
    });
    await runExpire(db);
    await deliver();
    expect(await offerOf(gone?.entryId ?? "")).toMatchObject({ status: "NOTIFIED", told: false });
    expect((await runExpire(db)).report).toMatchObject({ found: 0 });

    // Somebody else's mail shows that the server is well.
    await seedMail(database, { template: "checkout-released" });
    await deliver();
    const dry = await runExpire(db, { dryRun: true });
    const { report } = await runExpire(db);

    expect(dry.report).toMatchObject({ found: 1, unreached: 1, expired: 0, offered: 1 });
    expect(report).toMatchObject({ found: 1, unreached: 1, expired: 0, offered: 1 });
    expect(await entryStatuses(database, plan.id)).toEqual(["SKIPPED", "NOTIFIED"]);
    await deliver();
    expect(sandbox.mails().map(({ recipient }) => recipient)).not.toContain(
      `${gone?.userId}@buyers.example`,
    );
    expect(await offerOf(next?.entryId ?? "")).toMatchObject({ told: true, endsIn: 24 });
  });

  it("passes no turn on where the server refuses every address", async () => {
    const { plan } = await waited(4);
    sandbox.behave({ at: "recipient", do: { refuse: 550 }, times: Infinity });
    for (let hour = 0; hour < 5; hour += 1) {
      await runExpire(db);
      await deliver();
      await letOffersAge(database, 1);
    }
    expect(await entryStatuses(database, plan.id)).toEqual([
      "NOTIFIED",
      "WAITING",
      "WAITING",
      "WAITING",
    ]);
  });

  it("waits for a person where the text was refused, and counts once it is queued again and sent", async () => {
    const { people, plan } = await waited(2);
    const { entryId = "" } = people[0] ?? {};
    sandbox.behave({ at: "answer", do: { refuse: 554 } });
    await runExpire(db);
    expect((await deliver()).verdict).toMatchObject({ reason: "mail-given-up" });
    await seedMail(database, { template: "checkout-released" });
    await deliver();
    await letOffersAge(database, 30);
    await runExpire(db);
    expect(await entryStatuses(database, plan.id)).toEqual(["NOTIFIED", "WAITING"]);

    const [mail] = await database.query<{ id: string }>(
      "SELECT id FROM outbox_mails WHERE status = 'GAVE_UP'",
    );
    await requeueMail(db, { mailId: mail?.id ?? "", by: "a test", reason: "mended" });
    await deliver();

    expect(await offerOf(entryId)).toMatchObject({ status: "NOTIFIED", told: true, endsIn: 24 });
  });

  it("queued again after the turn has passed is not sent any more", async () => {
    const { people } = await waited(1);
    sandbox.behave({ at: "recipient", do: { refuse: 550 } });
    await runExpire(db);
    await deliver();
    await seedMail(database, { template: "checkout-released" });
    await deliver();
    await runExpire(db);
    expect(await offerOf(people[0]?.entryId ?? "")).toMatchObject({ status: "SKIPPED" });

    const [mail] = await database.query<{ id: string }>(
      "SELECT id FROM outbox_mails WHERE status = 'GAVE_UP'",
    );
    await requeueMail(db, { mailId: mail?.id ?? "", by: "a test", reason: "mended" });

    expect((await deliver()).report).toMatchObject({ lapsed: 1, sent: 0 });
  });

  it("because its reader is no longer active passes the turn on", async () => {
    const { people, plan } = await waited(2);
    await runExpire(db);
    await database.query("UPDATE users SET active = false WHERE id = $1", [people[0]?.userId]);
    expect((await deliver()).report).toMatchObject({ lapsed: 1 });
    expect((await runExpire(db)).report).toMatchObject({ unreached: 1, offered: 1 });
    expect(await entryStatuses(database, plan.id)).toEqual(["SKIPPED", "NOTIFIED"]);
  });
});

describe("the time of an offer", () => {
  it("begins once, and no sooner than the last copy of its mail says, where the server's answer is lost", async () => {
    const { people } = await waited(1);
    const { entryId = "" } = people[0] ?? {};
    sandbox.behave({ at: "answer", do: "drop", taken: true });
    await runExpire(db);
    await deliver();
    expect(sandbox.mails()).toHaveLength(1);
    expect(await offerOf(entryId)).toMatchObject({ told: false });
    await letOffersAge(database, 5);

    await deliver();

    expect(sandbox.mails()).toHaveLength(2);
    expect(await offerOf(entryId)).toMatchObject({ told: true, endsIn: 24 });
  });

  it("runs from the offer itself where a program tells its people in another way", async () => {
    const plan = await seedPlan(database, { capacity: 1 });
    const { entryId } = await seedWaiting(database, {
      plan,
      status: "NOTIFIED",
      expiresInHours: 5,
    });
    expect(await offerOf(entryId)).toMatchObject({ told: true, endsIn: 5 });
    await letOffersAge(database, 6);
    expect((await runExpire(db)).report).toMatchObject({ expired: 1, unreached: 0 });
  });

  it("of two runs at once begins and ends once", async () => {
    const { plan } = await waited(3);
    await Promise.all([runExpire(db), runExpire(db)]);
    await Promise.all([deliver(), deliver()]);
    expect(sandbox.mails()).toHaveLength(1);
    await letOffersAge(database, 25);
    await Promise.all([runExpire(db), runExpire(db)]);
    expect(await entryStatuses(database, plan.id)).toEqual(["EXPIRED", "NOTIFIED", "WAITING"]);
  });
});

describe("a plan that is moved", () => {
  const moveTo = (plan: SeededPlan, hours: number): Promise<unknown> =>
    database.query(
      "UPDATE plans SET starts_at = now() + $2::int * interval '1 hour' WHERE id = $1",
      [plan.id, hours],
    );

  it("cuts an offer short, and gives it its time back when it is moved on", async () => {
    const { people, plan } = await waited(1);
    const { entryId = "" } = people[0] ?? {};
    await runExpire(db);
    await deliver();
    await moveTo(plan, 6);
    expect(await offerOf(entryId)).toMatchObject({ endsIn: 6 });
    await moveTo(plan, 12);
    expect(await offerOf(entryId)).toMatchObject({ endsIn: 12 });
    await moveTo(plan, 400);
    expect(await offerOf(entryId)).toMatchObject({ endsIn: 24 });
  });

  it("takes along an offer whose mail is not sent, and the mail shows the new beginning", async () => {
    const { people, plan } = await waited(1);
    const { entryId = "" } = people[0] ?? {};
    await runExpire(db);
    await moveTo(plan, 6);
    expect(await offerOf(entryId)).toMatchObject({ endsIn: 6, told: false });
    await deliver();
    const offer = await offerOf(entryId);
    expect(offer).toMatchObject({ endsIn: 6, told: true });
    expect(sandbox.mails()[0]?.text).toContain(istInWords(offer?.expires_at ?? new Date(0)));
  });

  it("changes the end that a reminder shows", async () => {
    const { plan } = await waited(1, { startsInHours: 12 });
    await runExpire(db);
    await deliver();
    await letOffersAge(database, 2);
    await runRemind(db);
    await moveTo(plan, 5);
    await deliver();
    const [, reminder] = sandbox.mails();
    const [moved] = await database.query<{ at: Date }>("SELECT starts_at AS at FROM plans");
    expect(reminder?.subject).toBe(
      `Your seat is kept until ${istInWords(moved?.at ?? new Date(0))}: Yoga`,
    );
  });

  it("opens no offer again that has ended", async () => {
    const { people, plan } = await waited(1);
    const { entryId = "" } = people[0] ?? {};
    await runExpire(db);
    await deliver();
    await letOffersAge(database, 25);
    await moveTo(plan, 900);
    expect((await offerOf(entryId))?.endsIn).toBe(-1);
    expect(await bookOffer(db, { entryId, reference: "B-1", status: "CONFIRMED" })).toEqual({
      kind: "expired",
    });
  });

  it("into the past ends its offers with the next run", async () => {
    const { plan } = await waited(2);
    await runExpire(db);
    await deliver();
    await moveTo(plan, -1);
    expect((await runExpire(db)).report).toMatchObject({ expired: 1, offered: 0 });
    expect(await entryStatuses(database, plan.id)).toEqual(["EXPIRED", "WAITING"]);
  });
});
