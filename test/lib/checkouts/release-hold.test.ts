import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Db } from "../../../lib/db/client.ts";
import {
  planRelease,
  releaseHold,
  type Release,
  type ReleaseTarget,
} from "../../../lib/checkouts/release-hold.ts";
import { systemRandom } from "../../../lib/support/random.ts";
import {
  seedBooking,
  seedPlan,
  seedReferralCredit,
  seedUser,
  seedWaiting,
  seedWallet,
} from "../../../scripts/dev/seed/bookings.ts";
import {
  checkoutState,
  DAY_MS,
  openCheckoutWorld,
  usedCredit,
  walletState,
} from "../../support/checkout-world.ts";

const release = (db: Db, target: ReleaseTarget): Promise<Release> =>
  releaseHold(db, target, {
    actor: "a test",
    because: "lapsed",
    offerMs: DAY_MS,
    random: systemRandom,
  });

const RULE = { untouchedMs: DAY_MS, endsBeforeMs: 3 * 3_600_000 };
const ofAge = (bookingId: string): ReleaseTarget => ({ by: "age", bookingId, rule: RULE });

describe("an unpaid checkout that ends", () => {
  it("frees its slots, cancels its request, and tells its buyer", async () => {
    const { database, db } = await openCheckoutWorld();
    const plan = await seedPlan(database, { kind: "consultation" });
    const booking = await seedBooking(database, { plan, meetings: 2, checkout: {} });
    const target = {
      by: "payment",
      paymentId: booking.paymentId ?? "",
      userId: booking.userId,
    } as const;

    expect(await release(db, target)).toMatchObject({
      kind: "cancelled",
      slots: 2,
      orderId: booking.orderId,
    });
    expect(await checkoutState(database, booking.id)).toEqual({
      booking: "CANCELLED",
      payments: ["EXPIRED"],
      tentative: 0,
      confirmed: 0,
      released: 2,
      mails: ["checkout-released"],
    });
    expect(await release(db, target)).toEqual({ kind: "conflict", why: "ended" });
  });

  it("gives wallet money and credit back, once, booked and audited for the organization that pays", async () => {
    const { database, db } = await openCheckoutWorld();
    const { walletId } = await seedWallet(database, { balancePaise: 100_000n });
    const { organizationId: payer } = await seedWallet(database);
    const userId = await seedUser(database);
    const creditId = await seedReferralCredit(database, { userId, usedPaise: 20_000n });
    const booking = await seedBooking(database, {
      plan: await seedPlan(database, { kind: "consultation" }),
      userId,
      slotsAgedHours: 25,
      checkout: {
        organizationId: payer,
        legs: [
          { kind: "card", amountPaise: 50_000n },
          { kind: "wallet", amountPaise: 30_000n, walletId },
          { kind: "referral_credit", amountPaise: 20_000n, referralCreditId: creditId },
        ],
      },
    });

    expect(await release(db, ofAge(booking.id))).toMatchObject({
      kind: "cancelled",
      walletPaise: 30_000n,
      creditPaise: 20_000n,
    });
    expect(await release(db, ofAge(booking.id))).toEqual({ kind: "conflict", why: "ended" });
    expect(await walletState(database, walletId)).toEqual({ balance: 130_000n, booked: 130_000n });
    expect(await usedCredit(database, creditId)).toBe(0n);
    expect(
      await database.query(
        `SELECT action, organization_id, detail->>'balanceAfterPaise' AS after FROM audit_log WHERE category = 'WALLET'`,
      ),
    ).toEqual([{ action: "WALLET_RELEASE", organization_id: payer, after: "130000" }]);
    expect(
      await database.query(
        "SELECT organization_id FROM ledger_transactions WHERE kind = 'wallet-released'",
      ),
    ).toEqual([{ organization_id: payer }]);
  });

  it("attributes wallet money to the wallet's owner where no organization pays", async () => {
    const { database, db } = await openCheckoutWorld();
    const { walletId, organizationId } = await seedWallet(database);
    const booking = await seedBooking(database, {
      plan: await seedPlan(database, { kind: "consultation" }),
      slotsAgedHours: 25,
      checkout: { legs: [{ kind: "wallet", amountPaise: 500n, walletId }] },
    });
    await release(db, ofAge(booking.id));
    expect(
      await database.query(
        `SELECT posting.organization_id AS booked, audit.organization_id AS audited
         FROM ledger_transactions AS posting, audit_log AS audit
         WHERE posting.kind = 'wallet-released' AND audit.category = 'WALLET'`,
      ),
    ).toEqual([{ booked: organizationId, audited: organizationId }]);
  });

  it("offers the freed seats to the next in line in the same transaction", async () => {
    const { database, db } = await openCheckoutWorld();
    const plan = await seedPlan(database, { capacity: 2 });
    const booking = await seedBooking(database, { plan, seats: 2, slotsAgedHours: 25 });
    await seedWaiting(database, { plan });

    expect(await release(db, ofAge(booking.id))).toMatchObject({ slots: 2, seatsOffered: 1 });
    expect(await database.query("SELECT booked_seats, offered_seats FROM plans")).toEqual([
      { booked_seats: 0, offered_seats: 1 },
    ]);
  });
});

describe("what goes when a checkout ends", () => {
  it("is the user's slots in all sessions of a class, and nobody else's", async () => {
    const { database, db } = await openCheckoutWorld();
    const plan = await seedPlan(database, { kind: "class", sessions: 3 });
    const gone = await seedBooking(database, { plan, slotsAgedHours: 25, checkout: {} });
    const other = await seedBooking(database, { plan, slotsAgedHours: 25, checkout: {} });

    expect(await release(db, ofAge(gone.id))).toMatchObject({ slots: 3 });
    expect(await checkoutState(database, other.id)).toMatchObject({
      booking: "PENDING",
      tentative: 3,
    });
  });

  it("is the user's own slot of a webinar", async () => {
    const { database, db } = await openCheckoutWorld();
    const plan = await seedPlan(database, { kind: "webinar" });
    const gone = await seedBooking(database, { plan, slotsAgedHours: 25 });
    const other = await seedBooking(database, { plan, slotsAgedHours: 25 });
    expect(await release(db, ofAge(gone.id))).toMatchObject({ slots: 1 });
    expect(await checkoutState(database, other.id)).toMatchObject({ tentative: 1 });
  });

  it.each(["consultation", "subscription"] as const)("is every meeting of a %s", async (kind) => {
    const { database, db } = await openCheckoutWorld();
    const plan = await seedPlan(database, { kind });
    const gone = await seedBooking(database, { plan, meetings: 4, slotsAgedHours: 25 });
    expect(await release(db, ofAge(gone.id))).toMatchObject({ slots: 4 });
  });

  it("is never the slots of another booking of the same user and plan, which is paid", async () => {
    const { database, db } = await openCheckoutWorld();
    const plan = await seedPlan(database, { kind: "class", sessions: 2 });
    const userId = await seedUser(database);
    const unpaid = await seedBooking(database, { plan, userId, slotsAgedHours: 25, checkout: {} });
    const paid = await seedBooking(database, {
      plan,
      userId,
      slotsAgedHours: 25,
      checkout: { status: "PAID" },
    });

    expect(await release(db, ofAge(unpaid.id))).toMatchObject({ kind: "cancelled", slots: 2 });
    expect(await release(db, ofAge(paid.id))).toEqual({ kind: "conflict", why: "paid" });
    expect(await checkoutState(database, paid.id)).toMatchObject({ tentative: 2, released: 0 });
  });

  it("is nothing but the rest when the request had been cancelled already", async () => {
    const { database, db } = await openCheckoutWorld();
    const { walletId } = await seedWallet(database, { balancePaise: 1_000n });
    const booking = await seedBooking(database, {
      plan: await seedPlan(database, { kind: "consultation" }),
      status: "CANCELLED",
      checkout: { legs: [{ kind: "wallet", amountPaise: 500n, walletId }] },
    });
    const { paymentId = "", userId } = booking;
    expect(await release(db, { by: "payment", paymentId, userId })).toMatchObject({
      kind: "cancelled",
      slots: 0,
      walletPaise: 500n,
    });
    expect(await checkoutState(database, booking.id)).toMatchObject({ payments: ["EXPIRED"] });
  });
});

describe("a hold that stays", () => {
  it.each([
    ["whose payment is paid", "PAID", "PENDING", "paid"],
    ["whose payment came late", "ORPHANED", "PENDING", "captured"],
    ["that is confirmed without a payment", undefined, "CONFIRMED", "ended"],
  ] as const)("is one %s", async (_name, payment, status, why) => {
    const { database, db } = await openCheckoutWorld();
    const booking = await seedBooking(database, {
      plan: await seedPlan(database, { kind: "consultation" }),
      status,
      slotsAgedHours: 25,
      ...(payment ? { checkout: { status: payment } } : {}),
    });
    expect(await release(db, ofAge(booking.id))).toEqual({ kind: "conflict", why });
    expect(await checkoutState(database, booking.id)).toMatchObject({
      booking: status,
      released: 0,
    });
  });

  it("is one of which any slot was changed in the last 24 hours", async () => {
    const { database, db } = await openCheckoutWorld();
    const booking = await seedBooking(database, {
      plan: await seedPlan(database, { kind: "subscription" }),
      meetings: 3,
      slotsAgedHours: 25,
    });
    await database.query(
      `UPDATE appointments SET starts_at = starts_at + interval '1 minute' WHERE id = $1`,
      [booking.appointmentIds[2]],
    );
    expect(await release(db, ofAge(booking.id))).toEqual({ kind: "conflict", why: "renewed" });
  });

  it("is a confirmed booking with a tentative slot", async () => {
    const { database, db } = await openCheckoutWorld();
    const booking = await seedBooking(database, {
      plan: await seedPlan(database, { kind: "consultation" }),
      slotsAgedHours: 25,
    });
    await database.query("UPDATE bookings SET status = 'CONFIRMED' WHERE id = $1", [booking.id]);
    expect(await release(db, ofAge(booking.id))).toEqual({ kind: "conflict", why: "confirmed" });
  });

  it("is somebody else's: it is not found, and neither is one that does not exist", async () => {
    const { database, db } = await openCheckoutWorld();
    const booking = await seedBooking(database, { plan: await seedPlan(database), checkout: {} });
    const { paymentId = "", userId } = booking;
    for (const target of [
      { by: "payment", paymentId, userId: randomUUID() },
      { by: "payment", paymentId: randomUUID(), userId },
    ] as const) {
      expect(await planRelease(db, target)).toEqual({ kind: "not-found" });
      expect(await release(db, target)).toEqual({ kind: "not-found" });
    }
    expect(await checkoutState(database, booking.id)).toMatchObject({ payments: ["PENDING"] });
  });

  it("is every hold there is when an id is missing", async () => {
    const { database, db } = await openCheckoutWorld();
    const booking = await seedBooking(database, {
      plan: await seedPlan(database),
      slotsAgedHours: 25,
      checkout: {},
    });
    const { paymentId, userId } = booking;
    const none = undefined as unknown as string;
    for (const target of [
      { by: "payment", paymentId, userId: none },
      { by: "payment", paymentId: none, userId },
      { by: "payment", paymentId: "", userId },
      { by: "age", bookingId: none, rule: RULE },
    ]) {
      await expect(release(db, target as ReleaseTarget)).rejects.toMatchObject({
        code: "ID_INVALID",
      });
    }
    expect(await checkoutState(database, booking.id)).toMatchObject({
      payments: ["PENDING"],
      tentative: 1,
    });
  });
});
