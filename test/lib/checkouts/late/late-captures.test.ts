import { describe, expect, it, onTestFinished } from "vitest";
import type { Db } from "../../../../lib/db/client.ts";
import { recordCapture } from "../../../../lib/checkouts/capture.ts";
import { systemRandom } from "../../../../lib/support/random.ts";
import { startSandbox, type Sandbox } from "../../../../scripts/sandbox/razorpay/index.ts";
import {
  seedBooking,
  seedPlan,
  seedReferralCredit,
  seedUser,
  seedWaiting,
  seedWallet,
  type BookingSeed,
  type LegSeed,
  type SeededBooking,
} from "../../../../scripts/dev/seed/bookings.ts";
import { runCleanup, runLate } from "../../../support/checkout-run.ts";
import {
  checkoutState,
  DAY_MS,
  openCheckoutWorld,
  usedCredit,
  walletState,
} from "../../../support/checkout-world.ts";
import type { TestDatabase } from "../../../support/database.ts";

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

/** A checkout that was abandoned, released by the cleanup, and then paid after all. */
async function paidLate(
  world: World,
  { legs = [], ...seed }: Partial<BookingSeed> & { legs?: readonly LegSeed[] } = {},
): Promise<SeededBooking> {
  const { database, sandbox } = world;
  const { id: orderId } = sandbox.createOrder({ amountPaise: CARD_PAISE });
  const booking = await seedBooking(database, {
    plan: seed.plan ?? (await seedPlan(database, { kind: "consultation" })),
    slotsAgedHours: 25,
    ...seed,
    checkout: { orderId, legs: [{ kind: "card", amountPaise: CARD_PAISE }, ...legs] },
  });
  expect((await runCleanup(world)).report).toMatchObject({ released: 1 });
  sandbox.createPayment({ orderId });
  return booking;
}

const refunds = (
  database: TestDatabase,
): Promise<{ key: string; amount: bigint; status: string }[]> =>
  database.query("SELECT key, amount_paise AS amount, status::text AS status FROM refunds");

describe("a payment that comes after its hold had ended", () => {
  it("is booked again when everything it had held is still free", async () => {
    const world = await openWorld();
    const { database, sandbox } = world;
    const booking = await paidLate(world, {
      plan: await seedPlan(database, { kind: "subscription" }),
      meetings: 3,
    });

    const { verdict, report } = await runLate(world);

    expect(verdict).toEqual({ kind: "completed" });
    expect(report).toMatchObject({ asked: 1, captured: 1, booked: 1, bookedPaise: CARD_PAISE });
    expect(report.items).toMatchObject([{ paymentId: booking.paymentId, outcome: "booked" }]);
    expect(await checkoutState(database, booking.id)).toMatchObject({
      booking: "CONFIRMED",
      payments: ["PAID"],
      confirmed: 3,
      tentative: 0,
      mails: ["checkout-released", "late-payment-booked"],
    });
    expect(sandbox.refunds()).toEqual([]);
    expect((await runLate(world)).report).toMatchObject({ asked: 0, booked: 0, refunded: 0 });
  });

  it("goes back, once, when somebody else holds one of its times", async () => {
    const world = await openWorld();
    const { database, sandbox } = world;
    const plan = await seedPlan(database, { kind: "consultation" });
    const booking = await paidLate(world, { plan });
    await seedBooking(database, { plan });

    const { verdict, report } = await runLate(world);

    expect(verdict).toEqual({ kind: "completed" });
    expect(report).toMatchObject({ captured: 1, booked: 0, refunded: 1, refundsSent: 1 });
    expect(report.items).toMatchObject([{ outcome: "refunded", code: "slot-taken" }]);
    expect(await checkoutState(database, booking.id)).toMatchObject({
      booking: "CANCELLED",
      payments: ["REFUNDING"],
      confirmed: 0,
      mails: expect.arrayContaining(["late-payment-refunded"]) as string[],
    });
    expect(await refunds(database)).toMatchObject([
      { key: `late-capture:${booking.paymentId}`, amount: CARD_PAISE },
    ]);
    expect((await runLate(world)).report).toMatchObject({ refunded: 0 });
    expect(sandbox.refunds()).toMatchObject([{ amount: Number(CARD_PAISE) }]);
  });

  it("goes back when a meeting has begun", async () => {
    const world = await openWorld();
    await paidLate(world, { startsInHours: -1, meetings: 2 });
    expect((await runLate(world)).report.items).toMatchObject([
      { outcome: "refunded", code: "meeting-past" },
    ]);
  });

  it("of a group is booked again while there is a seat that is not promised", async () => {
    const world = await openWorld();
    const { database } = world;
    const plan = await seedPlan(database, { kind: "class", sessions: 2, capacity: 2 });
    await seedBooking(database, { plan, status: "CONFIRMED" });
    const booking = await paidLate(world, { plan });
    expect((await runLate(world)).report).toMatchObject({ booked: 1 });
    expect(await checkoutState(database, booking.id)).toMatchObject({ confirmed: 2 });
    expect(await database.query("SELECT booked_seats FROM plans")).toEqual([{ booked_seats: 2 }]);
  });

  it("of a group goes back when its seat was promised to somebody who waits", async () => {
    const world = await openWorld();
    const { database } = world;
    const plan = await seedPlan(database, { capacity: 1 });
    await seedWaiting(database, { plan });
    await paidLate(world, { plan });
    expect((await runLate(world)).report.items).toMatchObject([
      { outcome: "refunded", code: "no-seat" },
    ]);
  });

  it("of a group goes back when the buyer has booked it again meanwhile", async () => {
    const world = await openWorld();
    const { database } = world;
    const plan = await seedPlan(database, { capacity: 5 });
    const { userId } = await paidLate(world, { plan });
    await seedBooking(database, { plan, userId, status: "CONFIRMED" });
    expect((await runLate(world)).report.items).toMatchObject([
      { outcome: "refunded", code: "buyer-has-booked" },
    ]);
  });

  it("takes wallet money and credit again where they still cover it, and can be refunded in full later", async () => {
    const world = await openWorld();
    const { database } = world;
    const { walletId } = await seedWallet(database, { balancePaise: 0n });
    const userId = await seedUser(database);
    const creditId = await seedReferralCredit(database, { userId, usedPaise: 2_000n });
    const booking = await paidLate(world, {
      userId,
      legs: [
        { kind: "wallet", amountPaise: 3_000n, walletId },
        { kind: "referral_credit", amountPaise: 2_000n, referralCreditId: creditId },
      ],
    });
    expect(await walletState(database, walletId)).toEqual({ balance: 3_000n, booked: 3_000n });

    expect((await runLate(world)).report).toMatchObject({ booked: 1, bookedPaise: 105_000n });
    expect(await walletState(database, walletId)).toEqual({ balance: 0n, booked: 0n });
    expect(await usedCredit(database, creditId)).toBe(2_000n);
    expect(
      await database.query(
        "SELECT 1 FROM payment_legs WHERE payment_id = $1 AND released_at IS NOT NULL",
        [booking.paymentId],
      ),
    ).toEqual([]);
  });

  it.each(["wallet", "referral_credit"] as const)(
    "goes back, its card leg alone, when the %s was spent meanwhile",
    async (kind) => {
      const world = await openWorld();
      const { database, sandbox } = world;
      const { walletId } = await seedWallet(database, { balancePaise: 0n });
      const userId = await seedUser(database);
      const creditId = await seedReferralCredit(database, { userId, usedPaise: 3_000n });
      const booking = await paidLate(world, {
        userId,
        legs: [
          kind === "wallet"
            ? { kind, amountPaise: 3_000n, walletId }
            : { kind, amountPaise: 3_000n, referralCreditId: creditId },
        ],
      });
      await database.query(
        kind === "wallet"
          ? `ALTER TABLE wallet_accounts DISABLE TRIGGER wallet_accounts_booked;
             UPDATE wallet_accounts SET balance_paise = 2999;
             ALTER TABLE wallet_accounts ENABLE TRIGGER wallet_accounts_booked`
          : "UPDATE referral_credits SET used_paise = amount_paise",
      );

      expect((await runLate(world)).report.items).toMatchObject([
        { outcome: "refunded", code: "wallet-or-credit-spent", amountPaise: CARD_PAISE },
      ]);
      expect(await refunds(database)).toMatchObject([{ amount: CARD_PAISE }]);
      expect(sandbox.refunds()).toMatchObject([{ amount: Number(CARD_PAISE) }]);
      expect(await checkoutState(database, booking.id)).toMatchObject({ payments: ["REFUNDING"] });
    },
  );

  it("goes back when the buyer has paid another checkout of the same booking", async () => {
    const world = await openWorld();
    const { database } = world;
    const booking = await paidLate(world);
    await database.query("UPDATE bookings SET status = 'CONFIRMED' WHERE id = $1", [booking.id]);
    expect((await runLate(world)).report.items).toMatchObject([
      { outcome: "refunded", code: "booked-otherwise" },
    ]);
  });

  it.each(["booked again", "refunded"] as const)(
    "a second time for one order goes back, when the first payment is %s",
    async (firstIs) => {
      const world = await openWorld();
      const { database, db } = world;
      const plan = await seedPlan(database, { kind: "consultation" });
      const booking = await paidLate(world, { plan });
      if (firstIs === "refunded") await seedBooking(database, { plan });
      const [first] = world.sandbox.payments();
      const capture = {
        orderId: booking.orderId ?? "",
        amountPaise: CARD_PAISE,
        source: "webhook",
      };
      const options = { offerMs: DAY_MS, random: systemRandom };
      await recordCapture(db, { ...capture, providerPaymentId: first?.id ?? "" }, options);
      const second = await recordCapture(
        db,
        // Captured before the first one, so that it is settled before it.
        { ...capture, providerPaymentId: captureOf(world), capturedAt: new Date(0) },
        options,
      );
      expect(second).toMatchObject({ kind: "orphaned", why: "paid-twice" });

      const { report } = await runLate(world);

      expect(report.items.map(({ outcome, code }) => [outcome, code])).toEqual([
        ["refunded", "paid-twice"],
        firstIs === "refunded" ? ["refunded", "slot-taken"] : ["booked", "all-free"],
      ]);
      expect(world.sandbox.refunds()).toHaveLength(firstIs === "refunded" ? 2 : 1);
    },
  );

  it("confirms what its request still holds", async () => {
    const world = await openWorld();
    const { database } = world;
    const booking = await seedBooking(database, {
      plan: await seedPlan(database, { kind: "subscription" }),
      meetings: 2,
      checkout: { status: "ORPHANED", paymentId: captureOf(world) },
    });
    expect((await runLate(world)).report).toMatchObject({ booked: 1 });
    expect(await checkoutState(database, booking.id)).toMatchObject({
      booking: "CONFIRMED",
      confirmed: 2,
      tentative: 0,
    });
  });
});

describe("the orders of ended holds", () => {
  it("are asked about once in 25 minutes, and no more after seven days", async () => {
    const world = await openWorld();
    const { database, sandbox } = world;
    const plan = await seedPlan(database, { kind: "consultation" });
    const of = (expiredHoursAgo: number): Promise<SeededBooking> =>
      seedBooking(database, {
        plan,
        status: "CANCELLED",
        checkout: {
          status: "EXPIRED",
          expiredHoursAgo,
          orderId: sandbox.createOrder({ amountPaise: CARD_PAISE }).id,
        },
      });
    const older = await of(48);
    const newer = await of(2);
    await of(8 * 24);

    expect((await runLate(world)).report).toMatchObject({ asked: 2, captured: 0 });
    expect(sandbox.calls().map(({ path }) => path)).toEqual([
      expect.stringContaining(newer.orderId ?? ""),
      expect.stringContaining(older.orderId ?? ""),
    ]);
    expect((await runLate(world)).report).toMatchObject({ asked: 0 });
    await database.query("UPDATE payments SET asked_at = now() - interval '26 minutes'");
    expect((await runLate({ ...world, limit: 1 })).report).toMatchObject({ asked: 1 });
  });

  it("that the provider does not know make the run yellow, and stop no other", async () => {
    const world = await openWorld();
    const { database } = world;
    const plan = await seedPlan(database, { kind: "consultation" });
    const late = await paidLate(world);
    await seedBooking(database, {
      plan,
      status: "CANCELLED",
      checkout: { status: "EXPIRED", expiredHoursAgo: 0, orderId: "order_nobodyknows" },
    });
    const { verdict, report } = await runLate(world);
    expect(verdict).toMatchObject({ kind: "partial", reason: "provider-unanswered" });
    expect(report).toMatchObject({ unanswered: 1, booked: 1 });
    expect(await checkoutState(database, late.id)).toMatchObject({ booking: "CONFIRMED" });
  });

  it("that can not be asked about, or are unknown by the dozen, keep no capture from being settled", async () => {
    const world = await openWorld();
    const { database } = world;
    const plan = await seedPlan(database, { kind: "consultation" });
    const late = await paidLate(world);
    for (const orderId of [
      "order_1/../2",
      ...Array.from({ length: 6 }, (_, n) => `order_no${n}`),
    ]) {
      await seedBooking(database, {
        plan,
        status: "CANCELLED",
        checkout: { status: "EXPIRED", expiredHoursAgo: 0, orderId },
      });
    }

    const { verdict, report } = await runLate(world);

    expect(verdict).toMatchObject({ kind: "partial", reason: "late-payments-failed" });
    expect(report).toMatchObject({ failed: 1, unanswered: 6, booked: 1 });
    expect(await checkoutState(database, late.id)).toMatchObject({ booking: "CONFIRMED" });
  });

  it("that nobody answers for keep no orphan waiting that is known already", async () => {
    const world = await openWorld();
    const { database, db, sandbox } = world;
    const known = await paidLate(world);
    await recordCapture(
      db,
      {
        orderId: known.orderId ?? "",
        providerPaymentId: sandbox.payments()[0]?.id ?? "",
        amountPaise: CARD_PAISE,
        source: "a webhook",
      },
      { offerMs: DAY_MS, random: systemRandom },
    );
    await paidLate(world);
    sandbox.addFaults([{ on: "GET /orders/:id", status: 401, times: -1 }]);

    const { verdict, report } = await runLate(world);

    expect(verdict).toMatchObject({ kind: "failed", code: "credentials" });
    expect(report).toMatchObject({ booked: 1, captured: 0 });
    expect(await checkoutState(database, known.id)).toMatchObject({ booking: "CONFIRMED" });
  });

  it("with a capture of another amount are a critical finding, red until a person has resolved it", async () => {
    const world = await openWorld();
    const { database, sandbox } = world;
    const { id: orderId } = sandbox.createOrder({ amountPaise: CARD_PAISE + 1n });
    await seedBooking(database, {
      plan: await seedPlan(database, { kind: "consultation" }),
      status: "CANCELLED",
      checkout: { status: "EXPIRED", orderId },
    });
    sandbox.createPayment({ orderId });
    for (let run = 1; run <= 2; run++) {
      expect((await runLate(world)).verdict).toMatchObject({
        kind: "failed",
        code: "records-differ",
      });
    }
    await database.query(
      "UPDATE findings SET resolved_at = now(), resolved_by = 'a person', resolution = 'refunded'",
    );
    expect((await runLate(world)).verdict).toEqual({ kind: "completed" });
    expect(sandbox.refunds()).toEqual([]);
  });

  it("are asked in a dry run, which says what would be done with each and writes nothing", async () => {
    const world = await openWorld();
    const { database, sandbox } = world;
    const plan = await seedPlan(database, { kind: "consultation" });
    const free = await paidLate(world);
    const taken = await paidLate(world, { plan });
    await seedBooking(database, { plan });
    const callsBefore = sandbox.callCount();

    const planned = await runLate({ ...world, dryRun: true });

    expect(planned.verdict).toEqual({ kind: "completed" });
    expect(
      sandbox
        .calls()
        .slice(callsBefore)
        .filter(({ mutating }) => mutating),
    ).toEqual([]);
    for (const { id } of [free, taken]) {
      expect(await checkoutState(database, id)).toMatchObject({
        booking: "CANCELLED",
        payments: ["EXPIRED"],
      });
    }
    const done = await runLate(world);
    const shown = ({ report }: typeof done): unknown =>
      report.items
        .map(({ paymentId, outcome, code, amountPaise }) => [paymentId, outcome, code, amountPaise])
        .sort();
    expect(shown(done)).toEqual(shown(planned));
    expect(done.report).toMatchObject({ captured: 2, booked: 1, refunded: 1 });
  });

  it("are not asked when the provider has no use for us: the run stops", async () => {
    const world = await openWorld();
    await paidLate(world);
    world.sandbox.addFaults([{ on: "GET /orders/:id", status: 401, times: -1 }]);
    expect((await runLate(world)).verdict).toMatchObject({ kind: "failed", code: "credentials" });
  });
});

describe("a refund of a late capture", () => {
  it("whose answer was lost is looked up, not sent a second time", async () => {
    const world = await openWorld();
    const { database, sandbox } = world;
    const plan = await seedPlan(database, { kind: "consultation" });
    await paidLate(world, { plan });
    await seedBooking(database, { plan });
    sandbox.addFaults([{ on: "POST /payments/:id/refund", dropAfter: true }]);

    expect((await runLate(world)).verdict).toMatchObject({ kind: "partial" });
    expect((await runLate(world)).verdict).toEqual({ kind: "completed" });
    expect(sandbox.refunds()).toHaveLength(1);
    expect(await refunds(database)).toHaveLength(1);
  });
});

/** A payment that the provider has captured. */
function captureOf({ sandbox }: World): string {
  const { id: orderId } = sandbox.createOrder({ amountPaise: CARD_PAISE });
  return sandbox.createPayment({ orderId }).id;
}
