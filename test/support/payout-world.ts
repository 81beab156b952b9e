import { randomUUID } from "node:crypto";
import pg from "pg";
import type { Sandbox } from "../../scripts/sandbox/index.ts";
import { createPrisma } from "../../lib/db/prisma.ts";
import { postEarningsReleased } from "../../lib/ledger/post-earnings.ts";
import type { PayoutCaps, PayoutRunReport, PayoutSettings } from "../../lib/payouts/index.ts";
import { processPayouts } from "../../lib/payouts/process-payouts.ts";
import type { RazorpayX, RazorpayXSettings } from "../../lib/razorpay/index.ts";
import { openGateway } from "../../lib/razorpay/open-gateway.ts";
import type { Day } from "../../lib/support/calendar.ts";
import { systemClock } from "../../lib/support/clock.ts";
import { noLease, type Lease } from "../../lib/support/lease.ts";
import { silentLog, type Log } from "../../lib/support/log.ts";
import { noProgress } from "../../lib/support/progress.ts";
import type { Verdict } from "../../lib/support/verdict.ts";
import { defaultTaxPolicy, type TaxPolicy } from "../../lib/tds/index.ts";
import type { PanStatus, PayeeCategory } from "../../lib/tds/types.ts";
import type { TestDatabase } from "./database.ts";

export { checkMoneyInvariants } from "./money-invariants.ts";

// Seeding ----------------------------------------------------------------------------------------

export type AccountSeed =
  { kind: "bank_account"; ifsc: string; accountNumber: string } | { kind: "vpa"; vpa: string };

export interface EarningSeed {
  /** Default 2026-06-15. */
  creditedOn?: Day;
  /** Default ₹1,000. */
  grossPaise?: bigint;
  /** Default a tenth of the gross. */
  platformFeePaise?: bigint;
}

export interface PayoutSeed {
  /** Default: one earning with its defaults. */
  earnings?: readonly EarningSeed[];
  status?: "APPROVED" | "PENDING";
  /** Default: one second after the payout before it in the list, from 2026-07-01 on. */
  approvedAt?: string;
  tries?: number;
  currency?: string;
}

export interface CertificateSeed {
  rateBps: number;
  from: Day;
  to: Day;
  ceilingPaise: bigint;
}

export interface PayeeSeed {
  name?: string;
  /** Default `individual`. */
  category?: PayeeCategory;
  /** Default true. */
  resident?: boolean;
  /** Default `valid`. */
  panStatus?: PanStatus;
  aadhaar?: boolean;
  /** False: no tax profile at all. */
  taxProfile?: boolean;
  /** Default: a bank account of its own. Null: none. */
  account?: AccountSeed | null;
  certificates?: readonly CertificateSeed[];
  /** Default: one payout with its defaults. */
  payouts?: readonly PayoutSeed[];
}

export interface SeededPayout {
  id: string;
  consultantId: string;
  earningIds: readonly string[];
  /** Tax base. */
  grossPaise: bigint;
  /** Owed before tax. */
  amountPaise: bigint;
  /** The payee's, for `match` in a fault of the sandbox; undefined for a VPA. */
  accountNumber: string | undefined;
}

export interface SeededPayee {
  consultantId: string;
  payoutAccountId: string | undefined;
  account: AccountSeed | null;
  payouts: readonly SeededPayout[];
}

/**
 * Inserts payees with tax profiles, accounts, earnings (posted to the ledger as owed) and payouts,
 * set by set, so that thousands take about a second. Payouts become due in the order of the list:
 * first payee's first payout, and so on.
 */
export async function seedPayees(
  database: Pick<TestDatabase, "url">,
  seeds: readonly PayeeSeed[],
): Promise<SeededPayee[]> {
  const world = new Builder();
  const payees = seeds.map((seed) => world.payee(seed));
  const client = new pg.Client({ connectionString: database.url, application_name: "test seed" });
  await client.connect();
  try {
    await client.query("BEGIN");
    await world.write(client);
    await client.query("COMMIT");
  } finally {
    await client.end();
  }
  return payees;
}

/** One payee, and the payouts of it. */
export async function seedPayee(
  database: Pick<TestDatabase, "url">,
  seed: PayeeSeed = {},
): Promise<SeededPayee> {
  const [payee] = await seedPayees(database, [seed]);
  if (!payee) throw new Error("the payee was not seeded");
  return payee;
}

/**
 * `count` approved payouts, oldest first in the answer, spread evenly over `payees` (default: one payee
 * for each payout). `grossPaise` is for each earning, in the order of payouts; default ₹1,000 and one
 * rupee more for each further payout, so that amounts differ.
 */
export async function seedApprovedPayouts(
  database: Pick<TestDatabase, "url">,
  options: {
    count: number;
    payees?: number;
    earningsEach?: number;
    grossPaise?: (index: number) => bigint;
    creditedOn?: Day;
    payee?: Omit<PayeeSeed, "payouts" | "account">;
  },
): Promise<SeededPayout[]> {
  const { count, payees = count, earningsEach = 1, payee = {} } = options;
  const grossPaise = options.grossPaise ?? ((index) => 1_000_00n + BigInt(index) * 100n);
  const payouts: PayoutSeed[][] = Array.from({ length: Math.min(payees, count) }, () => []);
  for (let index = 0; index < count; index++) {
    payouts[index % payouts.length]?.push({
      earnings: Array.from({ length: earningsEach }, () => ({
        grossPaise: grossPaise(index),
        ...(options.creditedOn ? { creditedOn: options.creditedOn } : {}),
      })),
      approvedAt: approvalTime(index),
    });
  }
  const seeded = await seedPayees(
    database,
    payouts.map((own) => ({ ...payee, payouts: own })),
  );
  return Array.from({ length: count }, (_, index) => {
    const payout = seeded[index % seeded.length]?.payouts[Math.floor(index / seeded.length)];
    if (!payout) throw new Error(`payout ${index} was not seeded`);
    return payout;
  });
}

// Running ----------------------------------------------------------------------------------------

export interface RunOptions {
  database: Pick<TestDatabase, "url">;
  sandbox: Pick<Sandbox, "env">;
  caps?: Partial<PayoutCaps>;
  tax?: Partial<TaxPolicy>;
  razorpayX?: Partial<RazorpayXSettings>;
  dryRun?: boolean;
  limit?: number;
  lease?: Lease;
  signal?: AbortSignal;
  runId?: string;
  log?: Log;
  /** Stands between the run and the provider's client. */
  wrapGateway?: (gateway: RazorpayX) => RazorpayX;
}

export interface RunResult {
  runId: string;
  verdict: Verdict;
  report: PayoutRunReport;
}

/** Shown in `pg_stat_activity` for the session of `runPayouts`. */
export const RUN_APPLICATION_NAME = "payout run under test";

/**
 * One payout run in this process, as the job makes it: one database session, read-only in a dry run.
 * A call times out after 300 ms, up to 1,000 are sent a second, and waits between repeats are zero.
 */
export async function runPayouts(options: RunOptions): Promise<RunResult> {
  const { database, dryRun = false, lease = noLease, log = silentLog() } = options;
  const runId = options.runId ?? randomUUID();
  const settings = settingsFor(options);
  const gateway = openGateway(settings.razorpayX, {
    clock: systemClock,
    random: () => 0,
    log,
    dryRun,
  });
  const db = createPrisma({
    url: database.url,
    applicationName: RUN_APPLICATION_NAME,
    readOnly: dryRun,
    connections: 1,
  });
  try {
    const { verdict, report } = await processPayouts({
      runId,
      dryRun,
      limit: options.limit,
      settings,
      db,
      gateway: options.wrapGateway?.(gateway) ?? gateway,
      lease,
      clock: systemClock,
      log,
      progress: noProgress,
      signal: options.signal ?? new AbortController().signal,
    });
    return { runId, verdict, report };
  } finally {
    await db.$disconnect();
  }
}

/** The settings of `runPayouts`. */
export function settingsFor(
  options: Pick<RunOptions, "sandbox" | "caps" | "tax" | "razorpayX">,
): PayoutSettings {
  const { env } = options.sandbox;
  return {
    razorpayX: {
      keyId: env.RAZORPAYX_KEY_ID,
      keySecret: env.RAZORPAYX_KEY_SECRET,
      accountNumber: env.RAZORPAYX_ACCOUNT_NUMBER,
      baseUrl: env.RAZORPAY_BASE_URL,
      timeoutMs: 300,
      requestsPerSecond: 1000,
      ...options.razorpayX,
    },
    caps: {
      singlePaise: 10_00_000_00n,
      runPaise: 5_00_00_000_00n,
      runCount: 10_000,
      ...options.caps,
    },
    tax: { ...defaultTaxPolicy, ...options.tax },
    narration: "Consultant payout",
  };
}

/** The real job file, to be run as a process of its own: `runScript(PAYOUT_JOB, { env: jobEnv(…) })`. */
export const PAYOUT_JOB = "jobs/payouts/process-payouts.ts";

/**
 * The environment for `PAYOUT_JOB`. Locks of one database are apart from those of another, also where
 * they share one Redis. With `lockStore: "redis"` its URL is needed.
 */
export function jobEnv(options: {
  database: Pick<TestDatabase, "url" | "name">;
  sandbox: Pick<Sandbox, "env">;
  lockStore: "postgres" | "redis" | "off";
  redisUrl?: string;
}): Record<string, string> {
  const { database, sandbox, lockStore, redisUrl } = options;
  return {
    DATABASE_URL: database.url,
    LOCK_STORE: lockStore,
    AFTERHOURS_ENV: database.name,
    RAZORPAY_TIMEOUT_MS: "5000",
    RAZORPAY_REQUESTS_PER_SECOND: "100",
    ...(redisUrl === undefined ? {} : { REDIS_URL: redisUrl }),
    ...sandbox.env,
  };
}

// Building rows ----------------------------------------------------------------------------------

/** Each becomes due one second after the other. */
function approvalTime(index: number): string {
  return new Date(Date.UTC(2026, 6, 1) + index * 1000).toISOString();
}

type Row = readonly unknown[];

class Builder {
  readonly #consultants: Row[] = [];
  readonly #profiles: Row[] = [];
  readonly #accounts: Row[] = [];
  readonly #certificates: Row[] = [];
  readonly #earnings: Row[] = [];
  readonly #payouts: Row[] = [];
  readonly #items: Row[] = [];

  payee(seed: PayeeSeed): SeededPayee {
    const number = this.#consultants.length + 1;
    const consultantId = randomUUID();
    const { category = "individual", resident = true, panStatus = "valid" } = seed;
    const name = seed.name ?? `Example Payee ${number}`;
    this.#consultants.push([consultantId, `C-${consultantId.slice(0, 8)}-${number}`, name]);
    if (seed.taxProfile !== false) {
      const pan = panStatus === "missing" ? null : `ZZZ${PAN_LETTER[category]}Z0000Z`;
      const aadhaar = seed.aadhaar ?? false;
      this.#profiles.push([consultantId, category, resident, panStatus, pan, aadhaar]);
    }
    for (const { rateBps, from, to, ceilingPaise } of seed.certificates ?? []) {
      const certificate = `CERT-${this.#certificates.length + 1}`;
      this.#certificates.push([consultantId, certificate, rateBps, from, to, text(ceilingPaise)]);
    }

    const account = seed.account === undefined ? bankAccount() : seed.account;
    const payoutAccountId = account ? randomUUID() : undefined;
    if (account) {
      const isVpa = account.kind === "vpa";
      const bank = isVpa ? [null, null] : [account.ifsc, account.accountNumber];
      const vpa = isVpa ? account.vpa : null;
      this.#accounts.push([payoutAccountId, consultantId, account.kind, ...bank, vpa]);
    }
    const accountNumber = account?.kind === "bank_account" ? account.accountNumber : undefined;
    const payouts = (seed.payouts ?? [{}]).map((payout) =>
      this.#payout(payout, { consultantId, accountNumber }),
    );
    return { consultantId, payoutAccountId, account, payouts };
  }

  #payout(
    seed: PayoutSeed,
    payee: Pick<SeededPayout, "consultantId" | "accountNumber">,
  ): SeededPayout {
    const id = randomUUID();
    const earningIds: string[] = [];
    const total = { grossPaise: 0n, amountPaise: 0n };
    for (const earning of seed.earnings ?? [{}]) {
      const { creditedOn = "2026-06-15", grossPaise = 1_000_00n } = earning;
      const feePaise = earning.platformFeePaise ?? grossPaise / 10n;
      const amountPaise = grossPaise - feePaise;
      const earningId = randomUUID();
      earningIds.push(earningId);
      total.grossPaise += grossPaise;
      total.amountPaise += amountPaise;
      const amounts = [text(grossPaise), text(feePaise), text(amountPaise)];
      this.#earnings.push([
        earningId,
        payee.consultantId,
        `BK-${earningId}`,
        creditedOn,
        ...amounts,
      ]);
      this.#items.push([id, earningId, text(grossPaise), text(amountPaise)]);
    }
    const status = seed.status ?? "APPROVED";
    const approvedAt =
      status === "APPROVED" ? (seed.approvedAt ?? approvalTime(this.#payouts.length)) : null;
    this.#payouts.push([
      id,
      payee.consultantId,
      seed.currency ?? "INR",
      text(total.grossPaise),
      text(total.amountPaise),
      status,
      seed.tries ?? 0,
      approvedAt,
    ]);
    return { id, ...payee, ...total, earningIds };
  }

  async write(client: pg.Client): Promise<void> {
    const insert = (into: string, types: readonly string[], rows: readonly Row[]) =>
      client.query(
        `INSERT INTO ${into} SELECT * FROM unnest(${types.map((type, index) => `$${index + 1}::${type}[]`).join(", ")})`,
        types.map((_, column) => rows.map((row) => row[column])),
      );
    await insert(
      "consultants (id, external_ref, name)",
      ["uuid", "text", "text"],
      this.#consultants,
    );
    await insert(
      "tax_profiles (consultant_id, category, resident, pan_status, pan, aadhaar)",
      ["uuid", "payee_category", "boolean", "pan_status", "text", "boolean"],
      this.#profiles,
    );
    await insert(
      "payout_accounts (id, consultant_id, kind, ifsc, account_number, vpa)",
      ["uuid", "uuid", "payout_account_kind", "text", "text", "text"],
      this.#accounts,
    );
    await insert(
      "lower_deduction_certificates (consultant_id, number, rate_bps, valid_from, valid_to, ceiling_paise)",
      ["uuid", "text", "int", "date", "date", "bigint"],
      this.#certificates,
    );
    await insert(
      "earnings (id, consultant_id, booking_reference, credited_on, gross_paise, platform_fee_paise, amount_paise)",
      ["uuid", "uuid", "text", "date", "bigint", "bigint", "bigint"],
      this.#earnings,
    );
    await postEarningsReleased(
      client,
      this.#earnings.map(([id]) => String(id)),
    );
    await client.query("UPDATE earnings SET status = 'LINKED' WHERE id = ANY ($1::uuid[])", [
      this.#items.map(([, earningId]) => earningId),
    ]);
    await insert(
      "payouts (id, consultant_id, currency, gross_paise, amount_paise, status, tries, approved_at)",
      ["uuid", "uuid", "text", "bigint", "bigint", "payout_status", "int", "timestamptz"],
      this.#payouts,
    );
    await insert(
      "payout_items (payout_id, earning_id, gross_paise, amount_paise)",
      ["uuid", "uuid", "bigint", "bigint"],
      this.#items,
    );
  }
}

/** The fourth letter of a PAN says what its holder is. */
const PAN_LETTER: Record<PayeeCategory, string> = {
  individual: "P",
  huf: "H",
  company: "C",
  firm: "F",
  other: "A",
};

/** A made-up account number that no other payee has. */
function bankAccount(): AccountSeed {
  const digits = BigInt(`0x${randomUUID().slice(0, 8)}`)
    .toString()
    .padStart(10, "0");
  return { kind: "bank_account", ifsc: "HDFC0001220", accountNumber: `99${digits}` };
}

function text(paise: bigint): string {
  return paise.toString();
}
