import type { Db } from "../../db/client.ts";
import { advanceWaitlist } from "../advance.ts";
import type { SeatOffer } from "../offer-free-seats.ts";
import { makeMove, type Busy } from "./move.ts";
import { readGroupPlan } from "./rows.ts";

export interface Join {
  planId: string;
  userId: string;
  /** The higher comes first. Default 0. */
  priority?: number;
  /** How long an offered seat is kept. */
  offerMs: number;
}

export type JoinResult =
  /** At the end of the line. `offer`: a seat was free, and was this person's turn at once. */
  | { kind: "joined"; entryId: string; offer: SeatOffer | undefined }
  /** Waits already, or is offered a seat. */
  | { kind: "in-line" }
  /** Holds a booking of the plan. */
  | { kind: "holds-booking" }
  | { kind: "not-active" }
  /** The plan has begun. */
  | { kind: "begun" }
  /** The plan does not take place. */
  | { kind: "plan-cancelled" }
  /** No such plan, or one without seats. */
  | { kind: "no-waitlist" }
  | Busy;

/**
 * Puts a person on the waitlist of a webinar or class. After leaving, a person joins again at the end of the
 * line.
 */
export async function joinWaitlist(
  db: Db,
  { planId, userId, priority = 0, offerMs }: Join,
): Promise<JoinResult> {
  return makeMove(db, async (tx): Promise<JoinResult> => {
    await advanceWaitlist(tx, { planId, offerMs });
    const plan = await readGroupPlan(tx, planId);
    if (!plan) return { kind: "no-waitlist" };
    if (plan.isCancelled) return { kind: "plan-cancelled" };
    if (plan.hasBegun) return { kind: "begun" };
    const [person] = await tx.query<{ active: boolean; holds: boolean }[]>`
      SELECT active, EXISTS (
               SELECT 1 FROM bookings
               WHERE plan_id = ${planId}::uuid AND user_id = users.id AND status <> 'CANCELLED'
             ) AS holds
      FROM users WHERE id = ${userId}::uuid`;
    if (!person?.active) return { kind: "not-active" };
    if (person.holds) return { kind: "holds-booking" };
    const [entry] = await tx.query<{ id: string }[]>`
      INSERT INTO waitlist_entries (plan_id, user_id, priority)
      VALUES (${planId}::uuid, ${userId}::uuid, ${priority})
      ON CONFLICT (plan_id, user_id) WHERE status IN ('WAITING', 'NOTIFIED') DO NOTHING
      RETURNING id`;
    if (!entry) return { kind: "in-line" };
    const { offers } = await advanceWaitlist(tx, { planId, offerMs });
    const offer = offers.find(({ entryId }) => entryId === entry.id);
    return { kind: "joined", entryId: entry.id, offer };
  });
}
