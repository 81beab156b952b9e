import { expect, onTestFinished, vi } from "vitest";
import { startMailSandbox, type MailSandbox } from "../../scripts/sandbox/mail/index.ts";
import { startSandbox, type Fault, type Sandbox } from "../../scripts/sandbox/razorpay/index.ts";
import { inSession } from "../lib/payouts/sessions.ts";
import { seedBooking, seedPlan, seedWaiting } from "../../scripts/dev/seed/bookings.ts";
import { runCleanup } from "../support/checkout-run.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { letHoursPass, seedMails, takenById } from "../support/mail.ts";
import { createPayoutCycle } from "../support/payout-cycle.ts";
import { checkMoneyInvariants, runPayouts, seedApprovedPayouts } from "../support/payout-world.ts";
import { drifts, letTimePass, seedCaptured } from "../support/refund-run.ts";
import { createRefundWorld } from "../support/refund-world.ts";
import { mailKeys } from "../support/waitlist.ts";

export interface CancelWorld {
  database: TestDatabase;
  sandbox: Sandbox;
  mail: MailSandbox;
}

/** A job stopped in the middle of its work: what holds it there, what it leaves, and what the next run does. */
export interface Scenario {
  job: string;
  inputs?: (world: CancelWorld) => Promise<Record<string, string | boolean>>;
  seed: (world: CancelWorld) => Promise<unknown>;
  hold: Hold;
  /** After the cancelled run. */
  left: (world: CancelWorld) => Promise<void>;
  /** Before the next run: what hours would do. */
  later?: (world: CancelWorld) => Promise<unknown>;
  /** How the next run ends. Default: completed. */
  ends?: { exitCode: number; outputs: { outcome: string; reason?: string } };
  /** After the next run. */
  done: (world: CancelWorld) => Promise<void>;
  database?: () => Promise<TestDatabase>;
}

/** Either the provider never answers a call, or the mail server a step, or another session has locked rows. */
export type Hold = { fault: Fault } | { mail: "answer" } | { locked: string };

export async function openWorld({ database = ownDatabase }: Scenario): Promise<CancelWorld> {
  const opened = await database();
  const sandbox = await startSandbox();
  onTestFinished(() => sandbox.close());
  const mail = await startMailSandbox();
  onTestFinished(() => mail.close());
  return { database: opened, sandbox, mail };
}

async function ownDatabase(): Promise<TestDatabase> {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  return database;
}

/** Lets `work` go on from the moment at which the job is held, and frees it when `work` has ended. */
export async function whileHeld<T>(
  { database, sandbox, mail }: CancelWorld,
  { job, hold }: Pick<Scenario, "job" | "hold">,
  start: () => void,
  work: () => Promise<T>,
): Promise<T> {
  const patience = { timeout: 40_000, interval: 10 };
  if ("fault" in hold) {
    sandbox.addFaults(hold.fault);
    start();
    await vi.waitFor(() => expect(sandbox.faults()).toEqual([]), patience);
    return work();
  }
  if ("mail" in hold) {
    mail.behave({ at: hold.mail, do: "hang", taken: true });
    start();
    await vi.waitFor(() => expect(mail.reached(hold.mail)).toBe(1), patience);
    return work();
  }
  return inSession(database, async (client) => {
    await client.query("BEGIN");
    await client.query(hold.locked);
    start();
    const waiting = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database()
                     AND application_name = $1 AND wait_event_type = 'Lock'`;
    await vi.waitFor(
      async () => expect(await database.query(waiting, [`afterhours ${job}`])).toHaveLength(1),
      patience,
    );
    return work();
  });
}

async function rows(world: CancelWorld, sql: string): Promise<unknown[]> {
  return (await world.database.query<{ v: unknown }>(`SELECT (${sql}) AS v`)).map(({ v }) => v);
}

const statusesOf = (world: CancelWorld, table: string): Promise<unknown[]> =>
  rows(world, `SELECT string_agg(status::text, ' ' ORDER BY status::text) FROM ${table}`);

const AMOUNT_PAISE = 100_000n;

/** An open checkout whose slot was last changed 25 hours ago, with an order that is not paid. */
async function seedAbandoned({ database, sandbox }: CancelWorld) {
  const { id: orderId } = sandbox.createOrder({ amountPaise: AMOUNT_PAISE });
  const plan = await seedPlan(database, { kind: "consultation" });
  const booking = await seedBooking(database, { plan, slotsAgedHours: 25, checkout: { orderId } });
  return { orderId, paymentId: booking.paymentId ?? "", userId: booking.userId };
}

const kindsOfMails = async (world: CancelWorld): Promise<string[]> =>
  (await mailKeys(world.database)).map((key) => key.split(":")[0] ?? "");

export const scenarios: readonly Scenario[] = [
  {
    job: "payouts/process-payouts",
    seed: ({ database }) => seedApprovedPayouts(database, { count: 3, payees: 3 }),
    hold: { fault: { on: "POST /payouts", skip: 1, hang: true, accept: true } },
    left: async (world) => {
      const unanswered = world.sandbox.calls().filter(({ status }) => status === "dropped");
      expect(unanswered).toHaveLength(1);
      expect(
        await rows(
          world,
          "SELECT string_agg(idempotency_key::text, ' ') FROM payout_attempts WHERE state IN ('PREPARED', 'UNKNOWN')",
        ),
      ).toEqual([unanswered[0]?.idempotency_key]);
      await checkMoneyInvariants(world.database, world.sandbox);
    },
    done: async ({ database, sandbox }) => {
      expect(sandbox.payouts().filter(({ live }) => live)).toHaveLength(3);
      await checkMoneyInvariants(database, sandbox);
    },
  },
  {
    job: "payouts/create-payout-batch",
    database: async () => {
      const cycle = await createPayoutCycle();
      for (const name of ["one", "two"]) await cycle.earning(await cycle.consultant(name));
      return cycle;
    },
    seed: () => Promise.resolve(),
    hold: { locked: "SELECT 1 FROM consultants FOR UPDATE" },
    left: async (world) => {
      expect(await rows(world, "SELECT count(*)::int FROM payouts")).toEqual([0]);
      expect(await statusesOf(world, "earnings")).toEqual(["READY READY"]);
    },
    done: async (world) =>
      expect(await statusesOf(world, "payouts")).toEqual(["APPROVED APPROVED"]),
  },
  {
    job: "payouts/handle-stuck-payouts",
    seed: async ({ database, sandbox }) => {
      await seedApprovedPayouts(database, { count: 1, payees: 1 });
      sandbox.addFaults({ on: "POST /payouts", dropAfter: true });
      await runPayouts({ database, sandbox });
    },
    hold: { fault: { on: "GET /payouts", hang: true } },
    left: async (world) => expect(await statusesOf(world, "payouts")).toEqual(["PROCESSING"]),
    done: async (world) => expect(await statusesOf(world, "payouts")).toEqual(["COMPLETED"]),
  },
  {
    job: "payouts/reconcile-payout-status",
    seed: async ({ database, sandbox }) => {
      await seedApprovedPayouts(database, { count: 2, payees: 2 });
      sandbox.addFaults({ on: "POST /payouts", endState: "processing", times: 2 });
      await runPayouts({ database, sandbox });
    },
    hold: { fault: { on: "GET /payouts", hang: true } },
    left: async (world) =>
      expect(await statusesOf(world, "payouts")).toEqual(["PROCESSING PROCESSING"]),
    done: async ({ database, sandbox }) => checkMoneyInvariants(database, sandbox),
  },
  {
    job: "ledger/reconcile-ledger",
    seed: async ({ database, sandbox }) => {
      await seedApprovedPayouts(database, { count: 1, payees: 1 });
      await runPayouts({ database, sandbox });
    },
    hold: { locked: "LOCK TABLE ledger_entries IN ACCESS EXCLUSIVE MODE" },
    left: async (world) =>
      expect(await rows(world, "SELECT count(*)::int FROM findings")).toEqual([0]),
    done: async (world) =>
      expect(await rows(world, "SELECT count(*)::int FROM findings")).toEqual([0]),
  },
  {
    job: "ops/watchdog",
    // A run that was killed long ago and has no lease any more: marked as lost, once.
    seed: ({ database }) =>
      database.query(
        `INSERT INTO job_runs (id, job, owner, started_at)
         VALUES (gen_random_uuid(), 'ledger/reconcile-ledger', 'a run that died', now() - interval '2 days')`,
      ),
    hold: { locked: "SELECT 1 FROM job_runs FOR UPDATE" },
    left: async (world) =>
      expect(
        await rows(world, "SELECT outcome FROM job_runs WHERE owner = 'a run that died'"),
      ).toEqual([null]),
    done: async (world) =>
      expect(
        await rows(world, "SELECT outcome FROM job_runs WHERE owner = 'a run that died'"),
      ).toEqual(["lost"]),
    ends: { exitCode: 1, outputs: { outcome: "failed", reason: "jobs-missed" } },
  },
  {
    job: "ops/prune",
    seed: ({ database }) =>
      database.query(
        `INSERT INTO findings (kind, severity, subject_type, subject_id, details, last_seen_at, resolved_at, resolved_by, resolution)
         SELECT 'payable-drift', 'critical', 'consultant', n::text, '{}', now() - interval '500 days', now() - interval '500 days', 'a person', 'mended'
         FROM set_config('session_replication_role', 'replica', true), generate_series(1, 3) AS n`,
      ),
    hold: { locked: "LOCK TABLE findings IN ACCESS EXCLUSIVE MODE" },
    left: async (world) =>
      expect(await rows(world, "SELECT count(*)::int FROM findings")).toEqual([3]),
    done: async (world) =>
      expect(await rows(world, "SELECT count(*)::int FROM findings")).toEqual([0]),
  },
  {
    job: "slots/cleanup-tentative-slots",
    seed: async (world) => {
      for (let each = 0; each < 2; each++) await seedAbandoned(world);
    },
    hold: { fault: { on: "GET /orders/:id/payments", skip: 1, hang: true } },
    left: async (world) => {
      expect(await statusesOf(world, "payments")).toEqual(["EXPIRED PENDING"]);
      expect(await rows(world, "SELECT count(*)::int FROM slots WHERE tentative")).toEqual([1]);
      expect(await rows(world, "SELECT count(*)::int FROM released_slots")).toEqual([1]);
    },
    done: async (world) => {
      expect(await statusesOf(world, "payments")).toEqual(["EXPIRED EXPIRED"]);
      expect(await rows(world, "SELECT count(*)::int FROM released_slots")).toEqual([2]);
    },
  },
  {
    job: "payments/cancel-pending",
    seed: (world) => seedAbandoned(world),
    inputs: async ({ database }) => {
      const [payment] = await database.query<{ payment_id: string; user_id: string }>(
        "SELECT id AS payment_id, user_id FROM payments",
      );
      return { ...payment, dry_run: false };
    },
    hold: { locked: "SELECT 1 FROM payments FOR UPDATE" },
    left: async (world) => {
      expect(await statusesOf(world, "payments")).toEqual(["PENDING"]);
      expect(await rows(world, "SELECT count(*)::int FROM released_slots")).toEqual([0]);
    },
    done: async (world) => expect(await statusesOf(world, "payments")).toEqual(["EXPIRED"]),
  },
  {
    job: "payments/reconcile-late-captures",
    seed: async (world) => {
      const { database, sandbox } = world;
      const { orderId } = await seedAbandoned(world);
      await runCleanup({ database, sandbox });
      sandbox.createPayment({ orderId });
      await database.query("UPDATE payments SET asked_at = asked_at - interval '2 hours'");
    },
    hold: { fault: { on: "GET /orders/:id/payments", hang: true } },
    left: async (world) => {
      expect(await statusesOf(world, "payments")).toEqual(["EXPIRED"]);
      expect(await rows(world, "SELECT count(*)::int FROM refunds")).toEqual([0]);
      expect(await rows(world, "SELECT count(*)::int FROM slots")).toEqual([0]);
    },
    later: ({ database }) =>
      database.query("UPDATE payments SET asked_at = asked_at - interval '2 hours'"),
    done: async (world) => {
      expect(await statusesOf(world, "payments")).toEqual(["PAID"]);
      expect(await rows(world, "SELECT count(*)::int FROM slots WHERE NOT tentative")).toEqual([1]);
    },
  },
  {
    job: "payments/process-refunds",
    database: async () => {
      const world = await createRefundWorld();
      onTestFinished(() => world.end());
      requests.set(world.database, (refund) => world.request(refund));
      return world.database;
    },
    seed: async ({ database, sandbox }) => {
      for (let each = 0; each < 2; each++) {
        const { paymentId } = await seedCaptured({ database, sandbox });
        await requests.get(database)?.({ paymentId });
      }
    },
    hold: { fault: { on: "POST /payments/:id/refund", skip: 1, hang: true, accept: true } },
    left: async (world) => {
      expect(world.sandbox.refunds()).toHaveLength(2);
      expect(await drifts(world.database)).toEqual([]);
    },
    later: ({ database }) => letTimePass(database, 2),
    done: async (world) => {
      expect(world.sandbox.refunds()).toHaveLength(2);
      expect(
        await rows(world, "SELECT count(*)::int FROM refund_legs WHERE state = 'PROCESSED'"),
      ).toEqual([2]);
      expect(await drifts(world.database)).toEqual([]);
    },
  },
  {
    job: "payments/reconcile-payments",
    seed: async ({ database, sandbox }) => {
      const { providerPaymentId: paymentId = "" } = await seedCaptured({ database, sandbox });
      sandbox.refundInDashboard({ paymentId });
    },
    hold: { locked: "SELECT 1 FROM payments FOR UPDATE" },
    left: async (world) =>
      expect(await rows(world, "SELECT count(*)::int FROM refunds")).toEqual([0]),
    done: async (world) => expect(await statusesOf(world, "refunds")).toEqual(["PROCESSED"]),
  },
  {
    job: "notifications/deliver-outbox",
    seed: ({ database }) => seedMails(database, 1),
    hold: { mail: "answer" },
    left: async (world) => {
      expect(await statusesOf(world, "outbox_mails")).toEqual(["QUEUED"]);
      expect([...takenById({ sandbox: world.mail }).values()]).toEqual(["?"]);
    },
    later: ({ database }) => letHoursPass(database),
    // Nobody can ask a mail server what it has: a mail without an answer goes out again, under the same id.
    done: async (world) => {
      expect(await statusesOf(world, "outbox_mails")).toEqual(["SENT"]);
      expect([...takenById({ sandbox: world.mail }).values()]).toEqual(["?A"]);
    },
  },
  {
    job: "notifications/tell-payees",
    seed: ({ database }) =>
      database.query(
        `WITH payee AS (
           INSERT INTO consultants (external_ref, name, email)
           SELECT 'C-' || each, 'Example Payee', 'payee' || each || '@payees.example'
           FROM generate_series(1, 2) AS each RETURNING id
         )
         INSERT INTO consultant_holds (consultant_id, kind, reason, placed_by)
         SELECT id, 'manual', 'a test', 'a test' FROM payee`,
      ),
    hold: { locked: "SELECT 1 FROM consultants FOR UPDATE" },
    left: async (world) => expect(await kindsOfMails(world)).toEqual([]),
    done: async (world) => expect(await kindsOfMails(world)).toEqual(["payee-held", "payee-held"]),
  },
  {
    job: "waitlist/process-expired-notifications",
    seed: async ({ database }) => {
      for (let each = 0; each < 2; each++) {
        const plan = await seedPlan(database, { kind: "webinar", capacity: 1 });
        await seedWaiting(database, { plan, status: "NOTIFIED", expiresInHours: -1 });
        await seedWaiting(database, { plan });
      }
    },
    hold: { locked: "SELECT 1 FROM plans FOR UPDATE" },
    left: async (world) => {
      expect(await statusesOf(world, "waitlist_entries")).toEqual([
        "NOTIFIED NOTIFIED WAITING WAITING",
      ]);
      expect(await kindsOfMails(world)).toEqual([]);
    },
    done: async (world) => {
      expect(await statusesOf(world, "waitlist_entries")).toEqual([
        "EXPIRED EXPIRED NOTIFIED NOTIFIED",
      ]);
      expect(await kindsOfMails(world)).toEqual([
        "waitlist-expired",
        "waitlist-expired",
        "waitlist-offer",
        "waitlist-offer",
      ]);
    },
  },
  {
    job: "waitlist/send-expiration-reminders",
    seed: async ({ database }) => {
      for (let each = 0; each < 2; each++) {
        const plan = await seedPlan(database, { kind: "webinar", capacity: 1 });
        await seedWaiting(database, { plan, status: "NOTIFIED", expiresInHours: 1 });
      }
    },
    hold: { locked: "SELECT 1 FROM waitlist_entries FOR UPDATE" },
    left: async (world) => expect(await kindsOfMails(world)).toEqual([]),
    done: async (world) =>
      expect(await kindsOfMails(world)).toEqual(["waitlist-reminder", "waitlist-reminder"]),
  },
];

const requests = new WeakMap<
  TestDatabase,
  Awaited<ReturnType<typeof createRefundWorld>>["request"]
>();
