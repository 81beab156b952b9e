import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openDatabase, inTransaction, type Db } from "../../../lib/db/client.ts";
import { offerFreeSeats, type SeatOffer } from "../../../lib/waitlist/offer-free-seats.ts";
import {
  seedBooking,
  seedPlan,
  seedUser,
  seedWaiting,
} from "../../../scripts/dev/seed/bookings.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";

const DAY_MS = 24 * 3_600_000;
let database: TestDatabase;
let db: Db;

beforeEach(async () => {
  database = await createTestDatabase();
  db = openDatabase({
    url: database.url,
    applicationName: "offers under test",
    readOnly: false,
    connections: 4,
  });
});
afterEach(async () => {
  await db.close();
  await database.drop();
});

const offer = (planId: string): Promise<SeatOffer[]> =>
  inTransaction(db, (tx) => offerFreeSeats(tx, { planId, offerMs: DAY_MS }));

const statuses = async (): Promise<string[]> =>
  (
    await database.query<{ status: string }>(
      "SELECT status::text AS status FROM waitlist_entries ORDER BY position",
    )
  ).map(({ status }) => status);

describe("free seats", () => {
  it("are offered one each, by priority and then by position, to no more people than there are seats", async () => {
    const plan = await seedPlan(database, { capacity: 3 });
    await seedBooking(database, { plan, status: "CONFIRMED" });
    for (const priority of [0, 0, 5, 0]) await seedWaiting(database, { plan, priority });

    const offers = await offer(plan.id);

    expect(offers).toHaveLength(2);
    expect(await statuses()).toEqual(["NOTIFIED", "WAITING", "NOTIFIED", "WAITING"]);
    expect(await offer(plan.id)).toEqual([]);
  });

  it("are told in the same transaction, with the plan's link and until the offer ends", async () => {
    const plan = await seedPlan(database, { capacity: 1, title: "Yoga" });
    const { entryId, userId } = await seedWaiting(database, { plan });

    const [made] = await offer(plan.id);

    expect(made).toMatchObject({ entryId, userId, planId: plan.id });
    const mails = await database.query<{ data: { expiresAt: string; planTitle: string } }>(
      "SELECT key, user_id, template, data, deliver_until FROM outbox_mails",
    );
    expect(mails).toMatchObject([
      {
        key: `waitlist-offer:${entryId}`,
        user_id: userId,
        template: "waitlist-offer",
        deliver_until: null,
        data: { planTitle: "Yoga", expiresAt: made?.expiresAt.toISOString() },
      },
    ]);
  });

  it("pass over who is not active or holds a booking already, and go to the one behind", async () => {
    const plan = await seedPlan(database, { capacity: 3 });
    const holder = await seedBooking(database, { plan, status: "CONFIRMED" });
    await seedWaiting(database, { plan, userId: await seedUser(database, { active: false }) });
    await seedWaiting(database, { plan, userId: holder.userId });
    await seedWaiting(database, { plan });
    await seedWaiting(database, { plan });

    expect(await offer(plan.id)).toHaveLength(2);
    expect(await statuses()).toEqual(["SKIPPED", "SKIPPED", "NOTIFIED", "NOTIFIED"]);
  });

  it("are not offered once the plan has begun, and no offer outlasts its beginning", async () => {
    const begun = await seedPlan(database, { startsInHours: -1 });
    await seedWaiting(database, { plan: begun });
    expect(await offer(begun.id)).toEqual([]);

    const soon = await seedPlan(database, { startsInHours: 2 });
    await seedWaiting(database, { plan: soon });
    expect((await offer(soon.id))[0]?.expiresAt).toEqual(soon.startsAt);
  });

  it("asked for by several at once are offered once", async () => {
    const plan = await seedPlan(database, { capacity: 2 });
    for (let place = 0; place < 6; place += 1) await seedWaiting(database, { plan });

    const all = await Promise.all(Array.from({ length: 4 }, () => offer(plan.id)));

    expect(all.flat()).toHaveLength(2);
    expect(await statuses()).toEqual(["NOTIFIED", "NOTIFIED", ...Array<string>(4).fill("WAITING")]);
  });

  it("can't be made more than there are by anybody", async () => {
    const plan = await seedPlan(database, { capacity: 1 });
    await seedBooking(database, { plan });
    await expect(seedBooking(database, { plan })).rejects.toThrow("plans_seats");
    await expect(seedWaiting(database, { plan, status: "NOTIFIED" })).rejects.toThrow(
      "plans_seats",
    );
  });
});
