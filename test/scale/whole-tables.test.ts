import { afterAll, beforeAll, expect, it } from "vitest";
import { startMailSandbox, type MailSandbox } from "../../scripts/sandbox/mail/index.ts";
import { migrate } from "../../scripts/dev/migrate/apply.ts";
import { startSandbox, type Sandbox } from "../../scripts/sandbox/razorpay/index.ts";
import { seedBooking, seedPlan, seedWaiting } from "../../scripts/dev/seed/bookings.ts";
import { seedPast } from "../../scripts/dev/seed/past.ts";
import { startPostgres, type RunningPostgres } from "../../scripts/dev/services/postgres.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { runJob, type JobEnd } from "../support/job-process.ts";
import { EXPLAIN_EVERYTHING, nodesOf, openPlanReader, type PlanNode } from "./plans-on-the-wire.ts";

const ROWS = 1_000_000;

/** Tables of which no job may read more than what it needs. */
const BIG_TABLES: ReadonlySet<string> = new Set([
  "users",
  "bookings",
  "slots",
  "released_slots",
  "payments",
  "payment_legs",
  "refunds",
  "refund_legs",
  "referral_credits",
  "waitlist_entries",
  "outbox_mails",
  "earnings",
  "audit_log",
]);

/** Due of each kind. A job may read a small multiple of it, and of what is live; never a table. */
const DUE = 5;
const MOST_ROWS = 20_000;

/** Rows are written once, indexes built once, and statistics gathered in the end. */
const FOR_BULK = {
  wal_level: "minimal",
  max_wal_senders: "0",
  autovacuum: "off",
  maintenance_work_mem: "256MB",
};

let server: RunningPostgres;
let database: TestDatabase;
let sandbox: Sandbox;
let mail: MailSandbox;
let reader: Awaited<ReturnType<typeof openPlanReader>>;

beforeAll(async () => {
  // On the disk: some gigabytes are too much for where the other tests have their databases.
  [server, sandbox, mail] = await Promise.all([
    startPostgres({ durability: "none", settings: FOR_BULK }),
    startSandbox(),
    startMailSandbox(),
  ]);
  database = await createTestDatabase({ serverUrl: server.url, template: "template0" });
  await migrate({ url: database.url });
  await seedPast(database, { rows: ROWS });
  for (const setting of EXPLAIN_EVERYTHING) {
    await database.query(`ALTER DATABASE ${database.name} SET ${setting}`);
  }
  await seedDue();
  reader = await openPlanReader(database.url);
}, 600_000);
afterAll(async () => {
  await reader.close();
  await Promise.all([sandbox.close(), mail.close()]);
  await database.drop();
  await server.stop();
});

it.each<[job: string, handled: Record<string, string>]>([
  ["waitlist/process-expired-notifications", { expired: String(DUE) }],
  ["waitlist/send-expiration-reminders", { queued: String(DUE) }],
  ["slots/cleanup-tentative-slots", { released: String(DUE) }],
  ["payments/reconcile-late-captures", { booked: String(DUE) }],
  ["payments/process-refunds", { pending: String(DUE) }],
  ["notifications/deliver-outbox", { outcome: "completed" }],
  ["payments/cancel-pending", { outcome: "completed" }],
])(`%s reads what is due out of ${ROWS.toLocaleString("en-US")} rows`, async (job, handled) => {
  reader.plans.length = 0;
  const end = await run(job);

  expect(end.outputs, end.stderr).toMatchObject({ success: "true", ...handled });
  const offences = reader.plans.flatMap(({ sql, plan }) =>
    [...nodesOf(plan)].filter(readsTooMuch).map((node) => `${describe(node)} in: ${sql}`),
  );
  expect(reader.plans.length).toBeGreaterThan(0);
  expect([...new Set(offences)]).toEqual([]);
});

/** Undefined for a node that reads no table, or a small one. */
function readsTooMuch(node: PlanNode): boolean {
  const table = node["Relation Name"];
  if (table === undefined || !BIG_TABLES.has(table)) return false;
  return node["Node Type"] === "Seq Scan" || rowsRead(node) > MOST_ROWS;
}

function rowsRead(node: PlanNode): number {
  const each =
    (node["Actual Rows"] ?? 0) +
    (node["Rows Removed by Filter"] ?? 0) +
    (node["Rows Removed by Index Recheck"] ?? 0);
  return each * (node["Actual Loops"] ?? 1);
}

function describe(node: PlanNode): string {
  return `${node["Node Type"]} on ${node["Relation Name"] ?? ""} (${rowsRead(node)} rows)`;
}

let toCancel: { paymentId: string; userId: string };

async function seedDue(): Promise<void> {
  for (let one = 0; one < DUE; one += 1) {
    const plan = await seedPlan(database, { capacity: 1 });
    await seedWaiting(database, { plan, status: "NOTIFIED", expiresInHours: -1 });
    await seedWaiting(database, { plan });
    const soon = await seedPlan(database, { capacity: 1 });
    await seedWaiting(database, { plan: soon, status: "NOTIFIED", expiresInHours: 6 });

    const talk = await seedPlan(database, { kind: "consultation" });
    const unpaid = sandbox.createOrder({ amountPaise: 100_000n });
    await seedBooking(database, {
      plan: talk,
      slotsAgedHours: 30,
      checkout: { orderId: unpaid.id },
    });

    const late = sandbox.createOrder({ amountPaise: 100_000n });
    sandbox.createPayment({ orderId: late.id, status: "captured" });
    await seedBooking(database, {
      plan: await seedPlan(database, { kind: "consultation" }),
      status: "CANCELLED",
      checkout: { status: "EXPIRED", orderId: late.id },
    });

    const order = sandbox.createOrder({ amountPaise: 100_000n });
    const captured = sandbox.createPayment({ orderId: order.id, status: "captured" });
    const paid = await seedBooking(database, {
      plan: await seedPlan(database, { kind: "consultation" }),
      status: "CONFIRMED",
      checkout: { status: "PAID", orderId: order.id, paymentId: captured.id },
    });
    await database.query(
      `WITH asked AS (
         INSERT INTO refunds (payment_id, key, amount_paise, reason, requested_by)
         VALUES ($1, $2, 100, 'a test', 'a test') RETURNING id
       )
       INSERT INTO refund_legs (refund_id, payment_leg_id, amount_paise) SELECT id, $3, 100 FROM asked`,
      [paid.paymentId, `due-${one}`, paid.legIds[0]],
    );
  }
  sandbox.addFaults({ on: "POST /payments/:id/refund", times: -1, endState: "processed" });
  const plan = await seedPlan(database, { kind: "consultation" });
  const open = await seedBooking(database, {
    plan,
    checkout: { orderId: sandbox.createOrder({ amountPaise: 100_000n }).id },
  });
  toCancel = { paymentId: open.paymentId ?? "", userId: open.userId };
}

function run(job: string): Promise<JobEnd> {
  return runJob({
    file: `jobs/${job}.ts`,
    args:
      job === "payments/cancel-pending"
        ? ["--payment-id", toCancel.paymentId, "--user-id", toCancel.userId]
        : [],
    env: {
      ...sandbox.env,
      ...mail.env,
      DATABASE_URL: reader.url,
      LOCK_STORE: "postgres",
      AFTERHOURS_ENV: database.environment,
    },
  });
}
