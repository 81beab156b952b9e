import { expect } from "vitest";
import fc from "fast-check";
import type { TestDatabase } from "../../support/database.ts";

/** One thing that happens to the waitlists of a history. Numbers choose among what there is at the time. */
export type Move =
  | { do: "join"; plan: number; user: number; priority: number }
  | { do: "leave"; entry: number }
  | { do: "book offer"; entry: number }
  | { do: "book seats"; plan: number; user: number; seats: number }
  | { do: "cancel"; booking: number }
  | { do: "expire" }
  | { do: "remind" };

export type Step =
  | Move
  /** Two processes at the same moment. */
  | { do: "together"; moves: readonly [Move, Move] }
  /** The process of a move is stopped dead at one of its statements. */
  | { do: "crash"; move: Move; at: number; side: "before" | "after" }
  /** Its time passes, or all but two hours of it. */
  | { do: "age"; entry: number; leaves: "nothing" | "two hours" }
  /** By hand, without anybody offering the seat. */
  | { do: "raise"; plan: number }
  /** By another program, without anybody offering the seat. */
  | { do: "cancel elsewhere"; booking: number }
  | { do: "deactivate"; user: number };

const plan = fc.nat(1);
const user = fc.nat(7);
const which = fc.nat(11);

const move: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant("join" as const), plan, user, priority: fc.nat(1) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("leave" as const), entry: which }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("book offer" as const), entry: which }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("book seats" as const),
      plan,
      user,
      seats: fc.integer({ min: 1, max: 3 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("cancel" as const), booking: which }) },
  { weight: 3, arbitrary: fc.constant({ do: "expire" } as const) },
  { weight: 1, arbitrary: fc.constant({ do: "remind" } as const) },
);

export const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 10, arbitrary: move },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("together" as const), moves: fc.tuple(move, move) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("crash" as const),
      move,
      at: fc.integer({ min: 1, max: 12 }),
      side: fc.constantFrom("before" as const, "after" as const),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("age" as const),
      entry: which,
      leaves: fc.constantFrom("nothing" as const, "nothing" as const, "two hours" as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("raise" as const), plan }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("cancel elsewhere" as const), booking: which }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("deactivate" as const), user }) },
);

export interface EntryRow {
  id: string;
  planId: string;
  status: string;
  priority: number;
  position: bigint;
}

export async function readEntries(
  database: TestDatabase,
  planIds: readonly string[],
): Promise<EntryRow[]> {
  return database.query<EntryRow & Record<string, unknown>>(
    `SELECT id, plan_id AS "planId", status::text AS status, priority, position FROM waitlist_entries
     WHERE plan_id = ANY ($1) ORDER BY position`,
    [planIds],
  );
}

/** What must hold after every step, each as a query for what breaks it. */
const RULES: Readonly<Record<string, string>> = {
  "no more seats than there are": `
    SELECT id FROM plans WHERE id = ANY ($1) AND (
      booked_seats + offered_seats > capacity
      OR booked_seats <> (SELECT COALESCE(sum(seats), 0) FROM bookings
                          WHERE plan_id = plans.id AND status <> 'CANCELLED')
      OR offered_seats <> (SELECT count(*) FROM waitlist_entries
                           WHERE plan_id = plans.id AND status = 'NOTIFIED'))`,
  "a slot for each seat of each booking": `
    SELECT id FROM bookings WHERE plan_id = ANY ($1)
      AND CASE status WHEN 'CANCELLED' THEN 0 ELSE seats END
          <> (SELECT count(*) FROM slots WHERE booking_id = bookings.id)`,
  "told of every offer, once, and of nothing else": `
    SELECT id FROM waitlist_entries AS entry WHERE plan_id = ANY ($1)
      AND (notified_at IS NOT NULL)::int
          <> (SELECT count(*) FROM outbox_mails WHERE key = 'waitlist-offer:' || entry.id)`,
  "told of every end, once, and of nothing else": `
    SELECT id FROM waitlist_entries AS entry WHERE plan_id = ANY ($1)
      AND (status = 'EXPIRED')::int
          <> (SELECT count(*) FROM outbox_mails WHERE key = 'waitlist-expired:' || entry.id)`,
  "nothing left to be said of an offer that was booked or left": `
    SELECT entry.id FROM waitlist_entries AS entry
    JOIN outbox_mails AS mail
      ON mail.key IN ('waitlist-offer:' || entry.id, 'waitlist-reminder:' || entry.id)
    WHERE plan_id = ANY ($1) AND entry.status IN ('BOOKED', 'CANCELLED') AND mail.status = 'QUEUED'`,
  "a booking behind every offer that was booked": `
    SELECT entry.id FROM waitlist_entries AS entry
    LEFT JOIN bookings AS booking
      ON booking.id = booking_id AND booking.plan_id = entry.plan_id AND booking.user_id = entry.user_id
    WHERE entry.plan_id = ANY ($1) AND entry.status = 'BOOKED' AND booking.id IS NULL`,
};

/** What must hold once the waitlist of a plan has been advanced. */
const SETTLED: Readonly<Record<string, string>> = {
  "no seat free while somebody waits": `
    SELECT id FROM plans WHERE id = ANY ($1) AND booked_seats + offered_seats < capacity
      AND EXISTS (SELECT 1 FROM waitlist_entries WHERE plan_id = plans.id AND status = 'WAITING')`,
  "no offer past its time": `
    SELECT id FROM waitlist_entries
    WHERE plan_id = ANY ($1) AND status = 'NOTIFIED' AND expires_at <= now() - interval '1 second'`,
};

export function expectRules(database: TestDatabase, planIds: readonly string[]): Promise<void> {
  return expectNone(database, planIds, RULES);
}

export function expectSettled(database: TestDatabase, planIds: readonly string[]): Promise<void> {
  return expectNone(database, planIds, SETTLED);
}

async function expectNone(
  database: TestDatabase,
  planIds: readonly string[],
  rules: Readonly<Record<string, string>>,
): Promise<void> {
  const parts = Object.entries(rules).map(
    ([rule, sql]) => `SELECT '${rule}' AS rule, id FROM (${sql}) AS broken`,
  );
  expect(await database.query(parts.join(" UNION ALL "), [planIds])).toEqual([]);
}

/** Nobody who waited all along was passed over by who is offered a seat of the same plan now. */
export function expectInOrder(before: readonly EntryRow[], after: readonly EntryRow[]): void {
  const statusBefore = new Map(before.map(({ id, status }) => [id, status]));
  const offered = after.filter(
    ({ id, status }) => status === "NOTIFIED" && statusBefore.get(id) === "WAITING",
  );
  const passedOver = after.filter(
    ({ id, status, ...waits }) =>
      status === "WAITING" &&
      statusBefore.get(id) === "WAITING" &&
      offered.some((offer) => isAhead(waits, offer)),
  );
  expect(passedOver, "the line is kept").toEqual([]);
}

function isAhead(
  one: Pick<EntryRow, "planId" | "priority" | "position">,
  other: Pick<EntryRow, "planId" | "priority" | "position">,
): boolean {
  return (
    one.planId === other.planId &&
    (one.priority > other.priority ||
      (one.priority === other.priority && one.position < other.position))
  );
}
