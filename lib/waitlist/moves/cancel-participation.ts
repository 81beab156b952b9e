import type { Db } from "../../db/client.ts";
import type { EndReason } from "../end-reason.ts";
import type { SeatOffer } from "../offer-free-seats.ts";
import { endParticipation } from "./end-participation.ts";
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
  {
    bookingId,
    offerMs,
    because = "cancelled-by-buyer",
    actor = "marketplace",
  }: { bookingId: string; offerMs: number; because?: EndReason; actor?: string },
): Promise<CancelParticipationResult> {
  return makeMove(db, async (tx): Promise<CancelParticipationResult> => {
    const ended = await endParticipation(tx, { bookingId, because, actor, offerMs });
    if (ended.kind !== "ended") return ended;
    return { kind: "cancelled", seats: ended.seats, offers: ended.offers };
  });
}
