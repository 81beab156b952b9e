import type { DbSession } from "../db/client.ts";
import { fiscalYearOf, requireDay, type Day } from "../support/calendar.ts";
import { toJson } from "../support/log.ts";
import type { Paise } from "../support/money.ts";
import {
  assessCredits,
  emptyYear,
  type CreditLine,
  type PayeeProfile,
  type YearTotals,
} from "./assess-credits.ts";
import type { TaxPolicy } from "./policy.ts";
import type { Certificate, PanStatus, PayeeCategory } from "./types.ts";

/** One earning that a payout pays, as the tax engine needs it. */
export interface CreditedEarning {
  earningId: string;
  creditedOn: Day;
  grossPaise: Paise;
  amountPaise: Paise;
}

export type PayeeTax =
  | { ok: true; taxPaise: Paise; lines: readonly CreditLine[]; years: readonly YearTotals[] }
  | { ok: false; error: { code: string; message: string } };

/** A payee's profile and year totals, as they stand in the database. */
export interface PayeeTaxState {
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
 * Reads what decides the tax of payees, each of whom is named once. With `lock`, the rows of their profiles
 * stay locked until the transaction ends: two payouts of one payee are then assessed one after the other,
 * and the second counts the first. Locked in the order of payees, so that no two wait for each other.
 *
 * A payee without a tax profile is not in the answer.
 */
export async function readPayeeTaxStates(
  tx: DbSession,
  { payees, lock }: { payees: readonly PayeeCredits[]; lock: boolean },
): Promise<Map<string, PayeeTaxState>> {
  const ids = payees.map(({ consultantId }) => consultantId);
  const profiles = await readProfiles(tx, ids, lock);
  const certificates = await readCertificates(tx, ids);
  const years = await readYears(tx, payees);
  const states = new Map<string, PayeeTaxState>();
  for (const { consultantId } of payees) {
    const profile = profiles.get(consultantId);
    if (!profile) continue;
    states.set(consultantId, {
      profile: { ...profile, certificates: certificates.get(consultantId) ?? [] },
      years: years.get(consultantId) ?? [],
    });
  }
  return states;
}

/** Assesses the credits of one payout on a state that was read; pure. */
export function assessPayee(
  state: PayeeTaxState,
  credits: readonly CreditedEarning[],
  policy: TaxPolicy,
): PayeeTax {
  const result = assessCredits(
    {
      profile: state.profile,
      years: state.years,
      credits: credits.map(({ earningId, creditedOn, grossPaise, amountPaise }) => ({
        key: earningId,
        creditedOn,
        grossPaise,
        availablePaise: amountPaise,
      })),
    },
    policy,
  );
  if (result.error)
    return {
      ok: false,
      error: { code: result.error.code, message: `${result.error.field}: ${result.error.message}` },
    };
  return { ok: true, taxPaise: result.taxPaise, lines: result.lines, years: result.years };
}

/** The tax of one payout, as it was assessed. */
export interface AssessedPayout {
  payoutId: string;
  consultantId: string;
  lines: readonly CreditLine[];
}

/** Writes one row for each line, zero tax included, as reserved: the payouts are in flight. */
export async function reserveDeductions(
  tx: DbSession,
  payouts: readonly AssessedPayout[],
): Promise<void> {
  const rows = payouts.flatMap(({ payoutId, consultantId, lines }) =>
    lines.map(({ key, ...line }) => ({ ...line, earningId: key, payoutId, consultantId })),
  );
  const positioned = rows.map((row, position) => ({ position, ...row }));
  await tx.execute`
    INSERT INTO tax_deductions (
      consultant_id, payout_id, earning_id, fiscal_year, credited_on, gross_paise, tax_paise, rate_bps,
      section, code, reason, carried_forward_paise, certificate_id, certificate_gross_paise)
    SELECT "consultantId", "payoutId", "earningId", "fiscalYear", "rateDate", "grossPaise",
           "taxPaise", "rateBps", section, code, reason, "carriedForwardPaise", "certificateId",
           "certificateGrossPaise"
    FROM jsonb_to_recordset(${toJson(positioned)}::jsonb) AS line (
      position int, "consultantId" uuid, "payoutId" uuid, "earningId" uuid, "fiscalYear" int,
      "rateDate" date, "grossPaise" bigint, "taxPaise" bigint, "rateBps" int, section text, code text,
      reason text, "carriedForwardPaise" bigint, "certificateId" uuid, "certificateGrossPaise" bigint)
    ORDER BY position`;
}

/** The payouts are completed: their deductions are final. */
export async function finaliseDeductions(
  tx: DbSession,
  payoutIds: readonly string[],
): Promise<void> {
  await tx.execute`
    UPDATE tax_deductions SET status = 'FINAL' WHERE payout_id = ANY(${payoutIds}::uuid[])`;
}

/** The payouts did not happen: each row that still counts is taken back by a negative row of its own. */
export async function reverseDeductions(
  tx: DbSession,
  payoutIds: readonly string[],
): Promise<void> {
  await tx.execute`
    INSERT INTO tax_deductions (
      consultant_id, payout_id, earning_id, fiscal_year, credited_on, gross_paise, tax_paise, rate_bps,
      section, code, reason, certificate_id, certificate_gross_paise, status, reverses_id)
    SELECT consultant_id, payout_id, earning_id, fiscal_year, credited_on, -gross_paise, -tax_paise,
           rate_bps, section, code, reason, certificate_id, -certificate_gross_paise, status, id
    FROM tax_deductions AS original
    WHERE payout_id = ANY(${payoutIds}::uuid[]) AND reverses_id IS NULL
      AND NOT EXISTS (SELECT 1 FROM tax_deductions WHERE reverses_id = original.id)
    ORDER BY sequence`;
}

async function readProfiles(
  tx: DbSession,
  consultantIds: readonly string[],
  lock: boolean,
): Promise<Map<string, Omit<PayeeProfile, "certificates">>> {
  interface Row {
    consultantId: string;
    category: PayeeCategory;
    resident: boolean;
    panStatus: PanStatus;
    aadhaar: boolean;
    reliefFrom: Day | null;
    reliefTo: Day | null;
  }
  const rows = lock
    ? await tx.query<Row[]>`
        SELECT consultant_id AS "consultantId", category, resident, pan_status AS "panStatus", aadhaar,
               pan_relief_from::text AS "reliefFrom", pan_relief_to::text AS "reliefTo"
        FROM tax_profiles WHERE consultant_id = ANY(${consultantIds}::uuid[])
        ORDER BY consultant_id FOR UPDATE`
    : await tx.query<Row[]>`
        SELECT consultant_id AS "consultantId", category, resident, pan_status AS "panStatus", aadhaar,
               pan_relief_from::text AS "reliefFrom", pan_relief_to::text AS "reliefTo"
        FROM tax_profiles WHERE consultant_id = ANY(${consultantIds}::uuid[])`;
  return new Map(
    rows.map(({ consultantId, reliefFrom, reliefTo, ...profile }) => [
      consultantId,
      reliefFrom === null || reliefTo === null
        ? profile
        : { ...profile, panRelief: { from: requireDay(reliefFrom), to: requireDay(reliefTo) } },
    ]),
  );
}

async function readCertificates(
  tx: DbSession,
  consultantIds: readonly string[],
): Promise<Map<string, Certificate[]>> {
  const rows = await tx.query<(Certificate & { consultantId: string })[]>`
    SELECT consultant_id AS "consultantId", id, rate_bps AS "rateBps", valid_from::text AS "from",
           valid_to::text AS "to", ceiling_paise AS "ceilingPaise"
    FROM lower_deduction_certificates WHERE consultant_id = ANY(${consultantIds}::uuid[])
    ORDER BY valid_from, id`;
  const certificates = new Map<string, Certificate[]>();
  for (const { consultantId, ...certificate } of rows) {
    for (const day of [certificate.from, certificate.to]) requireDay(day);
    certificates.set(consultantId, [...(certificates.get(consultantId) ?? []), certificate]);
  }
  return certificates;
}

interface YearRow {
  consultantId: string;
  fiscalYear: number;
  creditedOn: Day;
  certificateId: string | null;
  grossPaise: bigint;
  taxPaise: bigint;
  certificateGrossPaise: bigint;
}

/**
 * The totals of the years in which a payee's credits fall, and of each other year in which a certificate
 * was used, since a ceiling holds over all of them. Counts what is in flight: reserved rows are rows.
 *
 * Of 100 payees with 250 rows each: asked for payee by payee, the sums take 2.3 times as much of the processor.
 * The newest row of each payee's year by a look-up of its own takes 4 times as much as the newest of a sorted list.
 */
async function readYears(
  tx: DbSession,
  payees: readonly PayeeCredits[],
): Promise<Map<string, YearTotals[]>> {
  const consultantIds = payees.map(({ consultantId }) => consultantId);
  const ownYears = new Map(
    payees.map(({ consultantId, credits }) => [
      consultantId,
      new Set(credits.map(({ creditedOn }) => fiscalYearOf(creditedOn))),
    ]),
  );
  const fiscalYears = [...new Set([...ownYears.values()].flatMap((years) => [...years]))];
  const rows = await tx.query<YearRow[]>`
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
  const carried = await tx.query<
    { consultantId: string; fiscalYear: number; carriedForwardPaise: bigint }[]
  >`
    SELECT DISTINCT ON (consultant_id, fiscal_year) consultant_id AS "consultantId",
           fiscal_year AS "fiscalYear", carried_forward_paise AS "carriedForwardPaise"
    FROM tax_deductions AS line
    WHERE consultant_id = ANY(${consultantIds}::uuid[]) AND fiscal_year = ANY(${fiscalYears}::int[])
      AND reverses_id IS NULL
      AND NOT EXISTS (SELECT 1 FROM tax_deductions WHERE reverses_id = line.id)
    ORDER BY consultant_id, fiscal_year, sequence DESC`;

  const totals = new Map<string, Map<number, YearTotals>>();
  for (const [consultantId, years] of ownYears) {
    totals.set(consultantId, new Map([...years].map((year) => [year, emptyYear(year)])));
  }
  for (const row of rows) {
    const { consultantId, fiscalYear, certificateId } = row;
    requireDay(row.creditedOn);
    // The years of the other payees were asked for as well.
    if (certificateId === null && !ownYears.get(consultantId)?.has(fiscalYear)) continue;
    const years = totals.get(consultantId);
    years?.set(fiscalYear, withRow(years.get(fiscalYear) ?? emptyYear(fiscalYear), row));
  }
  for (const { consultantId, fiscalYear, carriedForwardPaise } of carried) {
    const years = totals.get(consultantId);
    const year = ownYears.get(consultantId)?.has(fiscalYear) ? years?.get(fiscalYear) : undefined;
    if (year) years?.set(fiscalYear, { ...year, carriedForwardPaise });
  }
  return new Map([...totals].map(([consultantId, years]) => [consultantId, [...years.values()]]));
}

function withRow(year: YearTotals, row: YearRow): YearTotals {
  const { certificateId } = row;
  const used = year.certificateUsedPaise;
  return {
    ...year,
    grossPaise: year.grossPaise + row.grossPaise,
    taxPaise: year.taxPaise + row.taxPaise,
    credits: [...year.credits, { creditedOn: row.creditedOn, grossPaise: row.grossPaise }],
    certificateUsedPaise:
      certificateId === null
        ? used
        : { ...used, [certificateId]: (used[certificateId] ?? 0n) + row.certificateGrossPaise },
  };
}
