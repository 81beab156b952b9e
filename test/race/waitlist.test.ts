import pg from "pg";
import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { startMailSandbox } from "../../scripts/sandbox/mail/index.ts";
import type { ExpireReport, ReminderReport } from "../../lib/waitlist/index.ts";
import { seedBooking, seedPlan, seedUser, seedWaiting } from "../../scripts/dev/seed/bookings.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { startJob } from "../support/job-process.ts";
import { mailJobEnv } from "../support/mail.ts";
import { startScript, type RunningScript } from "../support/run-script.ts";
import { entryStatuses, mailKeys, seatsOf } from "../support/waitlist.ts";
import type { Move } from "./waitlist-process.ts";

const TIMEOUT_MS = 240_000;
/** So that what waits for a row which the test holds never gives up. */
const ROW_WAIT = "2min";

let database: TestDatabase;

beforeEach(async () => {
  database = await createTestDatabase();
  // Run after the processes of the test have ended: the last one registered is the first to run.
  onTestFinished(() => database.drop());
});

describe("an expiry and a booking of the same offer", { timeout: TIMEOUT_MS }, () => {
  it("booking first: it stands, and nobody else is offered the seat", async () => {
    const { planId, entryId } = await seedOffer({ expiresInHours: 1 });
    const gate = await holdRow("plans", planId);
    const booking = await openProcess([{ do: "book offer", entryId, reference: "mine" }]);
    const expiry = await openProcess([{ do: "expire" }]);

    booking.go();
    await untilBlocked(1);
    // The booking was asked for in time. The time passes while it waits for the plan.
    await database.query(
      "UPDATE waitlist_entries SET expires_at = clock_timestamp() WHERE id = $1",
      [entryId],
    );
    expiry.go();
    await untilBlocked(2);
    await gate.release();

    expect(await booking.results()).toMatchObject([{ kind: "booked" }]);
    expect(await expiry.results()).toMatchObject([{ report: { found: 1, unchanged: 1 } }]);
    expect(await entryStatuses(database)).toEqual(["BOOKED", "WAITING"]);
    expect(await mailKeys(database)).toEqual([]);
  });

  it("expiry first: the offer has ended, the next person has it, the buyer is told so", async () => {
    const { planId, entryId, next } = await seedOffer({ expiresInHours: -0.001 });
    const gate = await holdRow("plans", planId);
    const booking = await openProcess([{ do: "book offer", entryId, reference: "mine" }]);
    const expiry = await openProcess([{ do: "expire" }]);

    expiry.go();
    await untilBlocked(1);
    booking.go();
    await untilBlocked(2);
    await gate.release();

    expect(await expiry.results()).toMatchObject([{ report: { expired: 1, offered: 1 } }]);
    expect(await booking.results()).toEqual([{ kind: "expired" }]);
    expect(await entryStatuses(database)).toEqual(["EXPIRED", "NOTIFIED"]);
    expect(await mailKeys(database)).toEqual(
      [`waitlist-expired:${entryId}`, `waitlist-offer:${next}`].toSorted(),
    );
  });

  it("booking first, by another program that locks nothing but its rows: it stands as well", async () => {
    const { planId, entryId } = await seedOffer({ expiresInHours: -0.001 });
    const other = await openSession();
    await other.query("BEGIN");
    await other.query(
      "UPDATE waitlist_entries SET status = 'BOOKED', ended_at = now() WHERE id = $1",
      [entryId],
    );
    await other.query(
      `INSERT INTO bookings (reference, plan_id, user_id, status)
       SELECT 'elsewhere', plan_id, user_id, 'CONFIRMED' FROM waitlist_entries WHERE id = $1`,
      [entryId],
    );
    const expiry = await openProcess([{ do: "expire" }]);
    expiry.go();
    await untilBlocked(1);
    await other.query("COMMIT");

    expect(await expiry.results()).toMatchObject([{ report: { expired: 0, offered: 0 } }]);
    expect(await entryStatuses(database)).toEqual(["BOOKED", "WAITING"]);
    expect(await seatsOf(database, planId)).toEqual({ capacity: 1, booked: 1, offered: 0 });
  });

  it("as it happens, many times: each seat is the buyer's or the next one's", async () => {
    const offers = [];
    for (let index = 0; index < 60; index += 1) {
      offers.push(await seedOffer({ expiresInHours: 1 }));
    }
    const books = offers.map(({ entryId }): Move => ({
      do: "book offer",
      entryId,
      reference: `of ${entryId}`,
    }));
    const booking = await openProcess(books);
    const expiry = await openProcess(Array<Move>(40).fill({ do: "expire" }));
    // They end about as fast as they are booked, in another order: some before, some after, some together.
    await database.query(`
      UPDATE waitlist_entries AS entry SET expires_at = now() + rank * interval '15 milliseconds'
      FROM (SELECT id, row_number() OVER (ORDER BY md5(id::text)) AS rank
            FROM waitlist_entries WHERE status = 'NOTIFIED') AS offer
      WHERE offer.id = entry.id`);
    booking.go();
    expiry.go();

    const booked = (await booking.results()) as { kind: string }[];
    await expiry.results();
    await runToEnd([{ do: "expire" }]);
    for (const [index, { planId, entryId, next }] of offers.entries()) {
      const isBooked = booked[index]?.kind === "booked";
      expect(booked[index]?.kind).toMatch(/^(booked|expired)$/);
      expect(await entryStatuses(database, planId)).toEqual(
        isBooked ? ["BOOKED", "WAITING"] : ["EXPIRED", "NOTIFIED"],
      );
      expect(await mailKeysOf(entryId, next)).toEqual(
        isBooked ? [] : [`waitlist-expired:${entryId}`, `waitlist-offer:${next}`],
      );
    }
  });
});

describe("several runs at once", { timeout: TIMEOUT_MS }, () => {
  it("of the expiry end each offer once, and offer each seat once", async () => {
    const offers = [];
    for (let index = 0; index < 40; index += 1) {
      offers.push(await seedOffer({ expiresInHours: -1 }));
    }
    const runs = [await openProcess([{ do: "expire" }]), await openProcess([{ do: "expire" }])];
    for (const run of runs) run.go();
    const reports = await reportsOf<ExpireReport>(runs);

    expect(sum(reports, ({ expired }) => expired)).toBe(40);
    expect(sum(reports, ({ offered }) => offered)).toBe(40);
    expect(sum(reports, ({ locked, failed }) => locked + failed)).toBe(0);
    expect(await mailKeys(database)).toEqual(
      offers
        .flatMap(({ entryId, next }) => [`waitlist-expired:${entryId}`, `waitlist-offer:${next}`])
        .toSorted(),
    );
  });

  it("of the reminders write each once", async () => {
    const entries: string[] = [];
    for (let index = 0; index < 40; index += 1) {
      entries.push((await seedOffer({ expiresInHours: 2 })).entryId);
    }
    const runs = [];
    for (let count = 0; count < 3; count += 1) runs.push(await openProcess([{ do: "remind" }]));
    for (const run of runs) run.go();
    const reports = await reportsOf<ReminderReport>(runs);

    expect(sum(reports, ({ queued }) => queued)).toBe(40);
    expect(await mailKeys(database)).toEqual(
      entries.map((entryId) => `waitlist-reminder:${entryId}`).toSorted(),
    );
  });

  it("of the job files themselves, without a lock, do the same", async () => {
    const { entryId, next } = await seedOffer({ expiresInHours: -1 });
    const { entryId: soon } = await seedOffer({ expiresInHours: 2 });
    const env = {
      DATABASE_URL: database.url,
      LOCK_STORE: "off",
      AFTERHOURS_ENV: database.environment,
    };
    const start = (name: string) => startJob({ file: `jobs/waitlist/${name}.ts`, env }).ended;

    const ends = await Promise.all(
      ["process-expired-notifications", "send-expiration-reminders"].flatMap((name) => [
        start(name),
        start(name),
      ]),
    );

    for (const end of ends) {
      expect(end, end.stdout + end.stderr).toMatchObject({
        exitCode: 0,
        outputs: { outcome: "completed" },
      });
    }
    const total = (name: string): number => sum(ends, ({ outputs }) => Number(outputs[name] ?? 0));
    expect([total("expired"), total("offered"), total("queued")]).toEqual([1, 1, 1]);
    expect(await mailKeys(database)).toEqual([
      `waitlist-expired:${entryId}`,
      `waitlist-offer:${next}`,
      `waitlist-reminder:${soon}`,
    ]);
  });
});

describe(
  "several runs of the reminder job at once, with a mail server",
  { timeout: TIMEOUT_MS },
  () => {
    it("send each reminder once", async () => {
      const sandbox = await startMailSandbox();
      onTestFinished(() => sandbox.close());
      for (let index = 0; index < 20; index += 1) await seedOffer({ expiresInHours: 2 });
      const env = mailJobEnv({ database, sandbox }, { lockStore: "off" });
      const file = "jobs/waitlist/send-expiration-reminders.ts";

      const ends = await Promise.all([1, 2].map(() => startJob({ file, env }).ended));

      for (const end of ends) expect(end, end.stdout + end.stderr).toMatchObject({ exitCode: 0 });
      expect(sum(ends, ({ outputs }) => Number(outputs["queued"]))).toBe(20);
      expect(new Set(sandbox.mails().map(({ recipient }) => recipient)).size).toBe(20);
      expect(sandbox.mails()).toHaveLength(20);
      for (const mail of await mailKeys(database))
        expect(mail).toMatch(/^waitlist-reminder:.* SENT$/);
    });
  },
);

describe("a reminder and a booking of the same offer", { timeout: TIMEOUT_MS }, () => {
  it.each(["reminder first", "booking first"])(
    "leave no reminder to be delivered: %s",
    async (order) => {
      const { entryId } = await seedOffer({ expiresInHours: 2 });
      const gate = await holdRow("waitlist_entries", entryId);
      const reminder = await openProcess([{ do: "remind" }]);
      const booking = await openProcess([{ do: "book offer", entryId, reference: "mine" }]);
      const inOrder = order === "reminder first" ? [reminder, booking] : [booking, reminder];

      for (const [index, each] of inOrder.entries()) {
        each.go();
        await untilBlocked(index + 1);
      }
      await gate.release();

      expect(await booking.results()).toMatchObject([{ kind: "booked" }]);
      await reminder.results();
      expect(await mailKeys(database)).toEqual(
        order === "reminder first" ? [`waitlist-reminder:${entryId} LAPSED`] : [],
      );
    },
  );
});

describe("the last seat of a webinar", { timeout: TIMEOUT_MS }, () => {
  it("wanted by twelve at once is booked by one, and the others hear that it is full", async () => {
    const plan = await seedPlan(database, { capacity: 3 });
    await seedBooking(database, { plan, seats: 2, status: "CONFIRMED" });
    const gate = await holdRow("plans", plan.id);
    const buyers = await Promise.all(
      Array.from({ length: 12 }, async (_, buyer) => {
        const userId = await seedUser(database);
        const reference = `buyer ${buyer}`;
        return openProcess([{ do: "book seats", planId: plan.id, userId, reference, seats: 1 }]);
      }),
    );
    for (const buyer of buyers) buyer.go();
    await untilBlocked(12);
    await gate.release();

    const results = (await Promise.all(buyers.map((buyer) => buyer.results()))).flat();
    expect(results.filter((result) => (result as { kind: string }).kind === "booked")).toHaveLength(
      1,
    );
    expect(results.filter((result) => (result as { kind: string }).kind !== "booked")).toEqual(
      Array(11).fill({ kind: "full", freeSeats: 0 }),
    );
    expect(await seatsOf(database, plan.id)).toEqual({ capacity: 3, booked: 3, offered: 0 });
  });
});

interface SeededOffer {
  planId: string;
  /** Who is offered the only seat. */
  entryId: string;
  /** Who waits behind. */
  next: string;
}

async function seedOffer({ expiresInHours }: { expiresInHours: number }): Promise<SeededOffer> {
  const plan = await seedPlan(database, { capacity: 1 });
  const { entryId } = await seedWaiting(database, { plan, status: "NOTIFIED", expiresInHours });
  const { entryId: next } = await seedWaiting(database, { plan });
  return { planId: plan.id, entryId, next };
}

interface WaitlistProcess {
  /** Lets it make its moves. */
  go: () => void;
  /** What came of each, once it has ended. */
  results: () => Promise<unknown[]>;
}

/** Starts a process that is ready to make its moves. */
async function openProcess(moves: readonly Move[]): Promise<WaitlistProcess> {
  const script: RunningScript = startScript("test/race/waitlist-process.ts", {
    args: [database.url, JSON.stringify(moves), ROW_WAIT],
  });
  onTestFinished(async () => {
    if (script.process.exitCode === null) script.process.kill("SIGKILL");
    await script.ended;
  });
  await script.printed("ready");
  return {
    go: () => script.process.stdin.write("go\n"),
    results: async () => {
      const { exitCode, stdout, stderr } = await script.ended;
      expect(exitCode, stderr).toBe(0);
      return stdout
        .split("\n")
        .filter((line) => line.startsWith("{"))
        .map((line): unknown => JSON.parse(line));
    },
  };
}

async function runToEnd(moves: readonly Move[]): Promise<void> {
  const process = await openProcess(moves);
  process.go();
  await process.results();
}

async function reportsOf<Report>(runs: readonly WaitlistProcess[]): Promise<Report[]> {
  const results = await Promise.all(runs.map((run) => run.results()));
  return results.flat().map((result) => (result as { report: Report }).report);
}

/** Another program's session, closed when the test ends. */
async function openSession(): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: database.url,
    application_name: "another program",
  });
  await client.connect();
  onTestFinished(() => client.end());
  return client;
}

async function holdRow(
  table: "plans" | "waitlist_entries",
  id: string,
): Promise<{ release: () => Promise<unknown> }> {
  const client = await openSession();
  await client.query("BEGIN");
  await client.query(`SELECT 1 FROM ${table} WHERE id = $1 FOR UPDATE`, [id]);
  return { release: () => client.query("COMMIT") };
}

/** Resolves once so many processes wait for a row. */
async function untilBlocked(processes: number): Promise<void> {
  await vi.waitFor(
    async () => {
      const waiting = await database.query(
        `SELECT 1 FROM pg_stat_activity
         WHERE datname = current_database() AND application_name = 'waitlist process'
           AND wait_event_type = 'Lock'`,
      );
      expect(waiting).toHaveLength(processes);
    },
    { timeout: 60_000, interval: 10 },
  );
}

async function mailKeysOf(...entryIds: string[]): Promise<string[]> {
  const keys = await mailKeys(database);
  return keys.filter((key) => entryIds.some((entryId) => key.includes(entryId)));
}

function sum<T>(items: readonly T[], count: (item: T) => number): number {
  return items.reduce((total, item) => total + count(item), 0);
}
