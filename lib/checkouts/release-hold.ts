import { recordAudit } from "../audit/audit-log.ts";
import type { Db, DbSession } from "../db/client.ts";
import { inSerializable } from "../db/retries.ts";
import { enqueueMail, type ReleasedBecause } from "../notifications/mail.ts";
import { expireCheckout, NOTHING_HELD, openCheckout, returnHeld } from "./expire-checkout.ts";
import { findBooking } from "./find-booking.ts";
import type { HeldMoney } from "./held-legs.ts";
import type { Random } from "../support/random.ts";
import { assertUuids } from "../support/uuid.ts";
import type { EndReason } from "../waitlist/end-reason.ts";
import { endRequest, type Freed } from "./end-request.ts";
import { hasHoldEnded, type HoldRule } from "./hold-end.ts";
import { toldBecause } from "./told-because.ts";
import { lockBooking, type LockedBooking } from "./locked-booking.ts";
import { WriteConflictError } from "../db/errors.ts";

/** Which unpaid checkout is to end. */
export type ReleaseTarget =
  /** One checkout, for the user whose it is: of anybody else's it is not found. */
  | { by: "payment"; paymentId: string; userId: string }
  /** All unpaid slots of a booking, if its hold has ended. */
  | { by: "age"; bookingId: string; rule: HoldRule };

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
  /** Stored with the request, and told to the buyer. */
  because: ReleasedBecause & EndReason;
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
  { actor, because, offerMs, random, signal }: ReleaseOptions,
): Promise<Release> {
  checkIds(target);
  const release = async (tx: DbSession): Promise<Release> => {
    const found = await findBooking(tx, idsOf(target));
    if (!found) return { kind: "not-found" };
    const booking = await lockBooking(tx, { ...found, forUpdate: true });
    const why = await reasonToKeep(tx, booking, target);
    if (why !== undefined) return { kind: "conflict", why };
    return end(tx, booking, { actor, because, offerMs });
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
  const found = await findBooking(db, idsOf(target));
  if (!found) return { kind: "not-found" };
  const booking = await lockBooking(db, { ...found, forUpdate: false });
  const why = await reasonToKeep(db, booking, target);
  if (why !== undefined) return { kind: "conflict", why };
  return { kind: "cancelled", slots: tentativeOf(booking) };
}

function checkIds(target: ReleaseTarget): void {
  if (target.by === "age") assertUuids({ bookingId: target.bookingId });
  else assertUuids({ paymentId: target.paymentId, userId: target.userId });
}

function idsOf(target: ReleaseTarget): Parameters<typeof findBooking>[1] {
  return target.by === "payment" ? target : { by: "booking", bookingId: target.bookingId };
}

async function reasonToKeep(
  tx: DbSession,
  booking: LockedBooking,
  target: ReleaseTarget,
): Promise<KeepReason | undefined> {
  const { payments } = booking;
  if (target.by === "payment") {
    const status = payments.find(({ id }) => id === target.paymentId)?.status;
    if (status === "PAID") return "paid";
    if (status === "ORPHANED" || status === "REFUNDING" || status === "REFUNDED") return "captured";
    if (status !== "PENDING") return "ended";
    return booking.status === "CONFIRMED" ? "confirmed" : undefined;
  }
  if (payments.some(({ status }) => status === "PAID")) return "paid";
  if (payments.some(({ status }) => status === "ORPHANED")) return "captured";
  if (tentativeOf(booking) === 0 && !openCheckout(booking)) return "ended";
  if (booking.status === "CONFIRMED") return "confirmed";
  const hasEnded = await hasHoldEnded(tx, { bookingId: booking.id, rule: target.rule });
  return hasEnded ? undefined : "renewed";
}

function tentativeOf({ slots }: LockedBooking): number {
  return slots.filter(({ tentative }) => tentative).length;
}

async function end(
  tx: DbSession,
  booking: LockedBooking,
  { actor, because, offerMs }: Pick<ReleaseOptions, "actor" | "because" | "offerMs">,
): Promise<Release> {
  const checkout = openCheckout(booking);
  if (checkout && !(await expireCheckout(tx, checkout))) return { kind: "conflict", why: "ended" };
  const freed = await endRequest(tx, booking, { actor, because, offerMs });
  const held = checkout ? await returnHeld(tx, checkout, actor) : NOTHING_HELD;
  await enqueueMail(tx, {
    key: `checkout-released:${checkout?.id ?? booking.id}`,
    userId: booking.userId,
    template: "checkout-released",
    data: {
      planTitle: booking.plan.title,
      planUrl: booking.plan.url,
      why: toldBecause(booking, because),
    },
  });
  await recordAudit(tx, {
    actor,
    category: "CHECKOUT",
    action: "released",
    ...(checkout
      ? { subjectType: "payment" as const, subjectId: checkout.id }
      : { subjectType: "booking" as const, subjectId: booking.id }),
    reason: because,
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
