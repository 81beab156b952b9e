import { defaultTaxPolicy } from "../../lib/tds/index.ts";
import { randomUUID } from "node:crypto";
import pg from "pg";
import { openDatabase } from "../../lib/db/client.ts";
import { reconcileLedger } from "../../lib/ledger/reconcile/reconcile-ledger.ts";
import { postEarningsReleased } from "../../lib/ledger/post-earnings.ts";
import { processRefunds } from "../../lib/refunds/process-refunds.ts";
import type { RefundRunReport } from "../../lib/refunds/report.ts";
import type { RefundRules } from "../../lib/refunds/settings.ts";
import { createPayoutBatch } from "../../lib/payouts/batch/create-batch.ts";
import { openPayments } from "../../lib/razorpay/open-payments.ts";
import { systemClock } from "../../lib/support/clock.ts";
import { noLease, type Lease } from "../../lib/support/lease.ts";
import { silentLog, type Log } from "../../lib/support/log.ts";
import { noProgress } from "../../lib/support/progress.ts";
import type { Verdict } from "../../lib/support/verdict.ts";
import type { Sandbox } from "../../scripts/sandbox/razorpay/index.ts";
import type { TestDatabase } from "./database.ts";
import { seedPaid, type PaidBooking, type PaidSeed } from "./refund-world.ts";
import type { BatchReport } from "../../lib/payouts/batch/index.ts";
import type { PaymentProvider } from "../../lib/provider/index.ts";

export interface RefundRunOptions {
  database: Pick<TestDatabase, "url">;
  sandbox: Pick<Sandbox, "env">;
  rules?: Partial<RefundRules>;
  timeoutMs?: number;
  keySecret?: string;
  dryRun?: boolean;
  limit?: number;
  lease?: Lease;
  signal?: AbortSignal;
  runId?: string;
  log?: Log;
  refundIds?: readonly string[];
  /** Wraps the provider's client for the run. */
  wrapPayments?: (payments: PaymentProvider) => PaymentProvider;
}

export interface RefundRunResult {
  runId: string;
  verdict: Verdict;
  report: RefundRunReport;
}

/** One refund run in this process, as the job makes it: one database session, read-only in a dry run. */
export async function runRefunds(options: RefundRunOptions): Promise<RefundRunResult> {
  const { database, sandbox, dryRun = false, log = silentLog(), refundIds } = options;
  const runId = options.runId ?? randomUUID();
  const client = openPayments(
    {
      keyId: sandbox.env.RAZORPAY_KEY_ID,
      keySecret: options.keySecret ?? sandbox.env.RAZORPAY_KEY_SECRET,
      baseUrl: sandbox.env.RAZORPAY_BASE_URL,
      timeoutMs: options.timeoutMs ?? 2_000,
      requestsPerSecond: 1000,
    },
    { clock: systemClock, random: () => 0, log, dryRun },
  );
  const db = openDatabase({
    url: database.url,
    applicationName: "refund run under test",
    readOnly: dryRun,
    connections: 1,
  });
  try {
    const result = await processRefunds(
      {
        runId,
        dryRun,
        limit: options.limit,
        settings: {
          waitMs: 3_600_000,
          unknownAlarmMs: 86_400_000,
          pendingAlarmMs: 864_000_000,
          ...options.rules,
        },
        db,
        payments: options.wrapPayments?.(client) ?? client,
        lease: options.lease ?? noLease,
        clock: systemClock,
        log,
        progress: noProgress,
        signal: options.signal ?? new AbortController().signal,
      },
      refundIds === undefined ? {} : { refundIds },
    );
    return { runId, ...result };
  } finally {
    await db.close();
  }
}

/** A paid booking whose capture the provider knows as well. */
export async function seedCaptured(
  { database, sandbox }: { database: TestDatabase; sandbox: Sandbox },
  seed: PaidSeed = {},
): Promise<PaidBooking> {
  const { cardPaise = 100_000n } = seed;
  if (cardPaise === 0n) return seedPaid(database, seed);
  const order = sandbox.createOrder({ amountPaise: cardPaise });
  const payment = sandbox.createPayment({ orderId: order.id });
  return seedPaid(database, { ...seed, cardPaise, providerPaymentId: payment.id });
}

/** The consultant's earning for a booking, posted to the books. Default: ₹800 of ₹1,000. */
export async function seedEarning(
  database: Pick<TestDatabase, "url">,
  earning: {
    consultantId: string;
    reference: string;
    grossPaise?: bigint;
    platformFeePaise?: bigint;
    creditedOn?: string;
  },
): Promise<string> {
  const { consultantId, reference, grossPaise = 100_000n, platformFeePaise = 20_000n } = earning;
  const { creditedOn = "2026-06-15" } = earning;
  const id = randomUUID();
  const client = new pg.Client({ connectionString: database.url, application_name: "test seed" });
  await client.connect();
  try {
    await client.query("BEGIN");
    await client.query(
      `INSERT INTO earnings (id, consultant_id, booking_reference, credited_on, gross_paise,
                             platform_fee_paise, amount_paise)
       VALUES ($1, $2, $3, $7, $4, $5, $6)`,
      [
        id,
        consultantId,
        reference,
        grossPaise,
        platformFeePaise,
        grossPaise - platformFeePaise,
        creditedOn,
      ],
    );
    await postEarningsReleased(client, [id]);
    await client.query("COMMIT");
  } finally {
    await client.end();
  }
  return id;
}

/** The weekly batch; every payout of it is approved at once. */
export async function runBatch(
  database: Pick<TestDatabase, "url">,
  { dryRun = false }: { dryRun?: boolean } = {},
): Promise<{ verdict: Verdict; report: BatchReport }> {
  const db = openDatabase({
    url: database.url,
    applicationName: "batch under test",
    readOnly: dryRun,
    connections: 1,
  });
  try {
    return await createPayoutBatch({
      runId: randomUUID(),
      dryRun,
      limit: undefined,
      settings: {
        minimumPaise: 100n,
        smallAfterDays: 0,
        autoApprovePaise: 10_000_000n,
        settlementDays: 0,
      },
      db,
      lease: noLease,
      log: silentLog(),
      progress: noProgress,
      signal: new AbortController().signal,
    });
  } finally {
    await db.close();
  }
}

/** Codes of the checks of the books that find anything; the cash at the provider is not read here. */
export async function drifts(database: Pick<TestDatabase, "url">): Promise<string[]> {
  const db = openDatabase({
    url: database.url,
    applicationName: "reconcile under test",
    readOnly: false,
    connections: 1,
  });
  try {
    const { report } = await reconcileLedger({
      dryRun: false,
      db,
      clock: systemClock,
      log: silentLog(),
      progress: noProgress,
      signal: new AbortController().signal,
      settings: { tax: defaultTaxPolicy },
    });
    return report.checks.filter(({ count }) => count > 0).map(({ code }) => code);
  } finally {
    await db.close();
  }
}

/** The stored legs of all refunds, oldest first. */
export async function legRows(database: TestDatabase): Promise<
  {
    state: string;
    kind: string;
    provider_refund_id: string | null;
    failure_code: string | null;
    request_body: string | null;
    idempotency_key: string | null;
    claimed_by: string | null;
    sent_at: Date | null;
  }[]
> {
  return database.query(
    `SELECT leg.state::text AS state, paid.kind::text AS kind, leg.provider_refund_id, leg.failure_code,
            leg.request_body, leg.idempotency_key, leg.claimed_by, leg.sent_at
     FROM refund_legs AS leg JOIN refunds ON refunds.id = leg.refund_id
     JOIN payment_legs AS paid ON paid.id = leg.payment_leg_id
     ORDER BY refunds.created_at, paid.kind`,
  );
}

/** As if every request had been sent, and every refund asked for, so long ago. */
export async function letTimePass(database: TestDatabase, hours: number): Promise<void> {
  await database.query(
    `UPDATE refund_legs SET sent_at = sent_at - make_interval(hours => $1),
            claimed_at = claimed_at - make_interval(hours => $1)`,
    [hours],
  );
}
