import { describe, expect, it, onTestFinished } from "vitest";
import { planRelease, releaseHold } from "../../../lib/checkouts/release-hold.ts";
import { startSandbox, type Sandbox } from "../../../scripts/sandbox/razorpay/index.ts";
import {
  seedBooking,
  seedPlan,
  seedWaiting,
  type BookingSeed,
  type SeededBooking,
} from "../../../scripts/dev/seed/bookings.ts";
import { runCleanup, runLate } from "../../support/checkout-run.ts";
import { checkoutState, openCheckoutWorld } from "../../support/checkout-world.ts";
import type { TestDatabase } from "../../support/database.ts";
import { entryStatuses } from "../../support/waitlist.ts";

interface World {
  database: TestDatabase;
  sandbox: Sandbox;
}

async function openWorld(): Promise<World> {
  const { database } = await openCheckoutWorld();
  const sandbox = await startSandbox();
  onTestFinished(() => sandbox.close());
  return { database, sandbox };
}

/** A checkout of so many hours ago, with an order that the provider knows. */
async function heldFor(
  { database, sandbox }: World,
  hours: number,
  seed: Pick<BookingSeed, "plan"> & Partial<BookingSeed>,
): Promise<SeededBooking> {
  const { id: orderId } = sandbox.createOrder({ amountPaise: 100_000n });
  const booking = await seedBooking(database, {
    slotsAgedHours: hours,
    ...seed,
    checkout: { orderId },
  });
  await database.query(
    `UPDATE payments SET created_at = now() - $2::float8 * interval '1 hour',
            updated_at = now() - $2::float8 * interval '1 hour' WHERE id = $1`,
    [booking.paymentId, hours],
  );
  return booking;
}

/** What a dry run says, and then what the run does. */
async function release(world: World): Promise<number> {
  const dry = await runCleanup({ ...world, dryRun: true });
  const { report } = await runCleanup(world);
  expect(dry.report.released).toBe(report.released);
  return report.released;
}

describe("a hold", () => {
  it("ends three hours before the event, and its seat is offered to who waits for it", async () => {
    const world = await openWorld();
    const { database } = world;
    const plan = await seedPlan(database, { capacity: 1, startsInHours: 2.9 });
    const booking = await heldFor(world, 3.1, { plan });
    await seedWaiting(database, { plan });

    expect(await release(world)).toBe(1);

    expect(await checkoutState(database, booking.id)).toMatchObject({
      booking: "CANCELLED",
      payments: ["EXPIRED"],
    });
    expect(await entryStatuses(database, plan.id)).toEqual(["NOTIFIED"]);
  });

  it("stays until then", async () => {
    const world = await openWorld();
    const plan = await seedPlan(world.database, { capacity: 1, startsInHours: 3.1 });
    await heldFor(world, 2.9, { plan });
    expect(await release(world)).toBe(0);
  });

  it("ends before a consultation and the first meeting of a subscription as well", async () => {
    const world = await openWorld();
    for (const kind of ["consultation", "subscription"] as const) {
      const plan = await seedPlan(world.database, { kind });
      await heldFor(world, 5, {
        plan,
        startsInHours: 1,
        meetings: kind === "subscription" ? 3 : 1,
      });
    }
    expect(await release(world)).toBe(2);
  });

  it("that begins shortly before the event has a quarter of an hour, whatever the clock says", async () => {
    const world = await openWorld();
    const plan = await seedPlan(world.database, { capacity: 9, startsInHours: 1 });
    const young = await heldFor(world, 14 / 60, { plan });
    const old = await heldFor(world, 16 / 60, { plan });

    expect(await release(world)).toBe(1);

    expect(await checkoutState(world.database, young.id)).toMatchObject({ booking: "PENDING" });
    expect(await checkoutState(world.database, old.id)).toMatchObject({ booking: "CANCELLED" });
  });

  it("whose checkout begins late has that quarter of an hour from there", async () => {
    const world = await openWorld();
    const { database } = world;
    const plan = await seedPlan(database, { capacity: 9, startsInHours: 2 });
    const { paymentId } = await heldFor(world, 20, { plan });
    const begun = (minutes: number): Promise<unknown> =>
      database.query(
        "UPDATE payments SET created_at = now() - $2::int * interval '1 minute' WHERE id = $1",
        [paymentId, minutes],
      );
    await begun(14);
    expect(await release(world)).toBe(0);
    await begun(16);
    expect(await release(world)).toBe(1);
  });

  it("of a class that is under way ends before the next session", async () => {
    const world = await openWorld();
    const plan = await seedPlan(world.database, { kind: "class", sessions: 3, startsInHours: -30 });
    // Sessions: 30 and 6 hours ago, and in 18 hours.
    await heldFor(world, 1, { plan });
    expect(await release(world)).toBe(0);
    await world.database.query(
      "UPDATE appointments SET starts_at = now() + interval '2 hours', ends_at = now() + interval '3 hours' WHERE id = $1",
      [plan.appointmentIds[2]],
    );
    expect(await release(world)).toBe(1);
  });

  it("is released by nobody before its end, also when somebody asks for it", async () => {
    const { database, db } = await openCheckoutWorld();
    const plan = await seedPlan(database, { capacity: 1, startsInHours: 3.1 });
    const { id: bookingId } = await seedBooking(database, { plan, slotsAgedHours: 5 });
    const hours = 3_600_000;
    const rule = (endsBeforeMs: number) =>
      ({
        by: "age",
        bookingId,
        rule: { untouchedMs: 24 * hours, endsBeforeMs },
      }) as const;
    const options = { actor: "a test", because: "lapsed" as const, offerMs: 24 * hours, random: () => 0 };
    const stays = { kind: "conflict", why: "renewed" };
    expect(await planRelease(db, rule(3 * hours))).toEqual(stays);
    expect(await releaseHold(db, rule(3 * hours), options)).toEqual(stays);
    expect(await planRelease(db, rule(4 * hours))).toMatchObject({ kind: "cancelled" });
    expect(await releaseHold(db, rule(4 * hours), options)).toMatchObject({ kind: "cancelled" });
  });
});

describe("the length of a hold that a plan sets", () => {
  it("counts in the place of the setting, shorter and longer", async () => {
    const world = await openWorld();
    const { database } = world;
    const [short, long] = [
      await seedPlan(database, { title: "short" }),
      await seedPlan(database, { title: "long" }),
    ];
    await database.query("UPDATE plans SET hold_minutes = 30 WHERE id = $1", [short.id]);
    await database.query("UPDATE plans SET hold_minutes = 2880 WHERE id = $1", [long.id]);
    const young = await heldFor(world, 29 / 60, { plan: short });
    const ended = await heldFor(world, 31 / 60, { plan: short });
    const old = await heldFor(world, 47, { plan: long });
    const over = await heldFor(world, 49, { plan: long });

    expect(await release(world)).toBe(2);

    const states = [];
    for (const { id } of [young, ended, old, over]) {
      states.push((await checkoutState(database, id)).booking);
    }
    expect(states).toEqual(["PENDING", "CANCELLED", "PENDING", "CANCELLED"]);
  });

  it.each([14, 0, -30, 43_201])("is not %i minutes", async (minutes) => {
    const { database } = await openCheckoutWorld();
    await seedPlan(database);
    await expect(database.query("UPDATE plans SET hold_minutes = $1", [minutes])).rejects.toThrow(
      "plans_hold",
    );
  });
});

describe("a meeting that is moved", () => {
  const move = (database: TestDatabase, id: string | undefined, hours: number): Promise<unknown> =>
    database.query(
      `UPDATE appointments SET starts_at = now() + $2::float8 * interval '1 hour',
              ends_at = now() + ($2::float8 + 1) * interval '1 hour' WHERE id = $1`,
      [id, hours],
    );

  it("gives no hold of a webinar new time", async () => {
    const world = await openWorld();
    const plan = await seedPlan(world.database);
    await heldFor(world, 25, { plan });
    await move(world.database, plan.appointmentIds[0], 300);
    expect(await release(world)).toBe(1);
  });

  it("gives the hold of its own consultation new time: the buyer has another hour to agree to", async () => {
    const world = await openWorld();
    const plan = await seedPlan(world.database, { kind: "consultation" });
    const { appointmentIds } = await heldFor(world, 25, { plan });
    await move(world.database, appointmentIds[0], 300);
    expect(await release(world)).toBe(0);
  });

  it("takes the end of a hold along, to sooner and to later", async () => {
    const world = await openWorld();
    const { database } = world;
    const plan = await seedPlan(database, { capacity: 1 });
    await heldFor(world, 2, { plan });
    await move(database, plan.appointmentIds[0], 2.9);
    await move(database, plan.appointmentIds[0], 40);
    expect(await release(world)).toBe(0);
    await move(database, plan.appointmentIds[0], 2.9);
    expect(await release(world)).toBe(1);
  });

  it("is what late money books: the released slots are those of the meeting as it is now", async () => {
    const world = await openWorld();
    const { database, sandbox } = world;
    const plan = await seedPlan(database, { capacity: 1 });
    const { id, orderId = "" } = await heldFor(world, 25, { plan });
    expect(await release(world)).toBe(1);
    await move(database, plan.appointmentIds[0], 500);
    sandbox.createPayment({ orderId });

    expect((await runLate(world)).report).toMatchObject({ booked: 1 });

    expect(await checkoutState(database, id)).toMatchObject({ booking: "CONFIRMED", confirmed: 1 });
    expect(
      await database.query(
        `SELECT slot.starts_at = meeting.starts_at AS same, slot.starts_at > now() + interval '499 hours' AS moved
         FROM slots AS slot JOIN appointments AS meeting ON meeting.id = appointment_id`,
      ),
    ).toEqual([{ same: true, moved: true }]);
  });

  it("into the past gets late money back to its buyer", async () => {
    const world = await openWorld();
    const { database, sandbox } = world;
    const plan = await seedPlan(database, { capacity: 1 });
    const { orderId = "" } = await heldFor(world, 25, { plan });
    expect(await release(world)).toBe(1);
    await move(database, plan.appointmentIds[0], -2);
    sandbox.createPayment({ orderId });
    expect((await runLate(world)).report).toMatchObject({ booked: 0, refunded: 1 });
  });
});
