import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openDatabase, type Db } from "../../../lib/db/client.ts";
import { cancelParticipation } from "../../../lib/checkouts/cancel/cancel-participation.ts";
import {
  bookOffer,
  bookSeats,
  joinWaitlist,
  leaveWaitlist,
} from "../../../lib/waitlist/moves/index.ts";
import { startProcess, type Naming } from "../../crash/matrix/process.ts";
import { seedPlan, seedUser } from "../../../scripts/dev/seed/bookings.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { OFFER_MS, runExpire, runRemind } from "../../support/waitlist.ts";
import {
  expectInOrder,
  expectRules,
  expectSettled,
  readEntries,
  step,
  type EntryRow,
  type Move,
  type Step,
} from "./history.ts";

const HISTORIES = 30;
const CRASHED = "waitlist history, to be stopped";

const offerMs = OFFER_MS;
let database: TestDatabase;
let db: Db;
let userIds: string[];

beforeAll(async () => {
  database = await createTestDatabase();
  db = openDb(database.url, "waitlist history");
  userIds = await Promise.all(Array.from({ length: 8 }, () => seedUser(database)));
});
afterAll(async () => {
  await db.close();
  await database.drop();
});

/** What chance may miss: three seats given back, a crash in between, an offer that ends, one that is booked. */
const EVERY_KIND: Step[] = [
  { do: "book seats", plan: 1, user: 0, seats: 3 },
  ...[1, 2, 3, 4, 5].map((user) => ({ do: "join", plan: 1, user, priority: user % 2 }) as const),
  { do: "deactivate", user: 1 },
  { do: "crash", move: { do: "cancel", booking: 0 }, at: 9, side: "before" },
  { do: "cancel", booking: 0 },
  { do: "age", entry: 4, leaves: "two hours" },
  { do: "remind" },
  { do: "together", moves: [{ do: "book offer", entry: 4 }, { do: "expire" }] },
  { do: "age", entry: 2, leaves: "nothing" },
  { do: "crash", move: { do: "expire" }, at: 5, side: "after" },
  { do: "together", moves: [{ do: "expire" }, { do: "expire" }] },
  { do: "leave", entry: 1 },
  { do: "join", plan: 1, user: 3, priority: 0 },
  { do: "raise", plan: 1 },
  { do: "cancel elsewhere", booking: 0 },
];

it("offers each free seat to who is next, tells once, and has never more than there are", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 3 }),
      fc.array(step, { minLength: 6, maxLength: 18 }),
      async (capacity, steps) => {
        const history = await beginHistory(capacity);
        let before: EntryRow[] = [];
        for (const each of steps) {
          await live(history, each);
          await expectRules(database, history.planIds);
          const after = await readEntries(database, history.planIds);
          expectInOrder(before, after);
          before = after;
        }
        await runExpire(db);
        await expectRules(database, history.planIds);
        await expectSettled(database, history.planIds);
      },
    ),
    { numRuns: HISTORIES, endOnFailure: true, examples: [[3, EVERY_KIND]] },
  );

  // One history alone need not come to all of them.
  if (process.env["FUZZ_PATH"] !== undefined) return;
  const reached = await database.query<{ status: string }>(
    "SELECT DISTINCT status::text AS status FROM waitlist_entries ORDER BY 1",
  );
  expect(reached.map(({ status }) => status)).toEqual(
    ["WAITING", "NOTIFIED", "BOOKED", "EXPIRED", "CANCELLED", "SKIPPED"].toSorted(),
  );
});

interface History {
  planIds: readonly string[];
  references: number;
}

async function beginHistory(capacity: number): Promise<History> {
  const plans = await Promise.all(
    [capacity, 3].map((seats) => seedPlan(database, { capacity: seats })),
  );
  await database.query("UPDATE users SET active = true");
  return { planIds: plans.map(({ id }) => id), references: 0 };
}

async function live(history: History, step: Step): Promise<void> {
  const { planIds } = history;
  switch (step.do) {
    case "together": {
      const acts = [];
      for (const move of step.moves) acts.push(await choose(history, move));
      await Promise.all(acts.map((act) => act(db)));
      return;
    }
    case "crash":
      await crash(await choose(history, step.move), step);
      return;
    case "age":
      await database.query(
        `UPDATE waitlist_entries
         SET notified_at = notified_at - interval '1 day', told_at = notified_at - interval '1 day',
             expires_at = now() + $2::interval
         WHERE status = 'NOTIFIED' AND id = $1`,
        [await pick("waitlist_entries", history, step.entry), LEAVES[step.leaves]],
      );
      return;
    case "raise":
      await database.query("UPDATE plans SET capacity = capacity + 1 WHERE id = $1", [
        planIds[step.plan],
      ]);
      return;
    case "cancel elsewhere": {
      const bookingId = await pick("bookings", history, step.booking);
      await database.query("UPDATE bookings SET status = 'CANCELLED' WHERE id = $1", [bookingId]);
      await database.query("DELETE FROM slots WHERE booking_id = $1", [bookingId]);
      return;
    }
    case "deactivate":
      await database.query("UPDATE users SET active = false WHERE id = $1", [userIds[step.user]]);
      return;
    case "join":
    case "leave":
    case "book offer":
    case "book seats":
    case "cancel":
    case "expire":
    case "remind": {
      const act = await choose(history, step);
      const planId = await act(db);
      if (planId !== undefined) await expectSettled(database, [planId]);
    }
  }
}

const LEAVES = { nothing: "-2 seconds", "two hours": "2 hours" } as const;

/** Makes a move; the plans whose waitlist it must have left without anything to do. */
type Act = (db: Db) => Promise<string | undefined>;

/** Chooses what a move is about, from what there is now. */
async function choose(history: History, move: Move): Promise<Act> {
  const { planIds } = history;
  const reference = `${planIds[0] ?? ""} ${(history.references += 1)}`;
  switch (move.do) {
    case "join": {
      const planId = planIds[move.plan] ?? "";
      const userId = userIds[move.user] ?? "";
      return async (by) => {
        await joinWaitlist(by, { planId, userId, priority: move.priority, offerMs });
        return planId;
      };
    }
    case "leave": {
      const entryId = await pick("waitlist_entries", history, move.entry);
      return async (by) => {
        const { kind } = await leaveWaitlist(by, { entryId, offerMs });
        return kind === "left" ? planOf("waitlist_entries", entryId) : undefined;
      };
    }
    case "book offer": {
      const entryId = await pick("waitlist_entries", history, move.entry);
      return async (by) => {
        await bookOffer(by, { entryId, reference, status: "CONFIRMED" });
        return undefined;
      };
    }
    case "book seats": {
      const planId = planIds[move.plan] ?? "";
      const userId = userIds[move.user] ?? "";
      return async (by) => {
        const { seats } = move;
        await bookSeats(by, { planId, userId, reference, seats, status: "PENDING", offerMs });
        return planId;
      };
    }
    case "cancel": {
      const bookingId = await pick("bookings", history, move.booking);
      return async (by) => {
        const { kind } = await cancelParticipation(by, {
          bookingId,
          offerMs,
          money: "keep",
          actor: "a test",
        });
        return kind === "cancelled" ? planOf("bookings", bookingId) : undefined;
      };
    }
    case "expire":
      return async (by) => {
        const { verdict } = await runExpire(by);
        expect(verdict).toEqual({ kind: "completed" });
        return undefined;
      };
    case "remind":
      return async (by) => {
        expect((await runRemind(by)).verdict).toEqual({ kind: "completed" });
        return undefined;
      };
  }
}

const NOTHING = "00000000-0000-4000-8000-000000000000";

async function pick(
  table: "waitlist_entries" | "bookings",
  { planIds }: History,
  which: number,
): Promise<string> {
  const order = table === "bookings" ? "requested_at, id" : "position";
  const rows = await database.query<{ id: string }>(
    `SELECT id FROM ${table} WHERE plan_id = ANY ($1) ORDER BY ${order}`,
    [planIds],
  );
  return rows[which % Math.max(rows.length, 1)]?.id ?? NOTHING;
}

async function planOf(table: "waitlist_entries" | "bookings", id: string): Promise<string> {
  const [row] = await database.query<{ plan_id: string }>(
    `SELECT plan_id FROM ${table} WHERE id = $1`,
    [id],
  );
  return row?.plan_id ?? NOTHING;
}

async function crash(
  act: Act,
  { at, side }: { at: number; side: "before" | "after" },
): Promise<void> {
  let met = 0;
  const process = await startProcess(database, {
    naming: EVERY_STATEMENT,
    watch: (_, where) => {
      if (where === "before") met += 1;
      return where === side && met === at;
    },
  });
  const dying = openDb(process.database.url, CRASHED);
  const acting = act(dying);
  // Once it is dead nobody listens to it any more.
  acting.catch(() => undefined);
  await Promise.race([acting, process.stopped]);
  await process.close();
  await dying.close();
  await database.query(
    `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
     WHERE datname = current_database() AND application_name = $1`,
    [CRASHED],
  );
}

const EVERY_STATEMENT: Naming = {
  commit: () => "commit",
  within: () => "statement",
  write: () => undefined,
  call: () => "call",
};

function openDb(url: string, applicationName: string): Db {
  return openDatabase({
    url,
    applicationName,
    readOnly: false,
    connections: 2,
    // So that on a slow machine nobody gives up waiting for a row.
    rowWait: "1min",
  });
}
