import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Db } from "../../../lib/db/client.ts";
import { openDatabase } from "../../../lib/db/client.ts";
import { recordCapture } from "../../../lib/checkouts/capture.ts";
import { showPlan } from "../../../lib/plans/show-plan.ts";
import { systemRandom } from "../../../lib/support/random.ts";
import { bookOffer, bookSeats, joinWaitlist } from "../../../lib/waitlist/moves/index.ts";
import { startSandbox, type Sandbox } from "../../../scripts/sandbox/razorpay/index.ts";
import {
  seedBooking,
  seedPlan,
  seedUser,
  seedWaiting,
} from "../../../scripts/dev/seed/bookings.ts";
import { runLate } from "../../support/checkout-run.ts";
import { checkoutState, walletState } from "../../support/checkout-world.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import {
  cancelEvent,
  cancelReport,
  CARD_PAISE,
  eventState,
  seedEvent,
  WALLET_PAISE,
} from "../../support/event-world.ts";
import { runRefunds } from "../../support/refund-run.ts";
import { OFFER_MS, runExpire } from "../../support/waitlist.ts";

const offerMs = OFFER_MS;

let database: TestDatabase;
let sandbox: Sandbox;
let db: Db;

function open(): Db {
  return openDatabase({
    url: database.url,
    applicationName: "plans under test",
    readOnly: false,
    connections: 4,
  });
}

beforeEach(async () => {
  database = await createTestDatabase();
  sandbox = await startSandbox();
  db = open();
});
afterEach(async () => {
  await db.close();
  await sandbox.close();
  await database.drop();
});

/** The end of the event that `seedEvent` makes. */
const ENDED = {
  plan: "asha: the speaker is ill",
  seats: "0 booked, 0 offered",
  bookings: [
    "CANCELLED cancelled-by-buyer a seed",
    "CANCELLED plan-cancelled asha",
    "CANCELLED plan-cancelled asha",
    "CANCELLED plan-cancelled asha",
    "CANCELLED plan-cancelled asha",
  ],
  slots: 0,
  waitlist: ["CANCELLED", "CANCELLED", "CANCELLED"],
  refunds: [`${CARD_PAISE} true asha`, `${CARD_PAISE + WALLET_PAISE} true asha`],
  mails: [
    "plan-cancelled QUEUED none",
    "plan-cancelled QUEUED none",
    "plan-cancelled QUEUED refund",
    "plan-cancelled QUEUED refund",
    "waitlist-plan-cancelled QUEUED",
    "waitlist-plan-cancelled QUEUED",
    "waitlist-plan-cancelled QUEUED",
  ],
  wallets: [String(WALLET_PAISE)],
  findings: [],
};

describe("an event that is cancelled", () => {
  it("ends its waitlist, bookings and checkouts, asks each payment back once and mails everybody once", async () => {
    const { plan, walletId } = await seedEvent(database, sandbox);
    const planned = await cancelReport(db, plan.id, { dryRun: true });
    expect(await eventState(database, plan.id)).toMatchObject({
      plan: null,
      refunds: [],
      mails: [],
    });

    const report = await cancelReport(db, plan.id);

    expect(report).toMatchObject({
      cancelledBefore: false,
      entriesEnded: 3,
      bookingsEnded: 4,
      checkoutsEnded: 1,
      walletPaise: WALLET_PAISE,
      creditPaise: 0n,
      refundsAsked: 2,
      refundsAskedPaise: CARD_PAISE + CARD_PAISE + WALLET_PAISE,
      keptBefore: 1,
      keptBeforePaise: CARD_PAISE,
      mails: 7,
      open: [],
    });
    expect(planned).toEqual({ ...report, dryRun: true });
    const ended = await eventState(database, plan.id);
    expect(ended).toMatchObject(ENDED);

    expect(await cancelReport(db, plan.id)).toMatchObject({
      cancelledBefore: true,
      entriesEnded: 0,
      bookingsEnded: 0,
      refundsAsked: 0,
      mails: 0,
      open: [],
    });
    expect(await eventState(database, plan.id)).toEqual(ended);

    await runRefunds({ database, sandbox });
    await runRefunds({ database, sandbox });
    expect(await walletState(database, walletId)).toEqual({
      balance: 2n * WALLET_PAISE,
      booked: 2n * WALLET_PAISE,
    });
    expect(sandbox.refunds()).toHaveLength(2);
    expect(await showPlan(db, plan.id)).toMatchObject({
      cancelledBy: "asha",
      cancellation: {
        bookingsToEnd: 0,
        notAskedBack: [],
        refunds: [{ status: "PROCESSED", count: 2 }],
      },
    });
  });

  it("offers no seat any more, to nobody and by no way", async () => {
    const { plan, offered } = await seedEvent(database, sandbox);
    await cancelReport(db, plan.id);
    const userId = await seedUser(database);
    const booking = { reference: "B-1", status: "CONFIRMED" } as const;

    expect(await bookOffer(db, { entryId: offered.entryId, ...booking })).toEqual({
      kind: "not-offered",
      status: "CANCELLED",
    });
    expect(await bookSeats(db, { planId: plan.id, userId, seats: 1, offerMs, ...booking })).toEqual(
      { kind: "plan-cancelled" },
    );
    expect(await joinWaitlist(db, { planId: plan.id, userId, offerMs })).toEqual({
      kind: "plan-cancelled",
    });
    expect((await runExpire(db)).report).toMatchObject({ found: 0 });

    await expect(seedBooking(database, { plan, status: "PENDING" })).rejects.toMatchObject({
      constraint: "plans_cancelled_no_seats",
    });
    await expect(seedWaiting(database, { plan })).rejects.toMatchObject({
      constraint: "waitlist_entries_not_of_cancelled",
    });
    await expect(
      database.query(
        "UPDATE bookings SET status = 'CONFIRMED' WHERE plan_id = $1 AND status = 'CANCELLED'",
        [plan.id],
      ),
    ).rejects.toMatchObject({ constraint: "plans_cancelled_no_seats" });
    await expect(
      database.query(
        "UPDATE plans SET cancelled_at = NULL, cancelled_by = NULL, cancel_reason = NULL",
      ),
    ).rejects.toMatchObject({ constraint: "plans_cancelled_stays" });
  });

  it("sends back what is captured after all", async () => {
    const { plan, open } = await seedEvent(database, sandbox);
    await cancelReport(db, plan.id);
    sandbox.createPayment({ orderId: open.orderId ?? "" });

    const { report } = await runLate({ database, sandbox });

    expect(report.items).toMatchObject([{ outcome: "refunded", code: "plan-cancelled" }]);
    expect(await checkoutState(database, open.id)).toMatchObject({
      booking: "CANCELLED",
      confirmed: 0,
      mails: ["plan-cancelled", "late-payment-refunded"],
    });
  });

  it("that has begun is refused, unless it is meant", async () => {
    const { plan } = await seedEvent(database, sandbox, { startsInHours: -1 });
    expect(await cancelEvent(db, plan.id)).toMatchObject({ kind: "refused", code: "HAS_BEGUN" });
    expect(await cancelEvent(db, plan.id, { dryRun: true })).toMatchObject({ code: "HAS_BEGUN" });
    expect(await eventState(database, plan.id)).toMatchObject({ plan: null, refunds: [] });

    expect(await cancelReport(db, plan.id, { althoughBegun: true })).toMatchObject({
      refundsAsked: 2,
    });
  });

  it("is a webinar or a class that there is", async () => {
    const { id } = await seedPlan(database, { kind: "consultation" });
    expect(await cancelEvent(db, id)).toMatchObject({ code: "NOT_AN_EVENT" });
    expect(await cancelEvent(db, "00000000-0000-4000-8000-000000000000")).toMatchObject({
      code: "UNKNOWN_PLAN",
    });
  });

  it("leaves a payment that can not be asked back to a person, and asks once its cause is mended", async () => {
    const plan = await seedPlan(database, { capacity: 2 });
    const booking = await seedBooking(database, {
      plan,
      status: "CONFIRMED",
      checkout: { status: "PAID" },
    });
    // A capture that was brought in without the provider's id of it.
    await database.query(
      `BEGIN; SET LOCAL session_replication_role = replica;
       UPDATE payments SET provider_payment_id = NULL; COMMIT`,
    );

    const report = await cancelReport(db, plan.id);

    expect(report).toMatchObject({
      bookingsEnded: 1,
      refundsAsked: 0,
      open: [
        {
          reference: booking.reference,
          paymentId: booking.paymentId,
          amountPaise: CARD_PAISE,
          code: "NO_PROVIDER_PAYMENT",
        },
      ],
    });
    expect(report.open[0]?.remedy).toContain("cancel again");
    expect(await eventState(database, plan.id)).toMatchObject({
      bookings: ["CANCELLED plan-cancelled asha"],
      payments: ["PAID"],
      mails: ["plan-cancelled QUEUED looked-at"],
      findings: ["plan-refund-refused critical"],
    });
    expect(await showPlan(db, plan.id)).toMatchObject({
      cancellation: {
        bookingsToEnd: 1,
        notAskedBack: [{ paymentId: booking.paymentId, code: "NO_PROVIDER_PAYMENT" }],
      },
    });

    await database.query("UPDATE payments SET provider_payment_id = 'pay_found' WHERE id = $1", [
      booking.paymentId,
    ]);
    expect(await cancelReport(db, plan.id)).toMatchObject({ refundsAsked: 1, mails: 0, open: [] });
  });
});

describe("two that meet", () => {
  it("cancel it twice at once, and come to the same end as one", async () => {
    const { plan } = await seedEvent(database, sandbox);
    const other = open();
    try {
      const both = await Promise.all([cancelReport(db, plan.id), cancelReport(other, plan.id)]);
      expect(both.map(({ bookingsEnded }) => bookingsEnded).reduce((a, b) => a + b)).toBe(4);
      expect(both.map(({ refundsAsked }) => refundsAsked).reduce((a, b) => a + b)).toBe(2);
      expect(both.flatMap(({ open }) => open)).toEqual([]);
    } finally {
      await other.close();
    }
    expect(await eventState(database, plan.id)).toMatchObject(ENDED);
  });

  it("cancel it and book the offered seat: nobody holds a seat, and nobody's money is kept", async () => {
    for (let round = 0; round < 5; round += 1) {
      const { plan, offered } = await seedEvent(database, sandbox);
      const reference = `N-${round}`;
      const [, booked] = await Promise.all([
        cancelReport(db, plan.id),
        bookOffer(db, { entryId: offered.entryId, reference, status: "CONFIRMED" }),
      ]);
      expect(["booked", "not-offered", "busy"]).toContain(booked.kind);
      expect((await cancelReport(db, plan.id)).bookingsEnded).toBe(0);
      expect(await eventState(database, plan.id)).toMatchObject({
        seats: "0 booked, 0 offered",
        slots: 0,
      });
    }
  });

  it("cancel it and capture an open checkout: the money goes back either way", async () => {
    for (let round = 0; round < 5; round += 1) {
      const { plan, open } = await seedEvent(database, sandbox);
      const { id: providerPaymentId } = sandbox.createPayment({ orderId: open.orderId ?? "" });
      const [, captured] = await Promise.all([
        cancelReport(db, plan.id),
        recordCapture(
          db,
          {
            orderId: open.orderId ?? "",
            providerPaymentId,
            amountPaise: CARD_PAISE,
            source: "webhook",
          },
          { offerMs, random: systemRandom },
        ),
      ]);
      expect(["confirmed", "orphaned", "conflict"]).toContain(captured.kind);
      await cancelReport(db, plan.id);
      await runLate({ database, sandbox });
      await runRefunds({ database, sandbox });
      await runRefunds({ database, sandbox });
      expect(await checkoutState(database, open.id)).toMatchObject({
        booking: "CANCELLED",
        confirmed: 0,
        tentative: 0,
        payments: ["REFUNDED"],
      });
      const backOf = sandbox.refunds().filter(({ payment_id }) => payment_id === providerPaymentId);
      expect(backOf.map(({ amount }) => amount)).toEqual([Number(CARD_PAISE)]);
    }
  });
});

describe("a cancellation that is stopped", () => {
  it("after any of its transactions comes to the same end when it is run again", async () => {
    const transactions = await stopAfter(Infinity);
    expect(transactions).toBeGreaterThan(4);
    for (let at = 0; at < transactions; at += 1) {
      await db.close();
      await database.drop();
      database = await createTestDatabase();
      db = open();
      await stopAfter(at);
    }
  });

  /** Cancels an event, dies after so many commits, cancels again. Returns how many there were. */
  async function stopAfter(commits: number): Promise<number> {
    const { plan } = await seedEvent(database, sandbox);
    let done = 0;
    const dying: Db = {
      ...db,
      transaction: async (body, options) => {
        if (done >= commits) throw new Error("killed");
        const result = await db.transaction(body, options);
        done += 1;
        return result;
      },
    };
    const first = await cancelEvent(dying, plan.id).catch(() => undefined);
    if (commits === Infinity) expect(first?.kind).toBe("done");
    await cancelReport(db, plan.id);
    expect(await eventState(database, plan.id)).toMatchObject(ENDED);
    return done;
  }
});
