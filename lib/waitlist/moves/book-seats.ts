import type { Db } from "../../db/client.ts";
import { advanceWaitlist } from "../advance.ts";
import { lapseOfferMails } from "../lapse-mails.ts";
import { lockFreeSeats } from "../offer-free-seats.ts";
import type { Busy } from "./move.ts";
import { lockOfferOf, readGroupPlan } from "./rows.ts";
import {
  findSameBooking,
  linkOffer,
  makeBooking,
  takeOffer,
  writeBooking,
  type NewBooking,
  type ReferenceTaken,
} from "./write-booking.ts";

export type BookSeatsResult =
  /** All of the seats. Asked again with the same reference, the answer is the same. */
  | { kind: "booked"; bookingId: string }
  /** Fewer seats are free than are wanted: nothing is booked. */
  | { kind: "full"; freeSeats: number }
  /** The plan has begun. */
  | { kind: "begun" }
  /** The plan does not take place. */
  | { kind: "plan-cancelled" }
  /** No such plan, or one without seats. */
  | { kind: "no-seats" }
  /** Another booking bears that reference. */
  | ReferenceTaken
  | Busy;

/**
 * Books free seats of a webinar or class, all or none. The waitlist comes first: free seats are offered to it
 * before the booking, even if no seat is left. A seat that is offered to the buyer counts as free for this
 * booking.
 */
export async function bookSeats(
  db: Db,
  { offerMs, ...wanted }: NewBooking & { offerMs: number },
): Promise<BookSeatsResult> {
  const { planId, seats } = wanted;
  return makeBooking(db, async (tx): Promise<BookSeatsResult> => {
    await advanceWaitlist(tx, { planId, offerMs });
    const known = await findSameBooking(tx, wanted);
    if (known !== undefined) return { kind: "booked", bookingId: known };
    const plan = await readGroupPlan(tx, planId);
    if (!plan) return { kind: "no-seats" };
    if (plan.isCancelled) return { kind: "plan-cancelled" };
    if (plan.hasBegun) return { kind: "begun" };
    const offered = await lockOfferOf(tx, wanted);
    const freeSeats = (await lockFreeSeats(tx, planId)) + (offered === undefined ? 0 : 1);
    if (freeSeats < seats) return { kind: "full", freeSeats };
    if (offered !== undefined) await takeOffer(tx, offered);
    const bookingId = await writeBooking(tx, wanted);
    if (offered !== undefined) {
      await linkOffer(tx, { entryId: offered, bookingId });
      await lapseOfferMails(tx, offered);
    }
    return { kind: "booked", bookingId };
  });
}
