import { describe, expect, it, onTestFinished } from "vitest";
import { startSandbox, type Sandbox } from "../../../../scripts/sandbox/razorpay/index.ts";
import {
  seedBooking,
  seedPlan,
  type BookingSeed,
  type SeededBooking,
} from "../../../../scripts/dev/seed/bookings.ts";
import { runLate } from "../../../support/checkout-run.ts";
import { checkoutState, openCheckoutWorld } from "../../../support/checkout-world.ts";
import type { TestDatabase } from "../../../support/database.ts";

const CARD_PAISE = 100_000n;

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

/** A checkout that began so long ago and is still open. */
async function openCheckout(
  { database, sandbox }: World,
  { minutesOld, ...seed }: Partial<BookingSeed> & { minutesOld: number },
): Promise<SeededBooking & { orderId: string }> {
  const { id: orderId } = sandbox.createOrder({ amountPaise: CARD_PAISE });
  const booking = await seedBooking(database, {
    plan: seed.plan ?? (await seedPlan(database, { kind: "consultation" })),
    ...seed,
    checkout: { orderId },
  });
  await database.query(
    "UPDATE payments SET created_at = now() - make_interval(mins => $2) WHERE id = $1",
    [booking.paymentId, minutesOld],
  );
  return { ...booking, orderId };
}

describe("an open checkout whose capture nobody reported", () => {
  it("is confirmed once it is 15 minutes old", async () => {
    const world = await openWorld();
    const { database, sandbox } = world;
    const young = await openCheckout(world, { minutesOld: 14 });
    const old = await openCheckout(world, { minutesOld: 15 });
    for (const { orderId } of [young, old]) sandbox.createPayment({ orderId });

    expect((await runLate({ ...world, dryRun: true })).report).toMatchObject({ confirmed: 1 });
    const { verdict, report } = await runLate(world);

    expect(verdict).toEqual({ kind: "completed" });
    expect(report).toMatchObject({ asked: 1, captured: 1, confirmed: 1 });
    expect(report).toMatchObject({ confirmedPaise: CARD_PAISE, booked: 0, refunded: 0 });
    expect(await checkoutState(database, old.id)).toMatchObject({
      booking: "CONFIRMED",
      payments: ["PAID"],
      confirmed: 1,
    });
    expect(await checkoutState(database, young.id)).toMatchObject({ payments: ["PENDING"] });
  });

  it("is refunded when a meeting has begun, and a finding says so", async () => {
    const world = await openWorld();
    const { database, sandbox } = world;
    const booking = await openCheckout(world, { minutesOld: 60, startsInHours: -0.5 });
    sandbox.createPayment({ orderId: booking.orderId });

    const planned = await runLate({ ...world, dryRun: true });
    expect(planned.report.items).toMatchObject([{ outcome: "refunded", code: "meeting-past" }]);
    const { report } = await runLate(world);

    expect(report.items).toMatchObject([{ outcome: "refunded", code: "meeting-past" }]);
    expect(await checkoutState(database, booking.id)).toMatchObject({
      booking: "CANCELLED",
      confirmed: 0,
      tentative: 0,
    });
    expect(sandbox.refunds()).toMatchObject([{ amount: Number(CARD_PAISE) }]);
    expect(
      await database.query("SELECT kind, severity::text AS severity, subject_id FROM findings"),
    ).toEqual([
      { kind: "paid-after-meeting", severity: "critical", subject_id: booking.paymentId },
    ]);
  });

  it("with another amount is a finding, and stays", async () => {
    const world = await openWorld();
    const { database, sandbox } = world;
    const { id: orderId } = sandbox.createOrder({ amountPaise: 90_000n });
    const booking = await seedBooking(database, {
      plan: await seedPlan(database, { kind: "consultation" }),
      checkout: { orderId },
    });
    await database.query("UPDATE payments SET created_at = now() - interval '1 hour'");
    sandbox.createPayment({ orderId });
    expect((await runLate({ ...world, dryRun: true })).report).toMatchObject({ differs: 1 });
    expect((await runLate(world)).report).toMatchObject({ differs: 1 });
    expect(await checkoutState(database, booking.id)).toMatchObject({ payments: ["PENDING"] });
    expect((await runLate(world)).report).toMatchObject({ asked: 0 });
  });
});

describe("an open checkout that is not paid", () => {
  it("is asked about again when half of its age has passed once more, at least after 15 minutes", async () => {
    const world = await openWorld();
    const { database } = world;
    await openCheckout(world, { minutesOld: 600 });
    const asked = async (age: number, sinceAsked: number | null): Promise<number> => {
      await database.query(
        `UPDATE payments SET created_at = now() - make_interval(mins => $1),
                asked_at = now() - make_interval(mins => $2)`,
        [age, sinceAsked],
      );
      return (await runLate(world)).report.asked;
    };
    expect(await asked(15, null)).toBe(1);
    expect(await asked(29, 14)).toBe(0);
    expect(await asked(30, 15)).toBe(1);
    expect(await asked(149, 49)).toBe(0);
    expect(await asked(150, 50)).toBe(1);
    expect(await asked(1_199, 399)).toBe(0);
    expect(await asked(1_200, 400)).toBe(1);
  });

  it("does not stand before others when the provider does not know its order", async () => {
    const world = await openWorld();
    const { database, sandbox } = world;
    await seedBooking(database, {
      plan: await seedPlan(database, { kind: "consultation" }),
      checkout: { orderId: "order_nobodyknows" },
    });
    await database.query("UPDATE payments SET created_at = now() - interval '2 hours'");
    const { orderId } = await openCheckout(world, { minutesOld: 60 });
    sandbox.createPayment({ orderId });

    expect((await runLate({ ...world, limit: 1 })).report).toMatchObject({ unanswered: 1 });
    expect((await runLate({ ...world, limit: 1 })).report).toMatchObject({ confirmed: 1 });
    expect((await runLate(world)).report).toMatchObject({ asked: 0 });
  });
});
