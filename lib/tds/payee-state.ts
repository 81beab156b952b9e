import type { DbSession } from "../db/client.ts";
import { fiscalYearOf, requireDay, type Day } from "../support/calendar.ts";
import type { Paise } from "../support/money.ts";
import { emptyYear, type PayeeProfile, type YearTotals } from "./assess-credits.ts";
import { readTaxpayers } from "./taxpayer.ts";
import type { Certificate, PanStatus, PayeeCategory } from "./types.ts";

/** One earning that a payout pays, as the tax engine needs it. */
export interface CreditedEarning {
  earningId: string;
  creditedOn: Day;
  grossPaise: Paise;
  amountPaise: Paise;
}

/** The stored facts that decide a payee's tax: those of all consultants with the same PAN. */
export interface PayeeTaxState {
  /** Equal for consultants with one PAN. */
  taxpayerId: string;
  profile: PayeeProfile;
  years: readonly YearTotals[];
}

/** A payee, and the credits of the payout that is to be taxed. */
export interface PayeeCredits {
  consultantId: string;
  credits: readonly CreditedEarning[];
}

/** As `readPayeeTaxStates`, for one payee. */
export async function readPayeeTaxState(
  tx: DbSession,
  { lock, ...payee }: PayeeCredits & { lock: boolean },
): Promise<PayeeTaxState | undefined> {
  const states = await readPayeeTaxStates(tx, { payees: [payee], lock });
  return states.get(payee.consultantId);
}

/**
 * Reads the facts that decide the tax of payees, each named once. The taxed person is the PAN: totals and
 * certificates are those of all consultants who have it. With `lock`, the rows of all their profiles stay locked
 * until the transaction ends. Two payouts of one person are then assessed one after the other, and the second
 * counts the first. Rows are locked in the order of consultants, so that no two transactions wait for each
 * other.
 *
 * A payee without a tax profile is not in the answer.
 */
export async function readPayeeTaxStates(
  tx: DbSession,
  { payees, lock }: { payees: readonly PayeeCredits[]; lock: boolean },
): Promise<Map<string, PayeeTaxState>> {
  const people = await readTaxpayerProfiles(tx, {
    consultantIds: payees.map(({ consultantId }) => consultantId),
    lock,
  });
  const everybody = [...new Set([...people.values()].flatMap(({ members }) => members))];
  const fiscalYears = [...new Set(payees.flatMap(yearsOf))];
  const totals = await readTotals(tx, everybody, fiscalYears);

  const states = new Map<string, PayeeTaxState>();
  for (const payee of payees) {
    const person = people.get(payee.consultantId);
    if (!person) continue;
    const { members, profile, certificateIds } = person;
    states.set(payee.consultantId, {
      taxpayerId: members[0] ?? payee.consultantId,
      profile,
      years: yearTotals(yearsOf(payee), {
        sums: members.flatMap((id) => totals.sums.get(id) ?? []),
        carried: members.flatMap((id) => totals.carried.get(id) ?? []),
        certificateIds,
      }),
    });
  }
  return states;
}

/** The facts that decide the tax of a person, apart from the year's totals. */
export interface TaxpayerProfile {
  /** All consultants that are the person, in the order of their ids. */
  members: readonly string[];
  profile: PayeeProfile;
  /** By the id of each record of a certificate, the id under which its use counts. */
  certificateIds: ReadonlyMap<string, string>;
}

/** The persons of these consultants, by consultant. One without a tax profile is not in the answer. */
export async function readTaxpayerProfiles(
  tx: DbSession,
  { consultantIds, lock }: { consultantIds: readonly string[]; lock: boolean },
): Promise<ReadonlyMap<string, TaxpayerProfile>> {
  const taxpayers = await readTaxpayers(tx, consultantIds);
  const everybody = [...new Set([...taxpayers.values()].flat())];
  const profiles = await readProfiles(tx, everybody, lock);
  const certificates = await readCertificates(tx, everybody);
  const people = new Map<string, TaxpayerProfile>();
  for (const [consultantId, members] of taxpayers) {
    const profile = profileOf(
      consultantId,
      members.flatMap((id) => profiles.get(id) ?? []),
    );
    if (!profile) continue;
    const own = onePerNumber(members.flatMap((id) => certificates.get(id) ?? []));
    people.set(consultantId, {
      members,
      profile: { ...profile, certificates: own.certificates },
      certificateIds: own.canonicalIds,
    });
  }
  return people;
}

function yearsOf({ credits }: PayeeCredits): number[] {
  return [...new Set(credits.map(({ creditedOn }) => fiscalYearOf(creditedOn)))];
}

interface ProfileRow {
  consultantId: string;
  category: PayeeCategory;
  resident: boolean;
  panStatus: PanStatus;
  aadhaar: boolean;
  likelyToExceed: boolean;
  reliefFrom: Day | null;
  reliefTo: Day | null;
}

/**
 * The profile by which a payee is taxed. A PAN is inoperative if any of its consultants says so. Its days of
 * relief, and the mark of a large year, are those of all its consultants: they belong to the PAN.
 */
function profileOf(
  consultantId: string,
  rows: readonly ProfileRow[],
): Omit<PayeeProfile, "certificates"> | undefined {
  const own = rows.find((row) => row.consultantId === consultantId);
  if (!own) return undefined;
  const { category, resident, panStatus, aadhaar } = own;
  const isInoperative = rows.some((row) => row.panStatus === "inoperative");
  const relief = [own, ...rows].find(({ reliefFrom }) => reliefFrom !== null);
  return {
    category,
    resident,
    panStatus: isInoperative ? "inoperative" : panStatus,
    aadhaar,
    likelyToExceed: rows.some((row) => row.likelyToExceed),
    ...(relief && relief.reliefFrom !== null && relief.reliefTo !== null
      ? { panRelief: { from: requireDay(relief.reliefFrom), to: requireDay(relief.reliefTo) } }
      : {}),
  };
}

async function readProfiles(
  tx: DbSession,
  consultantIds: readonly string[],
  lock: boolean,
): Promise<ReadonlyMap<string, ProfileRow>> {
  const rows = lock
    ? await tx.query<ProfileRow[]>`
        SELECT consultant_id AS "consultantId", category, resident, pan_status AS "panStatus", aadhaar,
               likely_to_exceed AS "likelyToExceed",
               pan_relief_from::text AS "reliefFrom", pan_relief_to::text AS "reliefTo"
        FROM tax_profiles WHERE consultant_id = ANY(${consultantIds}::uuid[])
        ORDER BY consultant_id FOR UPDATE`
    : await tx.query<ProfileRow[]>`
        SELECT consultant_id AS "consultantId", category, resident, pan_status AS "panStatus", aadhaar,
               likely_to_exceed AS "likelyToExceed",
               pan_relief_from::text AS "reliefFrom", pan_relief_to::text AS "reliefTo"
        FROM tax_profiles WHERE consultant_id = ANY(${consultantIds}::uuid[])`;
  return new Map(rows.map((row) => [row.consultantId, row]));
}

/** A certificate with its number. */
type NumberedCertificate = Certificate & { number: string };

async function readCertificates(
  tx: DbSession,
  consultantIds: readonly string[],
): Promise<ReadonlyMap<string, NumberedCertificate[]>> {
  const rows = await tx.query<(NumberedCertificate & { consultantId: string })[]>`
    SELECT consultant_id AS "consultantId", id, number, rate_bps AS "rateBps", valid_from::text AS "from",
           valid_to::text AS "to", ceiling_paise AS "ceilingPaise"
    FROM lower_deduction_certificates WHERE consultant_id = ANY(${consultantIds}::uuid[])
    ORDER BY valid_from, id`;
  return groupBy(rows, ({ consultantId }) => consultantId);
}

/**
 * The certificates of one person, the earliest first. One that is recorded with two consultants of the person is
 * one certificate with one ceiling, the smaller one where they differ.
 */
function onePerNumber(all: readonly NumberedCertificate[]): {
  certificates: Certificate[];
  /** By the id of each record, the id under which its use counts. */
  canonicalIds: ReadonlyMap<string, string>;
} {
  const byNumber = groupBy(all, ({ number }) => number);
  const canonicalIds = new Map<string, string>();
  const certificates: Certificate[] = [];
  for (const same of byNumber.values()) {
    const kept = same.reduce((least, each) =>
      each.ceilingPaise < least.ceilingPaise ? each : least,
    );
    const { id, rateBps, from, to, ceilingPaise } = kept;
    certificates.push({ id, rateBps, from, to, ceilingPaise });
    for (const each of same) canonicalIds.set(each.id, id);
  }
  certificates.sort((a, b) => compare(a.from, b.from) || compare(a.id, b.id));
  return { certificates, canonicalIds };
}

interface SumRow {
  consultantId: string;
  fiscalYear: number;
  creditedOn: Day;
  certificateId: string | null;
  grossPaise: bigint;
  taxPaise: bigint;
  certificateGrossPaise: bigint;
}

interface CarriedRow {
  consultantId: string;
  fiscalYear: number;
  sequence: bigint;
  carriedForwardPaise: bigint;
}

/**
 * The assessed totals of these years, and of each other year in which a certificate was used, since a ceiling
 * covers all of them. Includes payouts in flight: reserved rows are rows.
 *
 * Of 100 payees with 250 rows each: sums for one payee at a time take 2.3 times as much of the processor. A
 * look-up of the newest row of each payee's year takes 4 times as much as the newest of a sorted list.
 */
async function readTotals(
  tx: DbSession,
  consultantIds: readonly string[],
  fiscalYears: readonly number[],
): Promise<{ sums: ReadonlyMap<string, SumRow[]>; carried: ReadonlyMap<string, CarriedRow[]> }> {
  const sums = await tx.query<SumRow[]>`
    SELECT consultant_id AS "consultantId", fiscal_year AS "fiscalYear", credited_on::text AS "creditedOn",
           certificate_id AS "certificateId",
           sum(gross_paise)::bigint AS "grossPaise", sum(tax_paise)::bigint AS "taxPaise",
           sum(certificate_gross_paise)::bigint AS "certificateGrossPaise"
    FROM tax_deductions
    WHERE consultant_id = ANY(${consultantIds}::uuid[])
      AND (fiscal_year = ANY(${fiscalYears}::int[]) OR certificate_id IS NOT NULL)
    GROUP BY 1, 2, 3, 4
    HAVING sum(gross_paise) <> 0
    ORDER BY 1, 2, 3, 4`;
  const carried = await tx.query<CarriedRow[]>`
    SELECT DISTINCT ON (consultant_id, fiscal_year) consultant_id AS "consultantId",
           fiscal_year AS "fiscalYear", sequence, carried_forward_paise AS "carriedForwardPaise"
    FROM tax_deductions AS line
    WHERE consultant_id = ANY(${consultantIds}::uuid[]) AND fiscal_year = ANY(${fiscalYears}::int[])
      AND reverses_id IS NULL
      AND NOT EXISTS (SELECT 1 FROM tax_deductions WHERE reverses_id = line.id)
    ORDER BY consultant_id, fiscal_year, sequence DESC`;
  return {
    sums: groupBy(sums, ({ consultantId }) => consultantId),
    carried: groupBy(carried, ({ consultantId }) => consultantId),
  };
}

/** The years of one person that are asked for, and each other one in which a certificate was used. */
function yearTotals(
  ownYears: readonly number[],
  {
    sums,
    carried,
    certificateIds,
  }: {
    sums: readonly SumRow[];
    carried: readonly CarriedRow[];
    certificateIds: ReadonlyMap<string, string>;
  },
): YearTotals[] {
  const years = new Map(ownYears.map((year) => [year, emptyYear(year)]));
  for (const row of sums) {
    const { fiscalYear, certificateId } = row;
    // The years of the other payees were asked for as well.
    if (certificateId === null && !ownYears.includes(fiscalYear)) continue;
    const year = years.get(fiscalYear) ?? emptyYear(fiscalYear);
    years.set(fiscalYear, withSum(year, row, certificateIds));
  }
  // The newest line of the person holds the carried amount: its year counted all before it.
  for (const { fiscalYear, carriedForwardPaise } of carried.toSorted((a, b) =>
    compare(a.sequence, b.sequence),
  )) {
    const year = ownYears.includes(fiscalYear) ? years.get(fiscalYear) : undefined;
    if (year) years.set(fiscalYear, { ...year, carriedForwardPaise });
  }
  return [...years.values()];
}

function withSum(
  year: YearTotals,
  row: SumRow,
  certificateIds: ReadonlyMap<string, string>,
): YearTotals {
  const used = year.certificateUsedPaise;
  const id = row.certificateId === null ? null : (certificateIds.get(row.certificateId) ?? null);
  return {
    ...year,
    grossPaise: year.grossPaise + row.grossPaise,
    taxPaise: year.taxPaise + row.taxPaise,
    credits: [
      ...year.credits,
      { creditedOn: requireDay(row.creditedOn), grossPaise: row.grossPaise },
    ],
    certificateUsedPaise:
      id === null ? used : { ...used, [id]: (used[id] ?? 0n) + row.certificateGrossPaise },
  };
}

function groupBy<T>(rows: readonly T[], keyOf: (row: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const row of rows) {
    const key = keyOf(row);
    const group = groups.get(key);
    if (group) group.push(row);
    else groups.set(key, [row]);
  }
  return groups;
}

function compare<T extends string | bigint>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
