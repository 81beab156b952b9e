import { describe, expect, it, onTestFinished } from "vitest";
import { startSandbox, type Sandbox } from "../../../scripts/sandbox/razorpay/index.ts";
import {
  seedBooking,
  seedPlan,
  seedReferralCredit,
  seedUser,
  seedWallet,
  type BookingSeed,
  type SeededBooking,
} from "../../../scripts/dev/seed/bookings.ts";
import { runCleanup } from "../../support/checkout-run.ts";
import {
  checkoutState,
  openCheckoutWorld,
  usedCredit,
  walletState,
} from "../../support/checkout-world.ts";
import type { TestDatabase } from "../../support/database.ts";
import type { ProviderPayment } from "../../../lib/provider/index.ts";

const AMOUNT_PAISE = 100_000n;

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

/** An abandoned checkout, with an order that the provider knows. */
async function abandoned(
  { database, sandbox }: World,
  seed: Partial<BookingSeed> = {},
): Promise<SeededBooking> {
  const { id: orderId } = sandbox.createOrder({
    amountPaise: AMOUNT_PAISE,
    notes: { cart: "cart-1" },
  });
  return seedBooking(database, {
    plan: await seedPlan(database, { kind: "consultation" }),
    slotsAgedHours: 25,
    ...seed,
    checkout: { orderId, ...seed.checkout },
  });
}

const outcomes = (items: readonly { bookingId: string; outcome: string }[]): [string, string][] =>
  items.map(({ bookingId, outcome }) => [bookingId, outcome]);

describe("cleanup of tentative slots", () => {
  it("releases what nobody tried to pay, and what failed, and says so on the order", async () => {
    const world = await openWorld();
    const { database, sandbox } = world;
    const untried = await abandoned(world);
    const failed = await abandoned(world);
    sandbox.createPayment({ orderId: failed.orderId ?? "", status: "failed" });

    const { verdict, report } = await runCleanup(world);

    expect(verdict).toEqual({ kind: "completed" });
    expect(report).toMatchObject({ found: 2, released: 2, slotsReleased: 2 });
    for (const { id } of [untried, failed]) {
      expect(await checkoutState(database, id)).toMatchObject({
        booking: "CANCELLED",
        payments: ["EXPIRED"],
        tentative: 0,
      });
    }
    for (const { notes } of sandbox.orders()) {
      expect(notes).toEqual({ cart: "cart-1", afterhours: "hold released, not to be paid" });
    }
    expect((await runCleanup(world)).report).toMatchObject({ found: 0 });
  });

  it("records money that the provider has instead of releasing its slot", async () => {
    const world = await openWorld();
    const booking = await abandoned(world);
    const { id } = world.sandbox.createPayment({ orderId: booking.orderId ?? "" });

    const { verdict, report } = await runCleanup(world);

    expect(verdict).toEqual({ kind: "completed" });
    expect(report).toMatchObject({ captured: 1, released: 0 });
    expect(await checkoutState(world.database, booking.id)).toMatchObject({
      booking: "CONFIRMED",
      payments: ["PAID"],
      confirmed: 1,
    });
    expect(await world.database.query("SELECT provider_payment_id AS id FROM payments")).toEqual([
      { id },
    ]);
  });

  it("leaves what is authorized", async () => {
    const world = await openWorld();
    const booking = await abandoned(world);
    world.sandbox.createPayment({ orderId: booking.orderId ?? "", status: "authorized" });

    const { verdict, report } = await runCleanup(world);
    expect(verdict).toEqual({ kind: "completed" });
    expect(report).toMatchObject({ authorized: 1, overdue: 0, released: 0 });
    expect(await checkoutState(world.database, booking.id)).toMatchObject({ tentative: 1 });
  });

  it("is red about what has been authorized for too long", async () => {
    let now = Date.now() - 4 * 24 * 3_600_000;
    const sandbox = await startSandbox({
      clock: { now: () => new Date(now), monotonicMs: () => now },
    });
    onTestFinished(() => sandbox.close());
    const { database } = await openCheckoutWorld();
    const world = { database, sandbox };
    const booking = await abandoned(world);
    sandbox.createPayment({ orderId: booking.orderId ?? "", status: "authorized" });
    now = Date.now();

    const { verdict, report } = await runCleanup(world);
    expect(verdict).toMatchObject({ kind: "failed", code: "authorized-too-long" });
    expect(report).toMatchObject({ authorized: 1, overdue: 1, released: 0 });
  });

  it("releases holds without a payment, without an order, and with an expired payment", async () => {
    const world = await openWorld();
    const { database, sandbox } = world;
    const plan = await seedPlan(database, { kind: "subscription" });
    const userId = await seedUser(database);
    const creditId = await seedReferralCredit(database, { userId, usedPaise: 500n });
    const { walletId } = await seedWallet(database, { balancePaise: 0n });
    const all = [
      await seedBooking(database, { plan, slotsAgedHours: 25 }),
      await seedBooking(database, {
        plan,
        userId,
        slotsAgedHours: 25,
        checkout: {
          legs: [
            { kind: "referral_credit", amountPaise: 500n, referralCreditId: creditId },
            { kind: "wallet", amountPaise: 700n, walletId },
          ],
        },
      }),
      await abandoned(world, { checkout: { status: "EXPIRED" } }),
    ];

    const { report } = await runCleanup(world);
    expect(report).toMatchObject({ released: 3, creditPaise: 500n, walletPaise: 700n });
    for (const { id } of all) {
      expect(await checkoutState(database, id)).toMatchObject({
        booking: "CANCELLED",
        tentative: 0,
      });
    }
    expect(await usedCredit(database, creditId)).toBe(0n);
    expect(await walletState(database, walletId)).toEqual({ balance: 700n, booked: 700n });
    expect(sandbox.orders()).toHaveLength(1);
  });

  it("ends an open checkout whose slots are gone, so that no money stays in it", async () => {
    const world = await openWorld();
    const { database } = world;
    const { walletId } = await seedWallet(database, { balancePaise: 0n });
    const booking = await seedBooking(database, {
      plan: await seedPlan(database, { kind: "consultation" }),
      status: "CANCELLED",
      checkout: { legs: [{ kind: "wallet", amountPaise: 700n, walletId }] },
    });
    await database.query("UPDATE payments SET updated_at = now() - interval '25 hours'");

    expect((await runCleanup(world)).report).toMatchObject({ released: 1, walletPaise: 700n });
    expect(await checkoutState(database, booking.id)).toMatchObject({ payments: ["EXPIRED"] });
  });

  it("finds a capture of an expired payment whose slots are still held, and leaves them to its settlement", async () => {
    const world = await openWorld();
    const booking = await abandoned(world, { checkout: { status: "EXPIRED" } });
    world.sandbox.createPayment({ orderId: booking.orderId ?? "" });

    expect((await runCleanup(world)).report).toMatchObject({ captured: 1, released: 0 });
    expect(await checkoutState(world.database, booking.id)).toMatchObject({
      payments: ["ORPHANED"],
      tentative: 1,
    });
    expect((await runCleanup(world)).report).toMatchObject({ found: 0 });
  });

  it("leaves what was changed in the last 24 hours, in any of its slots, and what is paid", async () => {
    const world = await openWorld();
    const { database } = world;
    const plan = await seedPlan(database, { kind: "subscription" });
    await seedBooking(database, { plan, slotsAgedHours: 23 });
    const moved = await seedBooking(database, { plan, meetings: 2, slotsAgedHours: 48 });
    await database.query(
      "UPDATE appointments SET ends_at = ends_at + interval '5 minutes' WHERE id = $1",
      [moved.appointmentIds[1]],
    );
    await seedBooking(database, { plan, slotsAgedHours: 48, checkout: { status: "PAID" } });

    expect((await runCleanup(world)).report).toMatchObject({ found: 0, released: 0 });
  });

  it("leaves what the provider says nothing certain about, and goes on with the others", async () => {
    const world = await openWorld();
    const { database, sandbox } = world;
    const slow = await abandoned(world, { slotsAgedHours: 30 });
    const unknown = await abandoned(world, {
      slotsAgedHours: 29,
      checkout: { orderId: "order_nobodyknows" },
    });
    const fine = await abandoned(world, { slotsAgedHours: 28 });
    sandbox.addFaults([
      { on: "GET /orders/:id", match: { order_id: slow.orderId ?? "" }, status: 500, times: -1 },
    ]);

    const { verdict, report } = await runCleanup(world);
    expect(verdict).toMatchObject({ kind: "partial", reason: "provider-unanswered" });
    expect(outcomes(report.items)).toEqual([
      [slow.id, "unanswered"],
      [unknown.id, "unanswered"],
      [fine.id, "released"],
    ]);
    expect(await checkoutState(database, slow.id)).toMatchObject({ tentative: 1 });
  });

  it.each<[string, Partial<ProviderPayment>[], "unanswered" | "released", string]>([
    [
      "a payment with a status that is not known here",
      [{ status: "unrecognised", statusText: "held" }],
      "unanswered",
      "UNRECOGNISED_STATUS",
    ],
    ["a paid order and no payment of it", [], "unanswered", "PAID_WITHOUT_PAYMENT"],
    [
      "a payment that was refunded on the dashboard",
      [{ status: "refunded", captured: true }],
      "released",
      "UNPAID",
    ],
  ])("told of %s: %j is %s", async (_what, told, outcome, code) => {
    const world = await openWorld();
    const booking = await abandoned(world);
    world.sandbox.createPayment({ orderId: booking.orderId ?? "" });
    const { report } = await runCleanup({
      ...world,
      wrapGateway: (gateway) => ({
        ...gateway,
        listOrderPayments: async (...args) => {
          const answer = await gateway.listOrderPayments(...args);
          if (answer.kind !== "accepted") return answer;
          const [payment] = answer.value;
          if (!payment) throw new Error("the sandbox has lost the payment");
          const value = told.map((change) => ({ ...payment, captured: false, ...change }));
          return { ...answer, value };
        },
      }),
    });
    expect(report.items).toMatchObject([{ bookingId: booking.id, outcome, code }]);
  });

  it("goes on past any number of orders that the provider does not know, and stops when it is silent", async () => {
    const world = await openWorld();
    const { database, sandbox } = world;
    for (let index = 0; index < 6; index += 1) {
      await abandoned(world, {
        slotsAgedHours: 40,
        checkout: { orderId: `order_unknown${index}` },
      });
    }
    const fine = await abandoned(world);

    const { verdict, report } = await runCleanup(world);
    expect(verdict).toMatchObject({ kind: "partial", reason: "provider-unanswered" });
    expect(report).toMatchObject({ unanswered: 6, released: 1 });
    expect(await checkoutState(database, fine.id)).toMatchObject({ booking: "CANCELLED" });

    sandbox.addFaults([{ on: "GET /orders/:id", status: 500, times: -1 }]);
    const silent = await runCleanup(world);
    expect(silent.verdict).toMatchObject({ kind: "failed", code: "gateway-down" });
    expect(silent.report).toMatchObject({ found: 6, unanswered: 5 });
  });

  it("stops at a fault that the next one would meet as well", async () => {
    const world = await openWorld();
    await abandoned(world);
    await abandoned(world);
    world.sandbox.addFaults([{ on: "GET /orders/:id", status: 401, times: -1 }]);
    const { verdict, report } = await runCleanup(world);
    expect(verdict).toMatchObject({ kind: "failed", code: "credentials" });
    expect(report).toMatchObject({ found: 2, released: 0, unanswered: 1 });
  });

  it("is not stopped by a row that the database refuses to change", async () => {
    const world = await openWorld();
    const { database } = world;
    const userId = await seedUser(database);
    // Less is used than the checkout holds: to give it back would make it negative.
    const creditId = await seedReferralCredit(database, { userId, usedPaise: 100n });
    const plan = await seedPlan(database, { kind: "subscription" });
    const bad = await seedBooking(database, {
      plan,
      userId,
      slotsAgedHours: 30,
      checkout: {
        legs: [{ kind: "referral_credit", amountPaise: 500n, referralCreditId: creditId }],
      },
    });
    const good = await seedBooking(database, { plan, slotsAgedHours: 25 });

    const { verdict, report } = await runCleanup(world);
    expect(verdict).toMatchObject({ kind: "partial", reason: "holds-failed" });
    expect(outcomes(report.items)).toEqual([
      [bad.id, "failed"],
      [good.id, "released"],
    ]);
    expect(await checkoutState(database, bad.id)).toMatchObject({
      booking: "PENDING",
      payments: ["PENDING"],
      tentative: 1,
    });
  });

  it("only warns when the order can not be annotated", async () => {
    const world = await openWorld();
    await abandoned(world);
    world.sandbox.addFaults([{ on: "PATCH /orders/:id", status: 500, times: -1 }]);
    expect(await runCleanup(world)).toMatchObject({
      verdict: { kind: "completed" },
      report: { released: 1 },
    });
  });

  it("handles no more than its limit, the oldest first", async () => {
    const world = await openWorld();
    await abandoned(world, { slotsAgedHours: 26 });
    const oldest = await abandoned(world, { slotsAgedHours: 40 });
    const { report } = await runCleanup({ ...world, limit: 1 });
    expect(outcomes(report.items)).toEqual([[oldest.id, "released"]]);
  });

  it("asks and decides the same in a dry run, and writes nothing anywhere", async () => {
    const world = await openWorld();
    const { database, sandbox } = world;
    const unpaid = await abandoned(world, { slotsAgedHours: 30 });
    const paid = await abandoned(world, { slotsAgedHours: 29 });
    sandbox.createPayment({ orderId: paid.orderId ?? "" });
    const waits = await abandoned(world, { slotsAgedHours: 28 });
    sandbox.createPayment({ orderId: waits.orderId ?? "", status: "authorized" });

    const planned = await runCleanup({ ...world, dryRun: true });
    expect(sandbox.calls().filter(({ mutating }) => mutating)).toEqual([]);
    for (const { id } of [unpaid, paid, waits]) {
      expect(await checkoutState(database, id)).toMatchObject({
        booking: "PENDING",
        payments: ["PENDING"],
        tentative: 1,
        mails: [],
      });
    }
    expect(await database.query("SELECT 1 FROM audit_log")).toEqual([]);

    const done = await runCleanup(world);
    expect(outcomes(done.report.items)).toEqual(outcomes(planned.report.items));
    expect(done.report.slotsReleased).toBe(planned.report.slotsReleased);
    expect(outcomes(done.report.items)).toEqual([
      [unpaid.id, "released"],
      [paid.id, "captured"],
      [waits.id, "authorized"],
    ]);
  });
});
