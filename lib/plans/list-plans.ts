import type { DbSession } from "../db/client.ts";

export interface ListedPlan {
  id: string;
  title: string;
  kind: string;
  startsAt: Date | null;
  capacity: number | null;
  bookedSeats: number;
  offeredSeats: number;
  /** People on the waitlist to whom no seat is offered. */
  waiting: number;
  cancelledAt: Date | null;
}

export interface PlanFilter {
  /** Only those that are cancelled. */
  cancelled?: boolean | undefined;
  /** Only those that have not begun. */
  ahead?: boolean | undefined;
  limit: number;
}

/** Webinars and classes, those that begin last first. */
export async function listPlans(
  db: DbSession,
  { cancelled = false, ahead = false, limit }: PlanFilter,
): Promise<{ plans: ListedPlan[]; more: boolean }> {
  const plans = await db.query<ListedPlan[]>`
    SELECT id, title, kind::text AS kind, starts_at AS "startsAt", capacity,
           booked_seats AS "bookedSeats", offered_seats AS "offeredSeats",
           (SELECT count(*)::int FROM waitlist_entries
            WHERE plan_id = plans.id AND status = 'WAITING') AS waiting,
           cancelled_at AS "cancelledAt"
    FROM plans
    WHERE capacity IS NOT NULL
      AND (NOT ${cancelled}::boolean OR cancelled_at IS NOT NULL)
      AND (NOT ${ahead}::boolean OR starts_at IS NULL OR starts_at > now())
    ORDER BY starts_at DESC NULLS FIRST, id
    LIMIT ${limit + 1}`;
  return { plans: plans.slice(0, limit), more: plans.length > limit };
}
