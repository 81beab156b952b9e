import type { DbSession } from "../../db/client.ts";
import { STANDS } from "../over.ts";

export type EntryStatus = "WAITING" | "NOTIFIED" | "BOOKED" | "EXPIRED" | "CANCELLED" | "SKIPPED";

interface LockedEntry {
  planId: string;
  userId: string;
  status: EntryStatus;
  /** Offered, and its time has not passed on the database's clock. */
  stands: boolean;
  bookingId: string | null;
}

/** Locks the plan of an entry and then the entry, in the order that all keep to. */
export async function lockEntry(tx: DbSession, entryId: string): Promise<LockedEntry | undefined> {
  await tx.query`
    SELECT 1 FROM plans
    WHERE id = (SELECT plan_id FROM waitlist_entries WHERE id = ${entryId}::uuid) FOR UPDATE`;
  const [entry] = await tx.query<LockedEntry[]>`
    SELECT plan_id AS "planId", user_id AS "userId", status::text AS status,
           ${STANDS} AS stands, booking_id AS "bookingId"
    FROM waitlist_entries WHERE id = ${entryId}::uuid FOR UPDATE`;
  return entry;
}

/** A person's open offer, locked; there is at most one for a plan. */
export async function lockOfferOf(
  tx: DbSession,
  { planId, userId }: { planId: string; userId: string },
): Promise<string | undefined> {
  const [entry] = await tx.query<{ id: string }[]>`
    SELECT id FROM waitlist_entries
    WHERE plan_id = ${planId}::uuid AND user_id = ${userId}::uuid
      AND ${STANDS}
    FOR UPDATE`;
  return entry?.id;
}

/** The plan as it is now; undefined where the plan does not exist or has no waitlist. */
export async function readGroupPlan(
  tx: DbSession,
  planId: string,
): Promise<{ hasBegun: boolean; isCancelled: boolean } | undefined> {
  const [plan] = await tx.query<{ hasBegun: boolean; isCancelled: boolean }[]>`
    SELECT COALESCE(starts_at <= now(), false) AS "hasBegun", cancelled_at IS NOT NULL AS "isCancelled"
    FROM plans WHERE id = ${planId}::uuid AND capacity IS NOT NULL`;
  return plan;
}
