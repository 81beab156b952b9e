import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openDatabase, type Db } from "../../../lib/db/client.ts";
import { cancelParticipation } from "../../../lib/checkouts/cancel/cancel-participation.ts";
import {
  bookOffer,
  bookSeats,
  joinWaitlist,
  leaveWaitlist,
} from "../../../lib/waitlist/moves/index.ts";
import {
  seedBooking,
  seedPlan,
  seedUser,
  seedWaiting,
  type SeededPlan,
} from "../../../scripts/dev/seed/bookings.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { entryStatuses, mailKeys, OFFER_MS, seatsOf } from "../../support/waitlist.ts";
import { impatient, inSession } from "../payouts/sessions.ts";

const offerMs = OFFER_MS;
let database: TestDatabase;
let db: Db;
let plan: SeededPlan;

beforeEach(async () => {
  database = await createTestDatabase();
  db = openDatabase({
    url: database.url,
    rowWait: impatient(database).rowWait,
    applicationName: "moves under test",
    readOnly: false,
    connections: 2,
  });
  plan = await seedPlan(database, { capacity: 3, sessions: 2 });
});
afterEach(async () => {
  await db.close();
  await database.drop();
});

const slots = (): Promise<{ tentative: boolean; count: bigint }[]> =>
  database.query("SELECT tentative, count(*) FROM slots GROUP BY tentative");

describe("who joins a waitlist", () => {
  it("stands at the end of the line of a plan that is full", async () => {
    await seedBooking(database, { plan, seats: 3, status: "CONFIRMED" });
    const userId = await seedUser(database);

    const joined = await joinWaitlist(db, { planId: plan.id, userId, offerMs });

    expect(joined).toMatchObject({ kind: "joined", offer: undefined });
    expect(await joinWaitlist(db, { planId: plan.id, userId, offerMs })).toEqual({
      kind: "in-line",
    });
    expect(await entryStatuses(database)).toEqual(["WAITING"]);
  });

  it("is offered a seat at once where one is free", async () => {
    const userId = await seedUser(database);
    const joined = await joinWaitlist(db, { planId: plan.id, userId, offerMs });
    expect(joined).toMatchObject({ kind: "joined", offer: { userId, planId: plan.id } });
    expect(await seatsOf(database, plan.id)).toMatchObject({ offered: 1 });
  });

  it("may leave and join again, behind all others", async () => {
    await seedBooking(database, { plan, seats: 3, status: "CONFIRMED" });
    const userId = await seedUser(database);
    const first = await joinWaitlist(db, { planId: plan.id, userId, offerMs });
    await seedWaiting(database, { plan });
    if (first.kind !== "joined") throw new Error("did not join");

    expect(await leaveWaitlist(db, { entryId: first.entryId, offerMs })).toEqual({
      kind: "left",
      offers: [],
    });
    expect(await joinWaitlist(db, { planId: plan.id, userId, offerMs })).toMatchObject({
      kind: "joined",
    });
    expect(await entryStatuses(database)).toEqual(["CANCELLED", "WAITING", "WAITING"]);
    expect(await leaveWaitlist(db, { entryId: first.entryId, offerMs })).toEqual({
      kind: "not-in-line",
      status: "CANCELLED",
    });
  });

  it("after an offer has ended may join again, whether or not the job has seen its end", async () => {
    await seedBooking(database, { plan, seats: 2, status: "CONFIRMED" });
    const { userId } = await seedWaiting(database, {
      plan,
      status: "NOTIFIED",
      expiresInHours: -1,
    });
    expect(await joinWaitlist(db, { planId: plan.id, userId, offerMs })).toMatchObject({
      kind: "joined",
      offer: { userId },
    });
    expect(await entryStatuses(database)).toEqual(["EXPIRED", "NOTIFIED"]);
  });

  it("is refused where there is nothing to wait for", async () => {
    const join = (planId: string, userId: string) => joinWaitlist(db, { planId, userId, offerMs });
    const userId = await seedUser(database);
    const talk = await seedPlan(database, { kind: "consultation" });
    const begun = await seedPlan(database, { startsInHours: -1 });
    const holder = await seedBooking(database, { plan, status: "PENDING" });

    expect(await join(talk.id, userId)).toEqual({ kind: "no-waitlist" });
    expect(await join("00000000-0000-4000-8000-000000000000", userId)).toEqual({
      kind: "no-waitlist",
    });
    expect(await join(begun.id, userId)).toEqual({ kind: "begun" });
    expect(await join(plan.id, holder.userId)).toEqual({ kind: "holds-booking" });
    expect(await join(plan.id, await seedUser(database, { active: false }))).toEqual({
      kind: "not-active",
    });
  });
});

describe("who leaves while a seat is offered", () => {
  it("frees it for the next person, in the same transaction", async () => {
    await seedBooking(database, { plan, seats: 2, status: "CONFIRMED" });
    const { entryId } = await seedWaiting(database, { plan, status: "NOTIFIED" });
    const next = await seedWaiting(database, { plan });

    expect(await leaveWaitlist(db, { entryId, offerMs })).toMatchObject({
      kind: "left",
      offers: [{ entryId: next.entryId }],
    });
    expect(await mailKeys(database)).toEqual([`waitlist-offer:${next.entryId}`]);
  });

  it("changes nothing when another session holds the plan", async () => {
    const { entryId } = await seedWaiting(database, { plan, status: "NOTIFIED" });
    await inSession(database, async (other) => {
      await other.query("BEGIN");
      await other.query("SELECT 1 FROM plans FOR UPDATE");
      expect(await leaveWaitlist(db, { entryId, offerMs })).toEqual({ kind: "busy" });
    });
    expect(await entryStatuses(database)).toEqual(["NOTIFIED"]);
  });
});

describe("an offer", () => {
  it("is booked with a slot in every meeting, also when no seat beside it is free", async () => {
    await seedBooking(database, { plan, seats: 2, status: "CONFIRMED" });
    const { entryId } = await seedWaiting(database, { plan, status: "NOTIFIED" });

    const booked = await bookOffer(db, { entryId, reference: "mine", status: "PENDING" });

    expect(booked).toMatchObject({ kind: "booked" });
    expect(await entryStatuses(database)).toEqual(["BOOKED"]);
    expect(await seatsOf(database, plan.id)).toEqual({ capacity: 3, booked: 3, offered: 0 });
    expect(await slots()).toEqual(
      expect.arrayContaining([
        { tentative: true, count: 2n },
        { tentative: false, count: 4n },
      ]),
    );
    const [entry] = await database.query("SELECT booking_id FROM waitlist_entries");
    expect(booked).toMatchObject({ bookingId: entry?.["booking_id"] as string });
    expect(await bookOffer(db, { entryId, reference: "mine", status: "PENDING" })).toEqual(booked);
    expect(await bookOffer(db, { entryId, reference: "other", status: "PENDING" })).toEqual({
      kind: "not-offered",
      status: "BOOKED",
    });
  });

  it("is refused past its time, whether or not the job has ended it", async () => {
    const { entryId } = await seedWaiting(database, {
      plan,
      status: "NOTIFIED",
      expiresInHours: -0.001,
    });
    const book = () => bookOffer(db, { entryId, reference: "late", status: "CONFIRMED" });
    expect(await book()).toEqual({ kind: "expired" });
    await database.query("UPDATE waitlist_entries SET status = 'EXPIRED', ended_at = now()");
    expect(await book()).toEqual({ kind: "expired" });
    expect(await slots()).toEqual([]);
  });

  it("is not booked by who only waits, nor under a reference that is taken", async () => {
    const waiting = await seedWaiting(database, { plan });
    const { entryId } = await seedWaiting(database, { plan, status: "NOTIFIED" });
    await seedBooking(database, { plan, reference: "taken" });

    expect(
      await bookOffer(db, { entryId: waiting.entryId, reference: "new", status: "CONFIRMED" }),
    ).toEqual({ kind: "not-offered", status: "WAITING" });
    expect(await bookOffer(db, { entryId, reference: "taken", status: "CONFIRMED" })).toEqual({
      kind: "reference-taken",
    });
    expect(await entryStatuses(database)).toEqual(["WAITING", "NOTIFIED"]);
    expect(
      await bookOffer(db, {
        entryId: "00000000-0000-4000-8000-000000000000",
        reference: "new",
        status: "CONFIRMED",
      }),
    ).toEqual({ kind: "unknown-entry" });
  });
});

describe("free seats", () => {
  const book = async (seats: number, userId?: string) =>
    bookSeats(db, {
      planId: plan.id,
      userId: userId ?? (await seedUser(database)),
      reference: `reference of ${seats}`,
      seats,
      status: "CONFIRMED",
      offerMs,
    });

  it("are booked all at once, or none of them", async () => {
    expect(await book(4)).toEqual({ kind: "full", freeSeats: 3 });
    expect(await book(3)).toMatchObject({ kind: "booked" });
    expect(await slots()).toEqual([{ tentative: false, count: 6n }]);
    expect(await book(1)).toEqual({ kind: "full", freeSeats: 0 });
  });

  it("are not for who passes by while somebody waits", async () => {
    const { entryId } = await seedWaiting(database, { plan });
    expect(await book(3)).toEqual({ kind: "full", freeSeats: 2 });
    expect(await mailKeys(database)).toEqual([`waitlist-offer:${entryId}`]);
  });

  it("and the one that is offered to the buyer are booked together", async () => {
    const { entryId, userId } = await seedWaiting(database, { plan });

    expect(await book(3, userId)).toMatchObject({ kind: "booked" });

    expect(await entryStatuses(database)).toEqual(["BOOKED"]);
    expect(await mailKeys(database)).toEqual([`waitlist-offer:${entryId} LAPSED`]);
    expect(await seatsOf(database, plan.id)).toEqual({ capacity: 3, booked: 3, offered: 0 });
  });

  it("are booked once when asked twice with one reference", async () => {
    const userId = await seedUser(database);
    const first = await book(2, userId);
    expect(await book(2, userId)).toEqual(first);
    expect(await book(2)).toEqual({ kind: "full", freeSeats: 1 });
    expect(await seatsOf(database, plan.id)).toMatchObject({ booked: 2 });
  });
});

describe("a participant with several seats who leaves", () => {
  it("gives back the slots, and each seat goes to one person", async () => {
    const { id: bookingId } = await seedBooking(database, { plan, seats: 3, status: "CONFIRMED" });
    for (let place = 0; place < 4; place += 1) await seedWaiting(database, { plan });

    const cancelled = await cancelParticipation(db, {
      bookingId,
      offerMs,
      money: "keep",
      actor: "a test",
    });

    expect(cancelled).toMatchObject({ kind: "cancelled", seats: 3 });
    expect(await entryStatuses(database)).toEqual(["NOTIFIED", "NOTIFIED", "NOTIFIED", "WAITING"]);
    expect(await mailKeys(database)).toHaveLength(3);
    expect(await slots()).toEqual([]);
    expect(
      await cancelParticipation(db, { bookingId, offerMs, money: "keep", actor: "a test" }),
    ).toEqual({ kind: "not-held" });
    expect(
      await cancelParticipation(db, {
        bookingId: "00000000-0000-4000-8000-000000000000",
        offerMs,
        money: "keep",
        actor: "a test",
      }),
    ).toEqual({ kind: "unknown-booking" });
  });
});
