import { recordAudit } from "../audit/audit-log.ts";
import type { Db, DbSession } from "../db/client.ts";
import { inSerializable } from "../db/retries.ts";
import { enqueueMail } from "../notifications/mail.ts";
import { giveBackLegs, type HeldMoney } from "./held-legs.ts";
import type { Random } from "../support/random.ts";
import { assertUuids } from "../support/uuid.ts";
import { endRequest, type Freed } from "./end-request.ts";
import { lockBooking, type LockedBooking, type LockedPayment } from "./locked-booking.ts";
import { WriteConflictError } from "../db/errors.ts";

/** Which unpaid checkout is to end. */
export type ReleaseTarget =
  /** One checkout, for the user whose it is: of anybody else's it is not found. */
  | { by: "payment"; paymentId: string; userId: string }
  /** All unpaid slots of a booking, if none was changed for so long. */
  | { by: "age"; bookingId: string; untouchedMs: number };

/** Why a hold stays as it is. */
export type KeepReason =
  /** A payment of the booking is paid. */
  | "paid"
  /** Captured, and not booked yet: the late capture is settled, not released. */
  | "captured"
  /** The booking is confirmed, though no payment of it is paid. */
  | "confirmed"
  /** Somebody was faster: the checkout has ended. */
  | "ended"
  /** Changed since, so that its grace runs anew. */
  | "renewed"
  /** Other sessions changed the same rows in every try. */
  | "write-conflict";

export interface Released extends Freed, HeldMoney {
  kind: "cancelled";
  bookingId: string;
  /** Null when there was no open checkout. */
  paymentId: string | null;
  orderId: string | null;
}

export type Release = Released | { kind: "not-found" } | { kind: "conflict"; why: KeepReason };

interface ReleaseOptions {
  /** `job:<name>`, or a person's name. */
  actor: string;
  /** How long an offered seat is kept for the person. */
  offerMs: number;
  random: Random;
  signal?: AbortSignal;
}

/**
 * Ends one unpaid checkout, in one serializable transaction: payment PENDING → EXPIRED, tentative slots
 * free, request cancelled if it was open, credit and wallet money given back, free seats offered on, and
 * the buyer told. Of several that try it at once one does, and the others are told why they did not.
 *
 * @throws {AfterhoursError} `ID_INVALID` for an id that is missing or malformed
 */
export async function releaseHold(
  db: Db,
  target: ReleaseTarget,
  { actor, offerMs, random, signal }: ReleaseOptions,
): Promise<Release> {
  checkIds(target);
  const release = async (tx: DbSession): Promise<Release> => {
    const found = await findBooking(tx, target);
    if (!found) return { kind: "not-found" };
    const booking = await lockBooking(tx, { ...found, forUpdate: true });
    const why = reasonToKeep(booking, target);
    if (why !== undefined) return { kind: "conflict", why };
    return end(tx, booking, { actor, offerMs });
  };
  try {
    return await inSerializable(db, release, { random, ...(signal ? { signal } : {}) });
  } catch (error) {
    if (error instanceof WriteConflictError) return { kind: "conflict", why: "write-conflict" };
    throw error;
  }
}

/** The action of `releaseHold` now. Reads only, and locks nothing. */
export async function planRelease(
  db: DbSession,
  target: ReleaseTarget,
): Promise<Exclude<Release, Released> | { kind: "cancelled"; slots: number }> {
  checkIds(target);
  const found = await findBooking(db, target);
  if (!found) return { kind: "not-found" };
  const booking = await lockBooking(db, { ...found, forUpdate: false });
  const why = reasonToKeep(booking, target);
  if (why !== undefined) return { kind: "conflict", why };
  return { kind: "cancelled", slots: tentativeOf(booking) };
}

function checkIds(target: ReleaseTarget): void {
  if (target.by === "age") assertUuids({ bookingId: target.bookingId });
  else assertUuids({ paymentId: target.paymentId, userId: target.userId });
}

async function findBooking(
  db: DbSession,
  target: ReleaseTarget,
): Promise<{ bookingId: string; planId: string } | undefined> {
  const [found] =
    target.by === "payment"
      ? await db.query<{ bookingId: string; planId: string }[]>`
          SELECT booking.id AS "bookingId", booking.plan_id AS "planId"
          FROM payments AS payment JOIN bookings AS booking ON booking.id = payment.booking_id
          WHERE payment.id = ${target.paymentId}::uuid AND payment.user_id = ${target.userId}::uuid`
      : await db.query<{ bookingId: string; planId: string }[]>`
          SELECT id AS "bookingId", plan_id AS "planId" FROM bookings
          WHERE id = ${target.bookingId}::uuid`;
  return found;
}

function reasonToKeep(booking: LockedBooking, target: ReleaseTarget): KeepReason | undefined {
  const { payments, slots } = booking;
  if (target.by === "payment") {
    const status = payments.find(({ id }) => id === target.paymentId)?.status;
    if (status === "PAID") return "paid";
    if (status === "ORPHANED" || status === "REFUNDING" || status === "REFUNDED") return "captured";
    if (status !== "PENDING") return "ended";
    return booking.status === "CONFIRMED" ? "confirmed" : undefined;
  }
  if (payments.some(({ status }) => status === "PAID")) return "paid";
  if (payments.some(({ status }) => status === "ORPHANED")) return "captured";
  const checkout = openCheckout(booking);
  if (tentativeOf(booking) === 0 && !checkout) return "ended";
  if (booking.status === "CONFIRMED") return "confirmed";
  // A checkout whose slots are gone has only its own age.
  const ages = slots.length > 0 ? slots : checkout ? [checkout] : [];
  return ages.every(({ ageMs }) => ageMs >= target.untouchedMs) ? undefined : "renewed";
}

function openCheckout({ payments }: LockedBooking): LockedPayment | undefined {
  return payments.find(({ status }) => status === "PENDING");
}

function tentativeOf({ slots }: LockedBooking): number {
  return slots.filter(({ tentative }) => tentative).length;
}

async function end(
  tx: DbSession,
  booking: LockedBooking,
  { actor, offerMs }: { actor: string; offerMs: number },
): Promise<Release> {
  const checkout = openCheckout(booking);
  let held: HeldMoney = { walletPaise: 0n, creditPaise: 0n };
  if (checkout) {
    const hit = await tx.execute`
      UPDATE payments SET status = 'EXPIRED', expired_at = now(), updated_at = now()
      WHERE id = ${checkout.id}::uuid AND status = 'PENDING'`;
    if (hit !== 1) return { kind: "conflict", why: "ended" };
  }
  const freed = await endRequest(tx, booking, { actor, offerMs });
  if (checkout) {
    const { id: paymentId, organizationId } = checkout;
    held = await giveBackLegs(tx, { paymentId, organizationId, actor });
  }
  await enqueueMail(tx, {
    key: `checkout-released:${checkout?.id ?? booking.id}`,
    userId: booking.userId,
    template: "checkout-released",
    data: { planTitle: booking.plan.title, planUrl: booking.plan.url },
  });
  await recordAudit(tx, {
    actor,
    category: "CHECKOUT",
    action: "released",
    ...(checkout
      ? { subjectType: "payment" as const, subjectId: checkout.id }
      : { subjectType: "booking" as const, subjectId: booking.id }),
    reason: null,
    organizationId: checkout?.organizationId ?? null,
    detail: { bookingId: booking.id, ...freed, ...held },
  });
  return {
    kind: "cancelled",
    bookingId: booking.id,
    paymentId: checkout?.id ?? null,
    orderId: checkout?.orderId ?? null,
    ...freed,
    ...held,
  };
}
