import { describe, expect, it, onTestFinished } from "vitest";
import type { Db } from "../../../lib/db/client.ts";
import type { CancelReason } from "../../../lib/checkouts/index.ts";
import { startSandbox, type Sandbox } from "../../../scripts/sandbox/razorpay/index.ts";
import { seedBooking, seedPlan, type SeededBooking } from "../../../scripts/dev/seed/bookings.ts";
import { runCancel, runCleanup, runLate } from "../../support/checkout-run.ts";
import { checkoutState, openCheckoutWorld } from "../../support/checkout-world.ts";
import type { TestDatabase } from "../../support/database.ts";

const CARD_PAISE = 100_000n;

interface World {
  database: TestDatabase;
  db: Db;
  sandbox: Sandbox;
}

async function openWorld(): Promise<World> {
  const { database, db } = await openCheckoutWorld();
  const sandbox = await startSandbox();
  onTestFinished(() => sandbox.close());
  return { database, db, sandbox };
}

async function openCheckout(
  { database, sandbox }: World,
  { slotsAgedHours = 0 }: { slotsAgedHours?: number } = {},
): Promise<SeededBooking> {
  return seedBooking(database, {
    plan: await seedPlan(database, { kind: "consultation" }),
    status: "APPROVED_PENDING_PAYMENT",
    slotsAgedHours,
    checkout: { orderId: sandbox.createOrder({ amountPaise: CARD_PAISE }).id },
  });
}

async function cancelled(
  world: World,
  booking: SeededBooking,
  because?: CancelReason,
): Promise<void> {
  const target = { paymentId: booking.paymentId ?? "", userId: booking.userId };
  const { report } = await runCancel(world, {
    ...target,
    ...(because === undefined ? {} : { because }),
  });
  expect(report.result).toBe("cancelled");
}

const whyEnded = async (database: TestDatabase, bookingId: string): Promise<unknown> =>
  (
    await database.query(
      "SELECT ended_because AS because, ended_by AS by FROM bookings WHERE id = $1",
      [bookingId],
    )
  )[0];

const saidBecause = async (database: TestDatabase): Promise<unknown[]> =>
  (
    await database.query<{ said: unknown }>(
      "SELECT template || ' ' || (data->>'why') AS said FROM outbox_mails ORDER BY created_at, key",
    )
  ).map(({ said }) => said);

describe("a request that was ended on purpose", () => {
  it.each(["cancelled-by-buyer", "declined", "cancelled"] as const)(
    "as %s is not booked by a payment that comes late: its money goes back",
    async (because) => {
      const world = await openWorld();
      const { database, sandbox } = world;
      const booking = await openCheckout(world);
      await cancelled(world, booking, because);
      expect(await whyEnded(database, booking.id)).toEqual({
        because,
        by: "job:payments/cancel-pending",
      });
      sandbox.createPayment({ orderId: booking.orderId ?? "" });

      const planned = await runLate({ ...world, dryRun: true });
      expect(planned.report).toMatchObject({ booked: 0, refunded: 1 });
      const { report } = await runLate(world);

      expect(report.items).toMatchObject([{ outcome: "refunded", code: "cancelled-on-purpose" }]);
      expect(await checkoutState(database, booking.id)).toMatchObject({
        booking: "CANCELLED",
        confirmed: 0,
      });
      expect(sandbox.refunds()).toMatchObject([{ amount: Number(CARD_PAISE) }]);
      expect(await saidBecause(database)).toEqual([
        `checkout-released ${because}`,
        `late-payment-refunded ${because}`,
      ]);
    },
  );

  it("by an earlier version, which did not store why, is known by who released its slots", async () => {
    const world = await openWorld();
    const { database, sandbox } = world;
    const byBuyer = await openCheckout(world);
    await cancelled(world, byBuyer);
    const lapsed = await openCheckout(world, { slotsAgedHours: 25 });
    await runCleanup(world);
    await database.query(
      `BEGIN; SET LOCAL session_replication_role = replica;
       UPDATE bookings SET ended_because = NULL, ended_by = NULL; COMMIT`,
    );
    for (const { orderId } of [byBuyer, lapsed]) sandbox.createPayment({ orderId: orderId ?? "" });

    const { report } = await runLate(world);

    expect(report).toMatchObject({ booked: 1, refunded: 1 });
    expect(await checkoutState(database, lapsed.id)).toMatchObject({ booking: "CONFIRMED" });
    expect(await checkoutState(database, byBuyer.id)).toMatchObject({ booking: "CANCELLED" });
  });
});

describe("a request that lapsed", () => {
  it("is booked again, and then has not ended", async () => {
    const world = await openWorld();
    const { database, sandbox } = world;
    const booking = await openCheckout(world, { slotsAgedHours: 25 });
    await runCleanup(world);
    expect(await whyEnded(database, booking.id)).toEqual({
      because: "lapsed",
      by: "job:slots/cleanup-tentative-slots",
    });
    expect(await saidBecause(database)).toEqual(["checkout-released lapsed"]);
    sandbox.createPayment({ orderId: booking.orderId ?? "" });

    expect((await runLate(world)).report).toMatchObject({ booked: 1 });
    expect(await whyEnded(database, booking.id)).toEqual({ because: null, by: null });
  });

  it("keeps its reason", async () => {
    const { database } = await openWorld();
    const booking = await seedBooking(database, {
      plan: await seedPlan(database, { kind: "consultation" }),
      status: "CANCELLED",
    });
    await expect(
      database.query("UPDATE bookings SET ended_because = 'declined' WHERE id = $1", [booking.id]),
    ).rejects.toMatchObject({ constraint: "bookings_why_ended_stays" });
    await expect(
      seedBooking(database, {
        plan: booking.plan,
        status: "CANCELLED",
        endedBecause: "a whim" as "lapsed",
      }),
    ).rejects.toMatchObject({ constraint: "bookings_why_ended" });
  });
});
