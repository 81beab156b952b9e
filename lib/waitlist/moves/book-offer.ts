import type { Db } from "../../db/client.ts";
import { lapseOfferMails } from "../lapse-mails.ts";
import type { Busy } from "./move.ts";
import { lockEntry, type EntryStatus } from "./rows.ts";
import {
  findSameBooking,
  linkOffer,
  makeBooking,
  takeOffer,
  writeBooking,
  type NewBookingStatus,
  type ReferenceTaken,
} from "./write-booking.ts";

export type BookOfferResult =
  /** The seat is this person's. Asked again with the same reference, the answer is the same. */
  | { kind: "booked"; bookingId: string }
  /** The time of the offer has passed, whether or not the job has ended it yet. */
  | { kind: "expired" }
  /** No seat is offered to this entry: it waits, or has ended otherwise. */
  | { kind: "not-offered"; status: EntryStatus }
  | { kind: "unknown-entry" }
  /** Another booking bears that reference. */
  | ReferenceTaken
  | Busy;

/** Books the seat that is offered to a person. */
export async function bookOffer(
  db: Db,
  { entryId, ...wanted }: { entryId: string; reference: string; status: NewBookingStatus },
): Promise<BookOfferResult> {
  return makeBooking(db, async (tx): Promise<BookOfferResult> => {
    const entry = await lockEntry(tx, entryId);
    if (!entry) return { kind: "unknown-entry" };
    const booking = { planId: entry.planId, userId: entry.userId, seats: 1, ...wanted };
    const known = await findSameBooking(tx, booking);
    if (known !== undefined && known === entry.bookingId) {
      return { kind: "booked", bookingId: known };
    }
    if (!entry.stands) {
      return entry.status === "NOTIFIED" || entry.status === "EXPIRED"
        ? { kind: "expired" }
        : { kind: "not-offered", status: entry.status };
    }
    await takeOffer(tx, entryId);
    const bookingId = await writeBooking(tx, booking);
    await linkOffer(tx, { entryId, bookingId });
    await lapseOfferMails(tx, entryId);
    return { kind: "booked", bookingId };
  });
}
