import type { DbSession } from "../../db/client.ts";
import { advanceWaitlist } from "../advance.ts";
import type { EndReason } from "../end-reason.ts";
import type { SeatOffer } from "../offer-free-seats.ts";

export interface EndOfParticipation {
  bookingId: string;
  /** Stored with the booking. */
  because: EndReason;
  /** `job:<name>`, or a person's name. */
  actor: string;
  /** How long an offered seat is kept for the person. */
  offerMs: number;
}

export type EndedParticipation =
  /** The number of returned seats, and the offers made for them. */
  | { kind: "ended"; seats: number; offers: readonly SeatOffer[] }
  /** Cancelled before: nothing to give back, and the reason stays. */
  | { kind: "not-held" }
  | { kind: "unknown-booking" };

/**
 * Ends a booking or request, in the caller's transaction: it is CANCELLED with its reason, its slots go, and free
 * seats of a webinar or class are offered on. Moves no money.
 *
 * Locks the plan, then the booking. A caller that locks payments as well has locked them in between: plan,
 * payments, booking, slots.
 */
export async function endParticipation(
  tx: DbSession,
  { bookingId, because, actor, offerMs }: EndOfParticipation,
): Promise<EndedParticipation> {
  const [plan] = await tx.query<{ id: string; isGroup: boolean }[]>`
    SELECT id, capacity IS NOT NULL AS "isGroup" FROM plans
    WHERE id = (SELECT plan_id FROM bookings WHERE id = ${bookingId}::uuid) FOR UPDATE`;
  if (!plan) return { kind: "unknown-booking" };
  const [ended] = await tx.query<{ seats: number }[]>`
    UPDATE bookings
    SET status = 'CANCELLED', ended_because = ${because}, ended_by = ${actor}, updated_at = now()
    WHERE id = ${bookingId}::uuid AND status <> 'CANCELLED'
    RETURNING seats`;
  if (!ended) return { kind: "not-held" };
  await tx.execute`DELETE FROM slots WHERE booking_id = ${bookingId}::uuid`;
  if (!plan.isGroup) return { kind: "ended", seats: ended.seats, offers: [] };
  const { offers } = await advanceWaitlist(tx, { planId: plan.id, offerMs });
  return { kind: "ended", seats: ended.seats, offers };
}
