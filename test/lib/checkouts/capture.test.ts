import { describe, expect, it } from "vitest";
import type { Db } from "../../../lib/db/client.ts";
import { recordCapture, type Capture, type CaptureResult } from "../../../lib/checkouts/capture.ts";
import { systemRandom } from "../../../lib/support/random.ts";
import { seedBooking, seedPlan, seedWaiting } from "../../../scripts/dev/seed/bookings.ts";
import { checkoutState, DAY_MS, openCheckoutWorld } from "../../support/checkout-world.ts";

const AMOUNT_PAISE = 100_000n;

const capture = (
  db: Db,
  { orderId }: { orderId: string | undefined },
  change: Partial<Capture> = {},
): Promise<CaptureResult> =>
  recordCapture(
    db,
    {
      orderId: orderId ?? "",
      providerPaymentId: "pay_first",
      amountPaise: AMOUNT_PAISE,
      source: "a test",
      ...change,
    },
    { offerMs: DAY_MS, random: systemRandom },
  );

describe("a capture", () => {
  it("pays an open checkout and confirms its booking, once", async () => {
    const { database, db } = await openCheckoutWorld();
    const plan = await seedPlan(database, { kind: "subscription" });
    const booking = await seedBooking(database, { plan, meetings: 2, checkout: {} });
    const capturedAt = new Date("2026-11-20T10:00:00Z");

    expect(await capture(db, booking, { capturedAt })).toMatchObject({ kind: "confirmed" });
    expect(await capture(db, booking)).toMatchObject({ kind: "known", status: "PAID" });
    expect(await checkoutState(database, booking.id)).toMatchObject({
      booking: "CONFIRMED",
      payments: ["PAID"],
      tentative: 0,
      confirmed: 2,
    });
    expect(await database.query("SELECT captured_at, provider_payment_id FROM payments")).toEqual([
      { captured_at: capturedAt, provider_payment_id: "pay_first" },
    ]);
  });

  it("of a hold that has ended is an orphan, once", async () => {
    const { database, db } = await openCheckoutWorld();
    const booking = await seedBooking(database, {
      plan: await seedPlan(database),
      status: "CANCELLED",
      checkout: { status: "EXPIRED" },
    });
    expect(await capture(db, booking)).toMatchObject({ kind: "orphaned", why: "hold-ended" });
    expect(await capture(db, booking)).toMatchObject({ kind: "known", status: "ORPHANED" });
    expect(await checkoutState(database, booking.id)).toMatchObject({ payments: ["ORPHANED"] });
  });

  it("never books a meeting that has begun, and a critical finding says so", async () => {
    const { database, db } = await openCheckoutWorld();
    const plan = await seedPlan(database, { kind: "subscription" });
    const booking = await seedBooking(database, {
      plan,
      meetings: 2,
      startsInHours: -0.1,
      checkout: {},
    });
    expect(await capture(db, booking)).toMatchObject({ kind: "orphaned", why: "meeting-past" });
    expect(await capture(db, booking)).toMatchObject({ kind: "known", status: "ORPHANED" });
    expect(await checkoutState(database, booking.id)).toMatchObject({
      booking: "CANCELLED",
      payments: ["ORPHANED"],
      tentative: 0,
      confirmed: 0,
      released: 2,
    });
    expect(await database.query("SELECT kind, severity::text AS severity FROM findings")).toEqual([
      { kind: "paid-after-meeting", severity: "critical" },
    ]);
  });

  it("is an orphan where another buyer has the time, and frees what the slower one held", async () => {
    const { database, db } = await openCheckoutWorld();
    const plan = await seedPlan(database, { kind: "consultation" });
    const slow = await seedBooking(database, { plan, checkout: {} });
    await seedBooking(database, { plan, status: "CONFIRMED" });

    expect(await capture(db, slow)).toMatchObject({ kind: "orphaned", why: "slot-taken" });
    expect(await checkoutState(database, slow.id)).toMatchObject({
      booking: "CANCELLED",
      payments: ["ORPHANED"],
      tentative: 0,
      released: 1,
    });
  });

  it("of two buyers of one time at the same moment confirms one", async () => {
    const { database, db } = await openCheckoutWorld();
    const plan = await seedPlan(database, { kind: "consultation" });
    const [a, b] = [
      await seedBooking(database, { plan, checkout: {} }),
      await seedBooking(database, { plan, checkout: {} }),
    ];
    const results = await Promise.all([
      capture(db, a, { providerPaymentId: "pay_a" }),
      capture(db, b, { providerPaymentId: "pay_b" }),
    ]);
    expect(results.map(({ kind }) => kind).sort()).toEqual(["confirmed", "orphaned"]);
  });

  it("of a cancelled request is an orphan, and its seat is offered on", async () => {
    const { database, db } = await openCheckoutWorld();
    const plan = await seedPlan(database, { capacity: 1 });
    const booking = await seedBooking(database, { plan, checkout: {} });
    await seedWaiting(database, { plan });
    await database.query("UPDATE bookings SET status = 'CANCELLED' WHERE id = $1", [booking.id]);

    expect(await capture(db, booking)).toMatchObject({ kind: "orphaned", why: "nothing-held" });
    expect(await database.query("SELECT offered_seats FROM plans")).toEqual([{ offered_seats: 1 }]);
    expect(await checkoutState(database, booking.id)).toMatchObject({ tentative: 0, released: 1 });
  });

  it("of an order that was paid before is an orphan of its own, and a critical finding, once", async () => {
    const { database, db } = await openCheckoutWorld();
    const booking = await seedBooking(database, { plan: await seedPlan(database), checkout: {} });
    await capture(db, booking);
    const again = { providerPaymentId: "pay_second", amountPaise: 70_000n };

    const results = await Promise.all([capture(db, booking, again), capture(db, booking, again)]);
    expect(results.map(({ kind }) => kind).sort()).toEqual(["known", "orphaned"]);
    expect(await checkoutState(database, booking.id)).toMatchObject({
      booking: "CONFIRMED",
      payments: ["PAID", "ORPHANED"],
    });
    expect(await database.query("SELECT kind, severity::text AS severity FROM findings")).toEqual([
      { kind: "order-paid-twice", severity: "critical" },
    ]);
  });

  it("of a payment that was written down as paid without its id is that one, and no second", async () => {
    const { database, db } = await openCheckoutWorld();
    const plan = await seedPlan(database, { kind: "consultation" });
    const booking = await seedBooking(database, {
      plan,
      status: "CONFIRMED",
      checkout: { status: "EXPIRED" },
    });
    await database.query("ALTER TABLE payments DISABLE TRIGGER payments_guard");
    await database.query("UPDATE payments SET status = 'PAID', captured_at = now()");
    await database.query("ALTER TABLE payments ENABLE TRIGGER payments_guard");

    expect(await capture(db, booking)).toMatchObject({ kind: "known", status: "PAID" });
    expect(await database.query("SELECT status::text, provider_payment_id FROM payments")).toEqual([
      { status: "PAID", provider_payment_id: "pay_first" },
    ]);
    const again = { providerPaymentId: "pay_second" };
    expect(await capture(db, booking, again)).toMatchObject({ why: "paid-twice" });
  });

  it.each(["PENDING", "EXPIRED"] as const)(
    "of another amount changes nothing of a payment that is %s, and is a critical finding",
    async (status) => {
      const { database, db } = await openCheckoutWorld();
      const booking = await seedBooking(database, {
        plan: await seedPlan(database),
        checkout: { status },
      });
      expect(await capture(db, booking, { amountPaise: AMOUNT_PAISE - 1n })).toMatchObject({
        kind: "differs",
      });
      expect(await checkoutState(database, booking.id)).toMatchObject({
        booking: "PENDING",
        payments: [status],
        tentative: 1,
      });
      expect(await database.query("SELECT kind, severity::text AS severity FROM findings")).toEqual(
        [{ kind: "capture-amount-differs", severity: "critical" }],
      );
    },
  );

  it("of an order that nobody here knows changes nothing", async () => {
    const { db } = await openCheckoutWorld();
    expect(await capture(db, { orderId: "order_unknown" })).toEqual({ kind: "unknown-order" });
  });
});
