import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { cancelParticipation } from "../../../lib/checkouts/cancel/cancel-participation.ts";
import { refundPayment, type PaymentRefunded } from "../../../lib/checkouts/refund-payment.ts";
import type { Db } from "../../../lib/db/client.ts";
import type { Paise } from "../../../lib/support/money.ts";
import {
  seedBooking,
  seedPlan,
  seedWaiting,
  seedWallet,
  type SeededBooking,
  type SeededPlan,
} from "../../../scripts/dev/seed/bookings.ts";
import {
  checkoutState,
  DAY_MS,
  openCheckoutWorld,
  walletState,
} from "../../support/checkout-world.ts";
import type { TestDatabase } from "../../support/database.ts";
import { entryStatuses, seatsOf } from "../../support/waitlist.ts";
import { openDatabase } from "../../../lib/db/client.ts";

const CARD_PAISE = 100_000n;

let database: TestDatabase;
let db: Db;
let plan: SeededPlan;
let booking: SeededBooking;

/** A full webinar of one seat, paid, and somebody who waits. */
beforeEach(async () => {
  ({ database, db } = await openCheckoutWorld());
  plan = await seedPlan(database, { capacity: 1 });
  booking = await seedBooking(database, {
    plan,
    status: "CONFIRMED",
    checkout: { status: "PAID", paymentId: "pay_first" },
  });
  await seedWaiting(database, { plan });
});

let keys = 0;

function refund(
  amountPaise: Paise | "all",
  { keepSeat = false, paymentId = booking.paymentId ?? "", key = `by-hand:${(keys += 1)}` } = {},
): Promise<PaymentRefunded> {
  return refundPayment(db, {
    refund: { paymentId, key, amountPaise, reason: "the buyer is ill", requestedBy: "asha" },
    keepSeat,
    offerMs: DAY_MS,
  });
}

describe("a refund of all that was paid", () => {
  it("ends the booking, and offers its seat on", async () => {
    expect(await refund("all")).toMatchObject({
      refund: { kind: "requested" },
      seat: { kind: "freed", slots: 1, offers: 1 },
    });
    expect(await checkoutState(database, booking.id)).toMatchObject({
      booking: "CANCELLED",
      confirmed: 0,
      released: 0,
    });
    expect(await seatsOf(database, plan.id)).toEqual({ capacity: 1, booked: 0, offered: 1 });
    expect(await entryStatuses(database)).toEqual(["NOTIFIED"]);
    expect(
      await database.query("SELECT ended_because, ended_by FROM bookings WHERE id = $1", [
        booking.id,
      ]),
    ).toEqual([{ ended_because: "refunded", ended_by: "asha" }]);
    expect(
      await database.query(
        "SELECT actor, action, reason FROM audit_log WHERE subject_type = 'booking'",
      ),
    ).toEqual([{ actor: "asha", action: "seat-freed", reason: "the buyer is ill" }]);
  });

  it("in two parts frees the seat with the second", async () => {
    expect((await refund(40_000n)).seat).toEqual({ kind: "untouched" });
    expect(await checkoutState(database, booking.id)).toMatchObject({ booking: "CONFIRMED" });
    expect((await refund(60_000n)).seat).toMatchObject({ kind: "freed" });
  });

  it("keeps the seat where it is told to, until it is asked for all again without that", async () => {
    expect((await refund("all", { keepSeat: true, key: "once" })).seat).toEqual({ kind: "kept" });
    expect(await refund("all", { keepSeat: true, key: "once" })).toMatchObject({
      refund: { kind: "known" },
      seat: { kind: "untouched" },
    });
    expect(await checkoutState(database, booking.id)).toMatchObject({ booking: "CONFIRMED" });

    expect(await refund("all")).toMatchObject({
      refund: { kind: "refused", code: "NOTHING_LEFT" },
      seat: { kind: "freed", offers: 1 },
    });
    expect((await refund("all")).seat).toEqual({ kind: "ended-before" });
  });

  it("of a second payment of the order leaves the booking of the first one", async () => {
    const [second] = await database.query<{ id: string }>(
      `WITH second AS (
         INSERT INTO payments (booking_id, user_id, amount_paise, status, provider_payment_id, captured_at)
         VALUES ($1, $2, $3, 'ORPHANED', 'pay_second', now()) RETURNING id
       ), leg AS (INSERT INTO payment_legs (payment_id, kind, amount_paise) SELECT id, 'card', $3 FROM second)
       SELECT id FROM second`,
      [booking.id, booking.userId, CARD_PAISE],
    );
    expect(await refund("all", { paymentId: second?.id ?? "" })).toMatchObject({
      refund: { kind: "requested" },
      seat: { kind: "untouched" },
    });
    expect(await checkoutState(database, booking.id)).toMatchObject({ booking: "CONFIRMED" });
  });

  it("that is refused changes nothing", async () => {
    expect(await refund(CARD_PAISE + 1n)).toMatchObject({
      refund: { kind: "refused", code: "EXCEEDS_PAID" },
      seat: { kind: "untouched" },
    });
    expect(
      await refund("all", { paymentId: "00000000-0000-4000-8000-000000000000" }),
    ).toMatchObject({ refund: { kind: "refused", code: "UNKNOWN_PAYMENT" } });
  });

  it("twice at once frees the seat once", async () => {
    const other = openDatabase({
      url: database.url,
      applicationName: "the other one",
      readOnly: false,
      connections: 1,
    });
    onTestFinished(() => other.close());
    const request = { amountPaise: "all", reason: "double booking", requestedBy: "asha" } as const;
    const both = await Promise.all(
      [db, other].map((each, index) =>
        refundPayment(each, {
          refund: { ...request, paymentId: booking.paymentId ?? "", key: `at-once:${index}` },
          keepSeat: false,
          offerMs: DAY_MS,
        }),
      ),
    );
    expect(both.map(({ refund }) => refund.kind).sort()).toEqual(["refused", "requested"]);
    expect(both.map(({ seat }) => seat.kind).sort()).toEqual(["ended-before", "freed"]);
  });
});

describe("a participant who leaves", () => {
  const cancel = (money: "refund" | "keep"): ReturnType<typeof cancelParticipation> =>
    cancelParticipation(db, { bookingId: booking.id, money, actor: "asha", offerMs: DAY_MS });

  it("gets the money back where the caller says so, once", async () => {
    expect(await cancel("refund")).toMatchObject({ kind: "cancelled", seats: 1, paidPaise: 0n });
    expect(await database.query("SELECT key, amount_paise FROM refunds")).toEqual([
      { key: `cancelled:${booking.id}`, amount_paise: CARD_PAISE },
    ]);
    expect(await cancel("refund")).toEqual({ kind: "not-held" });
    expect(await entryStatuses(database)).toEqual(["NOTIFIED"]);
  });

  it("is told what stays where the caller keeps it", async () => {
    expect(await cancel("keep")).toMatchObject({
      kind: "cancelled",
      paidPaise: CARD_PAISE,
      refundId: null,
    });
    expect(await database.query("SELECT 1 FROM refunds")).toEqual([]);
    expect(
      await database.query(
        "SELECT detail->>'money' AS money FROM audit_log WHERE subject_type = 'booking'",
      ),
    ).toEqual([{ money: "keep" }]);
  });

  it("keeps the seat where the money can not go back", async () => {
    await database.query(
      `BEGIN; SET LOCAL session_replication_role = replica;
       UPDATE payments SET provider_payment_id = NULL; COMMIT`,
    );
    expect(await cancel("refund")).toMatchObject({
      kind: "not-refundable",
      code: "NO_PROVIDER_PAYMENT",
    });
    expect(await checkoutState(database, booking.id)).toMatchObject({ booking: "CONFIRMED" });
    expect(await entryStatuses(database)).toEqual(["WAITING"]);
  });

  it("has an open checkout ended, and what it held is back", async () => {
    const { walletId } = await seedWallet(database, { balancePaise: 0n });
    booking = await seedBooking(database, {
      plan: await seedPlan(database, { capacity: 1 }),
      status: "APPROVED_PENDING_PAYMENT",
      checkout: { legs: [{ kind: "wallet", amountPaise: 500n, walletId }] },
    });
    expect(await cancel("refund")).toMatchObject({ kind: "cancelled", paidPaise: 0n });
    expect(await checkoutState(database, booking.id)).toMatchObject({
      booking: "CANCELLED",
      payments: ["EXPIRED"],
      tentative: 0,
    });
    expect(await walletState(database, walletId)).toEqual({ balance: 500n, booked: 500n });
  });
});
