import { describe, expect, it, onTestFinished } from "vitest";
import { startSandbox, type Sandbox } from "../../../scripts/sandbox/razorpay/index.ts";
import { seedBooking, seedPlan } from "../../../scripts/dev/seed/bookings.ts";
import { runLate } from "../../support/checkout-run.ts";
import { checkoutState } from "../../support/checkout-world.ts";
import { runEvents } from "../../support/payment-events-run.ts";
import {
  drifts,
  legRows,
  runRefunds,
  seedCaptured,
  seedEarning,
} from "../../support/refund-run.ts";
import {
  createRefundWorld,
  seedPaid,
  type PaidBooking,
  type RefundWorld,
} from "../../support/refund-world.ts";

interface World extends RefundWorld {
  sandbox: Sandbox;
}

async function openWorld(): Promise<World> {
  const world = await createRefundWorld();
  const sandbox = await startSandbox();
  onTestFinished(async () => {
    await sandbox.close();
    await world.end();
  });
  return { ...world, sandbox };
}

/** A captured payment of ₹1,000 by card, and the consultant's earning of ₹800 for it. */
async function sold(world: World): Promise<PaidBooking & { providerPaymentId: string }> {
  const booking = await seedCaptured(world);
  const { reference, plan, providerPaymentId = "" } = booking;
  await seedEarning(world.database, { consultantId: plan.consultantId, reference });
  return { ...booking, providerPaymentId };
}

const refundRows = ({ database }: World): Promise<Record<string, unknown>[]> =>
  database.query(
    `SELECT key, status::text AS status, amount_paise AS amount, requested_by AS by, of_sale FROM refunds
     ORDER BY created_at, key`,
  );

/** What of the earnings was taken back, and what consultants owe. */
async function charged({ database }: World): Promise<{ taken: bigint; owed: bigint }> {
  const [row] = await database.query<{ taken: bigint; owed: bigint }>(
    `SELECT (SELECT COALESCE(sum(amount_paise), 0)::bigint FROM earning_refunds) AS taken,
            (SELECT COALESCE(sum(amount_paise), 0)::bigint FROM earning_recoveries) AS owed`,
  );
  return row ?? { taken: -1n, owed: -1n };
}

const statusOf = async ({ database }: World, paymentId: string): Promise<string | undefined> =>
  (
    await database.query<{ status: string }>("SELECT status::text FROM payments WHERE id = $1", [
      paymentId,
    ])
  )[0]?.status;

const findings = ({ database }: World): Promise<{ kind: string; severity: string }[]> =>
  database.query("SELECT kind, severity::text AS severity FROM findings ORDER BY kind");

describe("a refund that was made in the provider's dashboard", () => {
  it("of all is booked once, charges the consultant, and a warning says so", async () => {
    const world = await openWorld();
    const { sandbox } = world;
    const { paymentId, providerPaymentId } = await sold(world);
    const { id } = sandbox.refundInDashboard({ paymentId: providerPaymentId });

    const planned = await runEvents({ ...world, dryRun: true });
    expect(planned.report).toMatchObject({ refundsRead: 1, booked: 1 });
    expect(await refundRows(world)).toEqual([]);
    const { verdict, report } = await runEvents(world);

    expect(verdict).toMatchObject({ kind: "completed" });
    expect(report).toMatchObject({ booked: 1, bookedPaise: 100_000n });
    const row = {
      key: `provider-refund:${id}`,
      status: "PROCESSED",
      amount: 100_000n,
      by: "provider",
      of_sale: true,
    };
    expect(await refundRows(world)).toEqual([row]);
    expect(await charged(world)).toEqual({ taken: 80_000n, owed: 0n });
    expect(await statusOf(world, paymentId)).toBe("REFUNDED");
    expect(await findings(world)).toEqual([{ kind: "refund-made-outside", severity: "warning" }]);

    await runEvents(world);
    expect(await refundRows(world)).toEqual([row]);
    expect(await charged(world)).toEqual({ taken: 80_000n, owed: 0n });
    expect(await drifts(world.database)).toEqual([]);
    expect(await world.request({ paymentId })).toMatchObject({
      kind: "refused",
      code: "NOTHING_LEFT",
    });
  });

  it("of a part leaves the rest to a later refund, which charges the rest of the share", async () => {
    const world = await openWorld();
    const { sandbox } = world;
    const { paymentId, providerPaymentId } = await sold(world);
    sandbox.refundInDashboard({ paymentId: providerPaymentId, amountPaise: 50_000n });
    await runEvents(world);
    expect(await charged(world)).toEqual({ taken: 40_000n, owed: 0n });
    expect(await statusOf(world, paymentId)).toBe("PAID");

    expect(await world.request({ paymentId })).toMatchObject({ kind: "requested" });
    expect((await runRefunds(world)).verdict).toEqual({ kind: "completed" });
    await runRefunds(world);

    expect(sandbox.refunds().map(({ amount }) => amount)).toEqual([50_000, 50_000]);
    expect(await charged(world)).toEqual({ taken: 80_000n, owed: 0n });
    expect((await runEvents(world)).report).toMatchObject({ booked: 0, unmatched: 0 });
    expect((await refundRows(world)).map(({ by }) => by)).toEqual(["provider", "a test"]);
  });

  it("that is pending is followed, and charges nobody before it is paid", async () => {
    const world = await openWorld();
    const { sandbox } = world;
    const { paymentId, providerPaymentId } = await sold(world);
    const made = sandbox.refundInDashboard({ paymentId: providerPaymentId, status: "pending" });
    await runEvents(world);
    expect(await legRows(world.database)).toMatchObject([{ state: "ACCEPTED" }]);
    expect(await charged(world)).toEqual({ taken: 0n, owed: 0n });
    expect(await world.request({ paymentId })).toMatchObject({ code: "NOTHING_LEFT" });

    sandbox.moveRefund(made.id, { status: "processed" });
    await runRefunds(world);
    expect(await legRows(world.database)).toMatchObject([{ state: "PROCESSED" }]);
    expect(await charged(world)).toEqual({ taken: 80_000n, owed: 0n });
  });

  it("that fails later charges nobody, and leaves all to another refund", async () => {
    const world = await openWorld();
    const { sandbox } = world;
    const { paymentId, providerPaymentId } = await sold(world);
    const made = sandbox.refundInDashboard({ paymentId: providerPaymentId, status: "pending" });
    await runEvents(world);
    sandbox.moveRefund(made.id, { status: "failed" });
    await runRefunds(world);
    expect(await charged(world)).toEqual({ taken: 0n, owed: 0n });
    expect(await findings(world)).toEqual([{ kind: "refund-made-outside", severity: "warning" }]);
    expect(await world.request({ paymentId })).toMatchObject({ kind: "requested" });
    await runRefunds(world);
    expect((await runRefunds(world)).verdict).toEqual({ kind: "completed" });
    expect(await charged(world)).toEqual({ taken: 80_000n, owed: 0n });
  });

  it("that had failed when it was read is none", async () => {
    const world = await openWorld();
    const { providerPaymentId } = await sold(world);
    world.sandbox.refundInDashboard({ paymentId: providerPaymentId, status: "failed" });
    expect((await runEvents(world)).report).toMatchObject({ refundsRead: 1, booked: 0 });
    expect(await refundRows(world)).toEqual([]);
  });

  it("of a consultant who was paid is owed", async () => {
    const world = await openWorld();
    const { providerPaymentId } = await sold(world);
    await world.database.query(
      "ALTER TABLE earnings DISABLE TRIGGER USER; UPDATE earnings SET status = 'PAID'; ALTER TABLE earnings ENABLE TRIGGER USER",
    );
    world.sandbox.refundInDashboard({ paymentId: providerPaymentId });
    await runEvents(world);
    expect(await charged(world)).toEqual({ taken: 0n, owed: 80_000n });
  });

  it("before a refund of ours was sent is booked once ours was refused", async () => {
    const world = await openWorld();
    const { sandbox } = world;
    const { paymentId, providerPaymentId } = await sold(world);
    await world.request({ paymentId });
    sandbox.refundInDashboard({ paymentId: providerPaymentId });

    expect((await runEvents(world)).report).toMatchObject({ waiting: 1, booked: 0 });
    expect(await charged(world)).toEqual({ taken: 0n, owed: 0n });
    await runRefunds(world);
    expect((await runEvents(world)).report).toMatchObject({ waiting: 0, booked: 1 });

    expect(await charged(world)).toEqual({ taken: 80_000n, owed: 0n });
    expect(await statusOf(world, paymentId)).toBe("REFUNDED");
    expect(sandbox.refunds()).toHaveLength(1);
  });

  it("is none when it is ours and its answer was lost", async () => {
    const world = await openWorld();
    const { sandbox } = world;
    const { paymentId } = await sold(world);
    await world.request({ paymentId });
    sandbox.addFaults({ on: "POST /payments/:id/refund", dropAfter: true });
    await runRefunds(world);
    expect(await legRows(world.database)).toMatchObject([{ state: "UNKNOWN" }]);

    expect((await runEvents(world)).report).toMatchObject({ waiting: 1, booked: 0, unmatched: 0 });
    await runRefunds(world);
    expect((await runEvents(world)).report).toMatchObject({ waiting: 0, booked: 0, unmatched: 0 });
    expect(await refundRows(world)).toHaveLength(1);
    expect(await charged(world)).toEqual({ taken: 80_000n, owed: 0n });
  });

  it("is booked once by two runs at once", async () => {
    const world = await openWorld();
    const { providerPaymentId } = await sold(world);
    world.sandbox.refundInDashboard({ paymentId: providerPaymentId });
    await Promise.all([runEvents(world), runEvents(world), runEvents(world)]);
    expect(await refundRows(world)).toHaveLength(1);
    expect(await charged(world)).toEqual({ taken: 80_000n, owed: 0n });
  });

  it("of a payment that is not ours is a critical finding until a person resolves it", async () => {
    const world = await openWorld();
    const { sandbox, database } = world;
    const { id: orderId } = sandbox.createOrder({ amountPaise: 5_000n });
    sandbox.refundInDashboard({ paymentId: sandbox.createPayment({ orderId }).id });

    const { verdict, report } = await runEvents(world);
    expect(verdict).toMatchObject({ kind: "failed", code: "records-differ" });
    expect(report).toMatchObject({ unmatched: 1, openFindings: 1 });
    expect(await findings(world)).toEqual([
      { kind: "outside-refund-unmatched", severity: "critical" },
    ]);
    await database.query(
      "UPDATE findings SET resolved_at = now(), resolved_by = 'a test', resolution = 'another shop'",
    );
    const again = await runEvents(world);
    expect(again.verdict).toEqual({ kind: "completed" });
    expect(again.report).toMatchObject({ unmatched: 0 });
  });

  it("of more than was paid by our record is a critical finding, and charges nobody", async () => {
    const world = await openWorld();
    const { sandbox } = world;
    const { id: orderId } = sandbox.createOrder({ amountPaise: 200_000n });
    const { id: providerPaymentId } = sandbox.createPayment({ orderId });
    await seedPaid(world.database, { providerPaymentId });
    sandbox.refundInDashboard({ paymentId: providerPaymentId });
    expect((await runEvents(world)).verdict).toMatchObject({ code: "records-differ" });
    expect(await refundRows(world)).toEqual([]);
  });

  it("is found however long nobody read the list", async () => {
    const world = await openWorld();
    const { sandbox } = world;
    const { providerPaymentId } = await sold(world);
    await runEvents(world);
    sandbox.refundInDashboard({ paymentId: providerPaymentId });
    await world.database.query(
      "UPDATE provider_lists SET read_until = read_until - interval '300 days'",
    );
    expect((await runEvents(world)).report).toMatchObject({ booked: 1 });
  });

  it.each([-2, 2])("is found by a machine whose clock is wrong by %i days", async (days) => {
    const world = await openWorld();
    const { database, sandbox } = world;
    const { providerPaymentId } = await sold(world);
    sandbox.refundInDashboard({ paymentId: providerPaymentId });
    const now = new Date(Date.now() + days * 86_400_000);
    const { report } = await runEvents({
      ...world,
      clock: { now: () => now, monotonicMs: () => 0 },
    });
    expect(report).toMatchObject({ refundsRead: 1, booked: 1 });
    // What comes after it is read by the next run, however late that is.
    expect(
      await database.query("SELECT name FROM provider_lists WHERE read_until > now()"),
    ).toEqual([]);
  });

  it("is found by the run after one that could not read the list", async () => {
    const world = await openWorld();
    const { sandbox } = world;
    const { providerPaymentId } = await sold(world);
    sandbox.refundInDashboard({ paymentId: providerPaymentId });
    sandbox.addFaults({ on: "GET /refunds", status: 500, times: 1000 });
    expect((await runEvents(world)).verdict).toMatchObject({
      kind: "failed",
      code: "gateway-down",
    });
    sandbox.clearFaults();
    expect((await runEvents(world)).report).toMatchObject({ booked: 1 });
  });
});

describe("a late capture that was refunded in the dashboard", () => {
  it("waits for the end of that refund, and is settled as before when it fails", async () => {
    const world = await openWorld();
    const { sandbox } = world;
    const { id: orderId } = sandbox.createOrder({ amountPaise: 100_000n });
    const { id: providerPaymentId } = sandbox.createPayment({ orderId });
    const { paymentId } = await seedPaid(world.database, { providerPaymentId, status: "ORPHANED" });
    const made = sandbox.refundInDashboard({ paymentId: providerPaymentId, status: "pending" });
    await runEvents(world);

    expect((await runLate({ ...world, dryRun: true })).report).toMatchObject({ skipped: 1 });
    const { verdict, report } = await runLate(world);
    expect(verdict).toEqual({ kind: "completed" });
    expect(report.items).toMatchObject([{ outcome: "skipped", code: "REFUND_UNDER_WAY" }]);

    sandbox.moveRefund(made.id, { status: "failed" });
    await runRefunds(world);
    // Its time is free again, so that it is booked rather than refunded.
    expect((await runLate(world)).report).toMatchObject({ booked: 1, refunded: 0 });
    expect(await statusOf(world, paymentId)).toBe("PAID");
  });
});

describe("a late capture of which a part was refunded in the dashboard", () => {
  it.each(["before", "after"] as const)(
    "gives back what is left, when that was read %s its refund was asked for",
    async (when) => {
      const world = await openWorld();
      const { database, sandbox } = world;
      const { id: orderId } = sandbox.createOrder({ amountPaise: 100_000n });
      const { id: providerPaymentId } = sandbox.createPayment({ orderId });
      // Its time is still free: it would be booked again.
      const plan = await seedPlan(database, { kind: "consultation" });
      const booking = await seedBooking(database, {
        plan,
        ...(when === "after" ? { startsInHours: -1 } : {}),
        status: "CANCELLED",
        checkout: { status: "ORPHANED", paymentId: providerPaymentId, orderId },
      });
      sandbox.refundInDashboard({ paymentId: providerPaymentId, amountPaise: 50_000n });

      if (when === "after") {
        expect((await runLate(world)).verdict).toMatchObject({ reason: "refunds-failed" });
      }
      await runEvents(world);
      const { verdict, report } = await runLate(world);

      expect(verdict).toEqual({ kind: "completed" });
      expect(report).toMatchObject({ booked: 0, refunded: 1, refundedPaise: 50_000n });
      await runRefunds(world);
      expect(sandbox.refunds().filter(({ live }) => live)).toMatchObject([
        { amount: 50_000 },
        { amount: 50_000 },
      ]);
      expect(await checkoutState(database, booking.id)).toMatchObject({
        booking: "CANCELLED",
        payments: ["REFUNDED"],
      });
      expect((await runLate(world)).report).toMatchObject({ refunded: 0, failed: 0 });
      expect((await refundRows(world)).every(({ of_sale }) => of_sale === false)).toBe(true);
    },
  );
});
