import { randomUUID } from "node:crypto";
import type pg from "pg";
import { postEarningsReleased } from "../../lib/ledger/post-earnings.ts";
import type { Day } from "../../lib/support/calendar.ts";
import type { PanStatus, PayeeCategory } from "../../lib/tds/types.ts";
import { inTransaction, type TestDatabase } from "./database.ts";

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
  /** When it became due. Default: one second after the payout before it in the list, from 2026-07-01 on. */
  approvedAt?: string;
  tries?: number;
  currency?: string;
}

export interface CertificateSeed {
  /** Default: one of its own. */
  number?: string;
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
  /** Default: one of its own. */
  pan?: string;
  /** False: no tax profile at all. */
  taxProfile?: boolean;
  /** Default: a bank account of its own. Null: none. */
  account?: AccountSeed | null;
  certificates?: readonly CertificateSeed[];
  /** True: the payee of an organization. Its payouts are PENDING, created one second after the other. */
  organization?: boolean;
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
  organizationId: string | null;
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
  await inTransaction(database, (client) => world.write(client));
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

/** Each becomes due one second after the other. */
function approvalTime(index: number): string {
  return new Date(Date.UTC(2026, 6, 1) + index * 1000).toISOString();
}

type Row = readonly unknown[];

class Builder {
  readonly #consultants: Row[] = [];
  readonly #organizations: Row[] = [];
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
    const organizationId = seed.organization ? randomUUID() : null;
    if (organizationId !== null) {
      const ref = `O-${organizationId.slice(0, 8)}`;
      this.#organizations.push([
        organizationId,
        ref,
        `Example Organization ${number}`,
        consultantId,
      ]);
    }
    if (seed.taxProfile !== false) {
      const pan = panStatus === "missing" ? null : (seed.pan ?? nextPan(category));
      const aadhaar = seed.aadhaar ?? false;
      this.#profiles.push([consultantId, category, resident, panStatus, pan, aadhaar]);
    }
    for (const { number: certificateNumber, ...terms } of seed.certificates ?? []) {
      const { rateBps, from, to, ceilingPaise } = terms;
      const certificate = certificateNumber ?? `CERT-${this.#certificates.length + 1}`;
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
      this.#payout(payout, { consultantId, organizationId, accountNumber }),
    );
    return { consultantId, organizationId, payoutAccountId, account, payouts };
  }

  #payout(
    seed: PayoutSeed,
    {
      organizationId,
      ...payee
    }: Pick<SeededPayout, "consultantId" | "accountNumber"> & Pick<SeededPayee, "organizationId">,
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
    const status = seed.status ?? (organizationId === null ? "APPROVED" : "PENDING");
    const dueAt = seed.approvedAt ?? approvalTime(this.#payouts.length);
    this.#payouts.push([
      id,
      payee.consultantId,
      organizationId,
      seed.currency ?? "INR",
      text(total.grossPaise),
      text(total.amountPaise),
      status,
      seed.tries ?? 0,
      status === "APPROVED" ? dueAt : null,
      dueAt,
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
      "organizations (id, external_ref, name, payee_id)",
      ["uuid", "text", "text", "uuid"],
      this.#organizations,
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
      "payouts (id, consultant_id, organization_id, currency, gross_paise, amount_paise, status, tries, approved_at, created_at)",
      [
        "uuid",
        "uuid",
        "uuid",
        "text",
        "bigint",
        "bigint",
        "payout_status",
        "int",
        "timestamptz",
        "timestamptz",
      ],
      this.#payouts,
    );
    await insert(
      "payout_items (payout_id, earning_id, gross_paise, amount_paise)",
      ["uuid", "uuid", "bigint", "bigint"],
      this.#items,
    );
  }
}

/** The fourth letter of a PAN names the type of its holder. */
const PAN_LETTER: Record<PayeeCategory, string> = {
  individual: "P",
  huf: "H",
  company: "C",
  firm: "F",
  other: "A",
};

let pans = 0;

/** A made-up PAN that no other payee has: an equal PAN means the same person for the tax. */
export function nextPan(category: PayeeCategory): string {
  const number = pans++;
  const letter = (index: number): string => String.fromCharCode(65 + (index % 26));
  const digits = String(number % 10_000).padStart(4, "0");
  const rest = Math.floor(number / 10_000);
  return `ZZZ${PAN_LETTER[category]}${letter(Math.floor(rest / 26))}${digits}${letter(rest)}`;
}

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
