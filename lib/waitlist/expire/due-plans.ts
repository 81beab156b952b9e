import { sql, type DbSession, type SqlPart } from "../../db/client.ts";
import { PAST_ITS_END, UNREACHABLE } from "../over.ts";

/** A plan with due waitlist work, and the actions of a run now. */
export interface DuePlan {
  planId: string;
  /** Offers whose time has passed, and whose people were told of them. */
  toExpire: number;
  /** Offers that end and of which no mail went out. */
  toPassOver: number;
  /** Seats that would be offered then. */
  toOffer: number;
}

/**
 * Plans with an offer that is over, or with a free seat and a waiting person. The reason for the free seat does not
 * matter, nor whether it was announced. Three indexes hold exactly these rows. The first in line is looked up for
 * each plan that has a seat: an EXISTS read everybody on the waitlist (99,000 rows of 1,000,000, for 5 due
 * plans). For a page of 10,000 due plans, UNION ALL and GROUP BY take 2.5 times as much of the processor; each
 * half limited before, as much.
 */
const DUE: SqlPart = sql`
  SELECT plan_id AS id FROM waitlist_entries AS entry WHERE ${PAST_ITS_END}
  UNION
  SELECT plan_id FROM waitlist_entries AS entry WHERE ${UNREACHABLE}
  UNION
  SELECT id FROM plans
  WHERE capacity IS NOT NULL AND booked_seats + offered_seats < capacity
    AND (starts_at IS NULL OR starts_at > now()) AND cancelled_at IS NULL
    AND (SELECT position FROM waitlist_entries WHERE plan_id = plans.id AND status = 'WAITING'
         ORDER BY priority DESC, position LIMIT 1) IS NOT NULL`;

export async function countDuePlans(db: DbSession): Promise<number> {
  const [row] = await db.query<{ count: number }[]>`
    SELECT count(*)::int AS count FROM (${DUE}) AS due`;
  return row?.count ?? 0;
}

/**
 * A page of due plans, by their ids. `toExpire` and `toOffer` are a forecast, by the rules of `advanceWaitlist`:
 * a seat goes to the first eligible people in line.
 */
export async function duePlansAfter(
  db: DbSession,
  { after, count }: { after: string | undefined; count: number },
): Promise<DuePlan[]> {
  return db.query`
    WITH page AS MATERIALIZED (
      SELECT id FROM (${DUE}) AS due
      WHERE ${after ?? null}::uuid IS NULL OR id > ${after ?? null}::uuid
      ORDER BY id
      LIMIT ${count}
    )
    SELECT plan.id AS "planId", ended.told AS "toExpire", ended.count - ended.told AS "toPassOver",
           CASE WHEN (plan.starts_at IS NULL OR plan.starts_at > now()) AND plan.cancelled_at IS NULL
                THEN LEAST(plan.capacity - plan.booked_seats - plan.offered_seats + ended.count,
                           in_line.count)
                ELSE 0 END AS "toOffer"
    FROM page
    JOIN plans AS plan USING (id)
    CROSS JOIN LATERAL (
      SELECT count(*)::int AS count, count(entry.told_at)::int AS told FROM waitlist_entries AS entry
      WHERE entry.plan_id = plan.id AND (${PAST_ITS_END} OR ${UNREACHABLE})
    ) AS ended
    CROSS JOIN LATERAL (
      -- No more than there can be seats for, and one person after the other.
      SELECT count(*)::int AS count FROM (
        SELECT 1
        FROM waitlist_entries AS entry
        CROSS JOIN LATERAL (
          SELECT active AND NOT EXISTS (
            SELECT 1 FROM bookings
            WHERE plan_id = plan.id AND user_id = entry.user_id AND status <> 'CANCELLED') AS eligible
          FROM users WHERE id = entry.user_id OFFSET 0
        ) AS person
        WHERE entry.plan_id = plan.id AND entry.status = 'WAITING' AND person.eligible
        ORDER BY entry.priority DESC, entry.position
        LIMIT plan.capacity
      ) AS those
    ) AS in_line
    ORDER BY plan.id`;
}

/** Offers whose mail has not gone out, and how long the oldest of them waits. */
export async function readUntold(db: DbSession): Promise<{ count: number; oldestMs: number }> {
  const [row] = await db.query<{ count: number; oldestMs: number }[]>`
    SELECT count(*)::int AS count,
           (COALESCE(extract(epoch FROM now() - min(notified_at)), 0) * 1000)::float8 AS "oldestMs"
    FROM waitlist_entries WHERE status = 'NOTIFIED' AND told_at IS NULL`;
  return row ?? { count: 0, oldestMs: 0 };
}
