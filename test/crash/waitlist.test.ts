import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openDatabase, type Db } from "../../lib/db/client.ts";
import { cancelParticipation } from "../../lib/checkouts/cancel/cancel-participation.ts";
import { bookOffer, leaveWaitlist } from "../../lib/waitlist/moves/index.ts";
import {
  seedBooking,
  seedPlan,
  seedUser,
  seedWaiting,
  type SeededPlan,
} from "../../scripts/dev/seed/bookings.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { OFFER_MS, runExpire, runRemind } from "../support/waitlist.ts";
import { startProcess, type Naming, type Side } from "./matrix/process.ts";

const offerMs = OFFER_MS;
const APPLICATION_NAME = "waitlist crash";
const TIMEOUT_MS = 300_000;

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

/** A world of one plan, and what is done to it until it is done. */
interface World {
  plan: SeededPlan;
  act: (db: Db) => Promise<unknown>;
}

/** What each world must have come to, stopped or not: the mails that stand in the outbox. */
interface Scenario {
  name: string;
  open: () => Promise<World>;
  mails: readonly string[];
}

const SCENARIOS: readonly Scenario[] = [
  {
    name: "a participant who holds three seats leaves",
    mails: ["waitlist-offer to 1", "waitlist-offer to 3", "waitlist-offer to 4"],
    open: async () => {
      const plan = await seedPlan(database, { capacity: 4, sessions: 2 });
      await seedBooking(database, { plan, status: "CONFIRMED" });
      const { id } = await seedBooking(database, { plan, seats: 3, status: "CONFIRMED" });
      await seedWaiting(database, { plan });
      await seedWaiting(database, { plan, userId: await seedUser(database, { active: false }) });
      for (let place = 0; place < 3; place += 1) await seedWaiting(database, { plan });
      return {
        plan,
        act: (db) =>
          cancelParticipation(db, { bookingId: id, offerMs, money: "keep", actor: "a test" }),
      };
    },
  },
  {
    name: "process-expired-notifications",
    mails: [
      "waitlist-expired to 1",
      "waitlist-expired to 2",
      "waitlist-offer to 3",
      "waitlist-offer to 4",
    ],
    open: async () => {
      const plan = await seedPlan(database, { capacity: 2 });
      for (let place = 0; place < 2; place += 1) {
        await seedWaiting(database, { plan, status: "NOTIFIED", expiresInHours: -1 });
      }
      for (let place = 0; place < 3; place += 1) await seedWaiting(database, { plan });
      return { plan, act: (db) => runExpire(db) };
    },
  },
  {
    name: "send-expiration-reminders",
    mails: ["waitlist-reminder to 1", "waitlist-reminder to 2"],
    open: async () => {
      const plan = await seedPlan(database, { capacity: 2 });
      for (const expiresInHours of [2, 3]) {
        await seedWaiting(database, { plan, status: "NOTIFIED", expiresInHours });
      }
      return { plan, act: (db) => runRemind(db) };
    },
  },
  {
    name: "who is offered a seat leaves",
    mails: ["waitlist-offer to 2", "waitlist-reminder to 1, LAPSED"],
    open: async () => {
      const plan = await seedPlan(database, { capacity: 1 });
      const { entryId } = await seedReminded(plan);
      await seedWaiting(database, { plan });
      return { plan, act: (db) => leaveWaitlist(db, { entryId, offerMs }) };
    },
  },
  {
    name: "who is offered a seat books it",
    mails: ["waitlist-reminder to 1, LAPSED"],
    open: async () => {
      const plan = await seedPlan(database, { capacity: 1, sessions: 2 });
      const { entryId } = await seedReminded(plan);
      await seedWaiting(database, { plan });
      const wanted = { entryId, reference: `of ${entryId}`, status: "CONFIRMED" } as const;
      return { plan, act: (db) => bookOffer(db, wanted) };
    },
  },
];

describe(
  "stopped dead at each statement and commit, and done again",
  { timeout: TIMEOUT_MS },
  () => {
    it.each(SCENARIOS)("$name comes to the same end", async (scenario) => {
      const unstopped = await play(scenario);
      expect(unstopped.end.mails).toEqual(scenario.mails);
      expect(unstopped.steps.filter((step) => step === "COMMIT").length).toBeGreaterThan(0);

      for (const [index, step] of unstopped.steps.entries()) {
        for (const side of ["before", "after"] as const) {
          const stopped = await play(scenario, { at: index + 1, side });
          expect(stopped.hasStopped, `${side} ${step}`).toBe(true);
          expect(stopped.end, `stopped ${side} ${index + 1}: ${step}`).toEqual(unstopped.end);
        }
      }
      process.stdout.write(
        `crash matrix, ${scenario.name}: ${unstopped.steps.length} steps, before and after\n`,
      );
    });
  },
);

/** The n-th statement or commit of the process. */
interface Stop {
  at: number;
  side: Side;
}

interface Played {
  /** Statements within transactions, and commits. */
  steps: readonly string[];
  hasStopped: boolean;
  end: Awaited<ReturnType<typeof readEnd>>;
}

/** Lives through a world. After a stop the same is done again, and then the hourly job runs. */
async function play(scenario: Scenario, stop?: Stop): Promise<Played> {
  const { plan, act } = await scenario.open();
  const steps: string[] = [];
  const process = await startProcess(database, {
    naming: EVERY_STATEMENT,
    watch: (step, side) => {
      if (side === "before") steps.push(step);
      return side === stop?.side && steps.length === stop.at;
    },
  });
  const db = openDb(process.database.url);
  const acting = act(db);
  // Once it is dead nobody listens to it any more.
  acting.catch(() => undefined);
  const hasStopped = await Promise.race([
    acting.then(() => false),
    process.stopped.then(() => true),
  ]);
  await process.close();
  await db.close();
  await endSessions();
  // A seat was given back and offered on, or neither: no run has to come for that.
  expect(await freeSeatsThatSomebodyWaitsFor(plan)).toBe(0);

  const again = openDb(database.url);
  try {
    if (hasStopped) await act(again);
    await runExpire(again);
  } finally {
    await again.close();
  }
  return { steps, hasStopped, end: await readEnd(plan) };
}

const EVERY_STATEMENT: Naming = {
  commit: () => "COMMIT",
  within: ({ sql }) => sql.trim().slice(0, 60),
  write: ({ sql }) =>
    /\b(INSERT INTO|UPDATE|DELETE FROM)\b/.test(sql) ? sql.trim().slice(0, 60) : undefined,
  call: (method) => {
    throw new Error(`the waitlist calls no provider: ${method}`);
  },
};

function openDb(url: string): Db {
  return openDatabase({ url, applicationName: APPLICATION_NAME, readOnly: false, connections: 1 });
}

/** Resolves once the server has noticed that the process is gone. */
async function endSessions(): Promise<void> {
  await database.query(
    `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
     WHERE datname = current_database() AND application_name = $1`,
    [APPLICATION_NAME],
  );
}

async function freeSeatsThatSomebodyWaitsFor(plan: SeededPlan): Promise<number> {
  const [row] = await database.query<{ free: number }>(
    `SELECT capacity - booked_seats - offered_seats AS free FROM plans
     WHERE id = $1
       AND EXISTS (SELECT 1 FROM waitlist_entries WHERE plan_id = $1 AND status = 'WAITING')`,
    [plan.id],
  );
  return row?.free ?? 0;
}

/** Somebody who is offered a seat and was reminded of it. */
async function seedReminded(plan: SeededPlan): Promise<{ entryId: string }> {
  const seeded = await seedWaiting(database, { plan, status: "NOTIFIED", expiresInHours: 2 });
  const db = openDb(database.url);
  try {
    await runRemind(db);
  } finally {
    await db.close();
  }
  return seeded;
}

/** What a world has come to; people are named by their place in the line. */
async function readEnd(plan: SeededPlan) {
  const lines = async (sql: string): Promise<string[]> =>
    (await database.query<{ line: string }>(sql, [plan.id])).map(({ line }) => line);
  return {
    mails: await lines(`
      WITH place AS (
        SELECT id::text, row_number() OVER (ORDER BY position) AS rank
        FROM waitlist_entries WHERE plan_id = $1
      )
      SELECT mail.template || ' to ' || place.rank
             || CASE WHEN mail.status = 'QUEUED' THEN '' ELSE ', ' || mail.status END AS line
      FROM outbox_mails AS mail JOIN place ON mail.key = mail.template || ':' || place.id
      ORDER BY 1`),
    entries: await lines(`
      SELECT status || CASE WHEN booking_id IS NULL THEN '' ELSE ' with a booking' END AS line
      FROM waitlist_entries WHERE plan_id = $1 ORDER BY position`),
    seats: await lines(`
      SELECT booked_seats || ' booked, ' || offered_seats || ' offered' AS line
      FROM plans WHERE id = $1`),
    bookings: await lines(`
      SELECT status || ' ' || seats || ' with slots ' ||
             (SELECT count(*) FROM slots WHERE booking_id = bookings.id) AS line
      FROM bookings WHERE plan_id = $1 ORDER BY 1`),
  };
}
