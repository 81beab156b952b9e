/**
 * A process of its own that makes moves of a waitlist, one after the other: prints `ready` once its session
 * is open, waits for a line on standard input, and prints what came of each move.
 *
 * `argv`: the address of the database, the moves as JSON, and how long they wait for a row.
 */
import { once } from "node:events";
import { openDatabase, type Db } from "../../lib/db/client.ts";
import { cancelParticipation } from "../../lib/checkouts/cancel/cancel-participation.ts";
import { bookOffer, bookSeats, leaveWaitlist } from "../../lib/waitlist/moves/index.ts";
import { OFFER_MS, runExpire, runRemind } from "../support/waitlist.ts";

export type Move =
  | { do: "book offer"; entryId: string; reference: string }
  | { do: "book seats"; planId: string; userId: string; reference: string; seats: number }
  | { do: "cancel"; bookingId: string }
  | { do: "leave"; entryId: string }
  | { do: "expire" }
  | { do: "remind" };

const [url = "", moves = "[]", rowWait = "2min"] = process.argv.slice(2);
const db = openDatabase({
  url,
  applicationName: "waitlist process",
  readOnly: false,
  connections: 1,
  rowWait,
});
try {
  await db.query`SELECT 1`;
  process.stdout.write("ready\n");
  await once(process.stdin, "data");
  for (const move of JSON.parse(moves) as Move[]) {
    process.stdout.write(`${JSON.stringify(await make(db, move))}\n`);
  }
} finally {
  await db.close();
  process.stdin.destroy();
}

function make(db: Db, move: Move): Promise<unknown> {
  const status = "CONFIRMED";
  const offerMs = OFFER_MS;
  switch (move.do) {
    case "book offer":
      return bookOffer(db, { entryId: move.entryId, reference: move.reference, status });
    case "book seats":
      return bookSeats(db, { ...move, status, offerMs });
    case "cancel":
      return cancelParticipation(db, {
        bookingId: move.bookingId,
        offerMs,
        money: "keep",
        actor: "a test",
      });
    case "leave":
      return leaveWaitlist(db, { entryId: move.entryId, offerMs });
    case "expire":
      return runExpire(db);
    case "remind":
      return runRemind(db);
  }
}
