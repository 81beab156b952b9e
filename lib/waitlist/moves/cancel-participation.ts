import type { Db } from "../../db/client.ts";
import { advanceWaitlist } from "../advance.ts";
import type { SeatOffer } from "../offer-free-seats.ts";
import { makeMove, type Busy } from "./move.ts";

export type CancelParticipationResult =
  /** The number of returned seats, and the offers made for them. */
  | { kind: "cancelled"; seats: number; offers: readonly SeatOffer[] }
  /** Cancelled before: nothing to give back. */
  | { kind: "not-held" }
  | { kind: "unknown-booking" }
  | Busy;

/**
 * A participant leaves with all the seats of the booking. Slots go and seats are offered, in one transaction.
 * Money is not moved: paying the buyer back is a refund.
 */
export async function cancelParticipation(
  db: Db,
  { bookingId, offerMs }: { bookingId: string; offerMs: number },
): Promise<CancelParticipationResult> {
  return makeMove(db, async (tx): Promise<CancelParticipationResult> => {
    const [plan] = await tx.query<{ id: string }[]>`
      SELECT id FROM plans
      WHERE id = (SELECT plan_id FROM bookings WHERE id = ${bookingId}::uuid) FOR UPDATE`;
    if (!plan) return { kind: "unknown-booking" };
    const [cancelled] = await tx.query<{ seats: number }[]>`
      UPDATE bookings SET status = 'CANCELLED', updated_at = now()
      WHERE id = ${bookingId}::uuid AND status <> 'CANCELLED'
      RETURNING seats`;
    if (!cancelled) return { kind: "not-held" };
    await tx.execute`DELETE FROM slots WHERE booking_id = ${bookingId}::uuid`;
    const { offers } = await advanceWaitlist(tx, { planId: plan.id, offerMs });
    return { kind: "cancelled", seats: cancelled.seats, offers };
  });
}
