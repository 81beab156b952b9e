import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { jobs } from "../../jobs/registry.ts";
import {
  seedMarketplace,
  type SeededMarketplace,
} from "../../scripts/dev/demo/marketplace/seed.ts";
import { startMailSandbox, type MailSandbox } from "../../scripts/sandbox/mail/index.ts";
import { startSandbox, type Sandbox } from "../../scripts/sandbox/razorpay/index.ts";
import { seedBooking, seedPlan, seedUser, seedWaiting } from "../../scripts/dev/seed/bookings.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { runJob, type JobEnd } from "../support/job-process.ts";
import { seedMails } from "../support/mail.ts";
import { seedFinding, seedOldMail, seedRun } from "../support/ops.ts";
import { seedPayees } from "../support/payout-seed.ts";
import { jobEnv } from "../support/payout-world.ts";
import { seedEarning } from "../support/refund-run.ts";
import { createLogins, type Login, type Logins } from "../support/roles.ts";
import { grantedRights, recordRights, usedRights } from "../support/used-rights.ts";
import { runScript } from "../support/run-script.ts";

let database: TestDatabase;
let logins: Logins;
let sandbox: Sandbox;
let mail: MailSandbox;
let job: Login;
let reader: Login;
let marketplace: SeededMarketplace;

beforeAll(async () => {
  database = await createTestDatabase();
  logins = await createLogins(database);
  job = await logins.login("afterhours_jobs");
  reader = await logins.login("afterhours_readonly");
  sandbox = await startSandbox();
  mail = await startMailSandbox();
  await recordRights(database);
});
afterAll(async () => {
  await mail.close();
  await sandbox.close();
  await logins.drop();
  await database.drop();
});

/** A run of one night: what there is to do, how it ends, and that it was done. */
interface Run {
  job: string;
  /** Told apart where a job runs twice. */
  of: string;
  seed?: () => unknown;
  flags?: () => string[];
  /** Default: completed. */
  ends?: { exitCode: number; outputs: Record<string, string> };
  /** Of the dry run before it. Default: completed. */
  plans?: { exitCode: number; outputs: Record<string, string> };
  done: () => unknown;
}

const LOST_RUN = "a process that died";

const night: readonly Run[] = [
  {
    job: "payouts/create-payout-batch",
    of: "a consultant who owes something of a refunded sale",
    seed: async () => {
      const [payee] = await seedPayees(database, [{ payouts: [] }]);
      const consultantId = payee?.consultantId ?? "";
      const earningId = await seedEarning(database, { consultantId, reference: "sold-1" });
      await seedEarning(database, { consultantId, reference: "sold-2" });
      await database.query(
        `INSERT INTO earning_recoveries (consultant_id, earning_id, key, gross_paise, amount_paise)
         VALUES ($1, $2, 'owed', 10000, 8000)`,
        [consultantId, earningId],
      );
    },
    done: async () =>
      expect(await rows("SELECT status::text, amount_paise::int FROM payouts")).toEqual([
        { status: "APPROVED", amount_paise: 152_000 },
      ]),
  },
  {
    job: "payouts/process-payouts",
    of: "payees of whom one is refused, one is never answered and one is in flight",
    seed: async () => {
      const payee = (grossPaise: bigint) => ({ payouts: [{ earnings: [{ grossPaise }] }] });
      await seedPayees(database, [
        ...[200_000n, 300_000n, 400_000n, 500_000n].map(payee),
        { organization: true, ...payee(600_000n) },
      ]);
      const on = "POST /payouts" as const;
      sandbox.addFaults([
        { on, match: { amount: 180_000 }, status: 400, error: { reason: "bank_account_closed" } },
        { on, match: { amount: 270_000 }, dropAfter: true },
        { on, match: { amount: 360_000 }, endState: "processing" },
      ]);
    },
    ends: { exitCode: 1, outputs: { outcome: "partial" } },
    done: async () =>
      expect(await statuses("payouts")).toEqual(
        "COMPLETED COMPLETED COMPLETED FAILED PROCESSING PROCESSING",
      ),
  },
  {
    job: "payouts/handle-stuck-payouts",
    of: "the one that was never answered",
    done: async () =>
      expect(await statuses("payouts")).toEqual(
        "COMPLETED COMPLETED COMPLETED COMPLETED FAILED PROCESSING",
      ),
  },
  {
    job: "payouts/reconcile-payout-status",
    of: "one that was paid since, and one whose money came back",
    seed: () => {
      const of = (paise: number): string =>
        sandbox.payouts().find(({ amount }) => amount === paise)?.id ?? "";
      sandbox.movePayout(of(360_000), { status: "processed" });
      sandbox.movePayout(of(450_000), { status: "reversed" });
    },
    done: async () => {
      expect(await statuses("payouts")).toEqual(
        "COMPLETED COMPLETED COMPLETED COMPLETED FAILED REVERSED",
      );
      expect(await rows("SELECT 1 FROM provider_days LIMIT 1")).toHaveLength(1);
    },
  },
  {
    job: "payments/cancel-pending",
    of: "a buyer who has thought better of it",
    seed: async () => {
      marketplace = await seedMarketplace(database.url, sandbox);
      const { url } = await logins.login("afterhours_operators");
      for (const { paymentId, amount, reason } of marketplace.toRefund) {
        const refund = await runScript("scripts/cli/payments.ts", {
          args: ["refund", paymentId, "--amount", amount, "--reason", reason, "--by", "Asha"],
          env: { DATABASE_URL: url },
        });
        expect(refund, refund.stderr).toMatchObject({ exitCode: 0 });
      }
    },
    flags: () => [
      ...["--payment-id", marketplace.toCancel.paymentId],
      ...["--user-id", marketplace.toCancel.userId],
    ],
    done: async () =>
      expect(
        await rows(
          `SELECT status::text FROM payments WHERE id = '${marketplace.toCancel.paymentId}'`,
        ),
      ).toEqual([{ status: "EXPIRED" }]),
  },
  {
    job: "slots/cleanup-tentative-slots",
    of: "abandoned checkouts",
    done: async () => {
      expect(await rows("SELECT 1 FROM released_slots")).not.toEqual([]);
      expect(await rows("SELECT 1 FROM wallet_accounts WHERE balance_paise = 500000")).toHaveLength(
        1,
      );
    },
  },
  {
    job: "payments/reconcile-late-captures",
    of: "payments that came too late, and an order that was paid twice",
    seed: async () => {
      const { id: orderId } = sandbox.createOrder({ amountPaise: 100_000n });
      sandbox.createPayment({ orderId });
      const plan = await seedPlan(database, { kind: "consultation" });
      // Of another payment of this order we know already.
      const checkout = { status: "EXPIRED", orderId, paymentId: "pay_first" } as const;
      await seedBooking(database, { plan, status: "CANCELLED", checkout });
    },
    done: async () => {
      expect(await rows("SELECT 1 FROM payments WHERE provider_order_id IS NULL")).toHaveLength(1);
      expect(await rows("SELECT 1 FROM slots WHERE NOT tentative")).not.toEqual([]);
      expect(await statuses("refunds")).toContain("PENDING");
    },
  },
  {
    job: "payments/process-refunds",
    of: "what was asked for",
    done: () => {
      expect(sandbox.refunds().length).toBeGreaterThan(1);
    },
  },
  {
    job: "payments/process-refunds",
    of: "what the provider had not finished",
    done: async () => {
      expect(await statuses("refunds")).toMatch(/^(PROCESSED ?)+$/);
      expect(await rows("SELECT 1 FROM earning_recoveries WHERE key <> 'owed'")).toHaveLength(1);
    },
  },
  {
    job: "payments/reconcile-payments",
    of: "a refund of the dashboard, and a dispute",
    seed: async () => {
      for (const at of [1, 2]) {
        const { id: orderId } = sandbox.createOrder({ amountPaise: 100_000n });
        const { id: paymentId } = sandbox.createPayment({ orderId });
        const plan = await seedPlan(database, { kind: "consultation" });
        const checkout = { status: "PAID", orderId, paymentId } as const;
        await seedBooking(database, { plan, status: "CONFIRMED", checkout });
        if (at === 1) sandbox.refundInDashboard({ paymentId });
        else sandbox.createDispute({ paymentId });
      }
    },
    ends: { exitCode: 1, outputs: { outcome: "failed", reason: "payments-disputed" } },
    done: async () => {
      expect(await rows("SELECT 1 FROM refunds WHERE requested_by = 'provider'")).toHaveLength(1);
      expect(await rows("SELECT 1 FROM consultant_holds WHERE released_at IS NULL")).toHaveLength(
        1,
      );
    },
  },
  {
    job: "payments/reconcile-payments",
    of: "a dispute that is lost",
    seed: async () => {
      for (const { id } of sandbox.disputes()) sandbox.moveDispute(id, { status: "lost" });
      await database.query(
        "UPDATE findings SET resolved_at = now(), resolved_by = 'a test', resolution = 'seen' WHERE resolved_at IS NULL AND kind = 'payment-disputed'",
      );
    },
    ends: { exitCode: 1, outputs: { outcome: "failed", reason: "payments-disputed" } },
    done: async () => {
      expect(await rows("SELECT 1 FROM refunds WHERE requested_by = 'provider'")).toHaveLength(2);
      expect(await rows("SELECT 1 FROM consultant_holds WHERE released_at IS NULL")).toEqual([]);
    },
  },
  {
    job: "waitlist/process-expired-notifications",
    of: "offers whose time has passed",
    done: async () => expect(await statuses("waitlist_entries")).toMatch(/EXPIRED.*NOTIFIED/),
  },
  {
    job: "waitlist/send-expiration-reminders",
    of: "an offer that ends soon",
    done: async () => expect(await templates()).toContain("waitlist-reminder"),
  },
  {
    job: "notifications/tell-payees",
    of: "payouts that were paid",
    seed: () => database.query("UPDATE consultants SET email = external_ref || '@payees.example'"),
    done: async () => expect(await templates()).toContain("payout-paid"),
  },
  {
    job: "notifications/deliver-outbox",
    of: "mail, of which the server refuses one for now, and a payee whose account was refused",
    seed: async () => {
      await database.query("UPDATE consultants SET email = external_ref || '@payees.example'");
      await seedMails(database, 2);
      mail.behave({ at: "recipient", do: { refuse: 450 } });
    },
    done: async () => {
      expect(await statuses("outbox_mails")).toMatch(/^QUEUED SENT/);
      expect(await templates()).toContain("account-refused");
    },
  },
  {
    job: "ledger/reconcile-ledger",
    of: "books in order",
    done: async () =>
      expect(
        await rows("SELECT outcome, exit_code FROM job_runs WHERE job = 'ledger/reconcile-ledger'"),
      ).toEqual([{ outcome: "completed", exit_code: 0 }]),
  },
  {
    job: "ops/watchdog",
    of: "a run that was lost",
    seed: () =>
      seedRun(database, { job: "ops/prune", owner: LOST_RUN, outcome: null, hoursAgo: 48 }),
    plans: { exitCode: 1, outputs: { outcome: "failed", reason: "jobs-missed" } },
    ends: { exitCode: 1, outputs: { outcome: "failed", reason: "jobs-missed" } },
    done: async () =>
      expect(await rows(`SELECT outcome FROM job_runs WHERE owner = '${LOST_RUN}'`)).toEqual([
        { outcome: "lost" },
      ]),
  },
  {
    job: "ops/prune",
    of: "what is past its limit",
    seed: async () => {
      await seedRun(database, { hoursAgo: 500 * 24, outcome: "failed" });
      const userId = await seedUser(database, {});
      await seedOldMail(database, { key: "old", userId, status: "SENT", daysAgo: 100 });
      await seedFinding(database, { subjectId: "old", resolvedDaysAgo: 500, seenDaysAgo: 500 });
    },
    done: async () =>
      expect(
        await rows(`SELECT 1 FROM outbox_mails WHERE key = 'old'
                    UNION ALL SELECT 1 FROM findings WHERE subject_id = 'old'
                    UNION ALL SELECT 1 FROM job_runs WHERE started_at < now() - interval '1 year'`),
      ).toEqual([]),
  },
];

const rows = (sql: string): Promise<Record<string, unknown>[]> => database.query(sql);

async function statuses(table: string): Promise<string> {
  const [row] = await database.query<{ all: string }>(
    `SELECT COALESCE(string_agg(status::text, ' ' ORDER BY status::text), '') AS all FROM ${table}`,
  );
  return row?.all ?? "";
}

async function templates(): Promise<string[]> {
  const all = await database.query<{ template: string }>("SELECT template FROM outbox_mails");
  return all.map(({ template }) => template);
}

function run({ job: name, flags }: Run, login: Login, args: string[]): Promise<JobEnd> {
  return runJob({
    file: `jobs/${name}.ts`,
    args: [...(flags?.() ?? []), ...args],
    env: {
      ...jobEnv({ database: { ...database, url: login.url }, sandbox, lockStore: "postgres" }),
      ...mail.env,
      MAIL_REFUSED_ACCOUNTS: "yes",
      MAIL_PAID_SINCE: "2026-01-01",
    },
  });
}

const COMPLETED = { exitCode: 0, outputs: { outcome: "completed" } };

describe("a night of all jobs", () => {
  it("has every job of the registry", () => {
    const inNight = new Set(night.map(({ job: name }) => name));
    expect(jobs.map(({ name }) => name).filter((name) => !inNight.has(name))).toEqual([]);
  });

  it.each(night.map((each) => [each.job, each.of, each] as const))(
    "%s plans as the read-only role and works as the role of jobs: %s",
    async (_, __, each) => {
      await each.seed?.();
      const before = await usedRights(database, job);
      const plan = await run(each, reader, ["--dry-run"]);
      expect(plan, plan.stdout + plan.stderr).toMatchObject(each.plans ?? COMPLETED);
      expect(plan.outputs["dry_run"]).toBe("true");
      expect(await usedRights(database, reader)).toEqual([]);
      expect(await usedRights(database, job)).toEqual(before);

      const real = await run(each, job, []);
      expect(real, real.stdout + real.stderr).toMatchObject(each.ends ?? COMPLETED);
      for (const { stdout, stderr } of [plan, real])
        expect(stdout + stderr).not.toMatch(/permission denied|42501/);
      await each.done();
    },
  );

  // Of these the row is locked, for which PostgreSQL wants the right to update some column.
  it("uses every right to write that the role of jobs has, but two that are for a lock", async () => {
    const used = new Set(await usedRights(database, job));
    const unused = (await grantedRights(database, "afterhours_jobs")).filter(
      (right) => !used.has(right),
    );
    expect(unused).toEqual(["UPDATE payee_locks.touched_at", "UPDATE tax_profiles.updated_at"]);
  });
});

describe("a job whose login lacks a right", () => {
  const prune = (login: Login): Promise<JobEnd> =>
    runJob({ file: "jobs/ops/prune.ts", env: { DATABASE_URL: login.url } });

  it.each(["jobs/payouts/process-payouts.ts", "jobs/ops/prune.ts"])(
    "of any kind is red at once, and names the login and prisma/roles.sql (%s)",
    async (file) => {
      const bare = await logins.login(null);
      const env = jobEnv({
        database: { ...database, url: bare.url },
        sandbox,
        lockStore: "postgres",
      });
      const end = await runJob({ file, env });
      expect(end, end.stderr).toMatchObject({
        exitCode: 1,
        outputs: { outcome: "failed", reason: "db-permission-denied" },
      });
      expect(end.stdout).toContain(`role "${bare.name}": permission denied for table maintenance`);
      expect(end.stdout).toContain("prisma/roles.sql");
    },
  );

  it("since it is one for dry runs says that it takes no writes", async () => {
    const end = await prune(reader);
    expect(end.outputs, end.stderr).toMatchObject({ outcome: "failed", reason: "db-read-only" });
    expect(end.stdout).toContain("one for dry runs");
  });

  it("for one table, as after a migration, ends at the first row that needs it", async () => {
    await database.query("REVOKE UPDATE ON waitlist_entries FROM afterhours_jobs");
    for (let each = 0; each < 2; each++) {
      const plan = await seedPlan(database, { kind: "webinar", capacity: 1 });
      await seedWaiting(database, { plan, status: "NOTIFIED", expiresInHours: -1 });
    }
    const file = "jobs/waitlist/process-expired-notifications.ts";
    const end = await runJob({ file, env: { DATABASE_URL: job.url } });
    expect(end.outputs, end.stderr).toMatchObject({
      outcome: "failed",
      reason: "db-permission-denied",
      failed: "0",
    });
    expect(end.stdout).toContain("permission denied for table waitlist_entries");
    expect(end.stdout).toContain("npm run db:roles");
  });
});
