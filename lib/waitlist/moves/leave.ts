import type { Db } from "../../db/client.ts";
import { advanceWaitlist } from "../advance.ts";
import { lapseOfferMails } from "../lapse-mails.ts";
import type { SeatOffer } from "../offer-free-seats.ts";
import { makeMove, type Busy } from "./move.ts";
import { lockEntry, type EntryStatus } from "./rows.ts";

export type LeaveResult =
  /** Off the list; a seat that was offered to this person is offered on. */
  | { kind: "left"; offers: readonly SeatOffer[] }
  /** Neither waiting nor offered a seat, so there is nothing to leave. */
  | { kind: "not-in-line"; status: EntryStatus }
  | { kind: "unknown-entry" }
  | Busy;

/** Takes a person off a waitlist. */
export async function leaveWaitlist(
  db: Db,
  { entryId, offerMs }: { entryId: string; offerMs: number },
): Promise<LeaveResult> {
  return makeMove(db, async (tx): Promise<LeaveResult> => {
    const entry = await lockEntry(tx, entryId);
    if (!entry) return { kind: "unknown-entry" };
    const left = await tx.execute`
      UPDATE waitlist_entries SET status = 'CANCELLED', ended_at = now()
      WHERE id = ${entryId}::uuid AND status IN ('WAITING', 'NOTIFIED')`;
    if (left !== 1) return { kind: "not-in-line", status: entry.status };
    await lapseOfferMails(tx, entryId);
    const { offers } = await advanceWaitlist(tx, { planId: entry.planId, offerMs });
    return { kind: "left", offers };
  });
}
