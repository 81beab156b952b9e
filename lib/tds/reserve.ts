import type { DbSession } from "../db/prisma.ts";
import { fiscalYearOf, type Day } from "../support/calendar.ts";
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
import type { PanStatus, PayeeCategory } from "./types.ts";

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

/**
 * Reads what decides a payee's tax. With `lock`, the profile row stays locked until the transaction
 * ends: two payouts of one payee are then assessed one after the other, and the second counts the first.
 *
 * Returns undefined when the payee has no tax profile.
 */
export async function readPayeeTaxState(
  tx: DbSession,
  {
    consultantId,
    credits,
    lock,
  }: { consultantId: string; credits: readonly CreditedEarning[]; lock: boolean },
): Promise<PayeeTaxState | undefined> {
  const profile = await readProfile(tx, consultantId, lock);
  if (!profile) return undefined;
  const certificates = await tx.$queryRaw<
    { id: string; rateBps: number; from: Day; to: Day; ceilingPaise: bigint }[]
  >`
    SELECT id, rate_bps AS "rateBps", valid_from::text AS "from", valid_to::text AS "to",
           ceiling_paise AS "ceilingPaise"
    FROM lower_deduction_certificates WHERE consultant_id = ${consultantId}::uuid
    ORDER BY valid_from, id`;
  const fiscalYears = [...new Set(credits.map(({ creditedOn }) => fiscalYearOf(creditedOn)))];
  const years = await readYears(tx, { consultantId, fiscalYears });
  return { profile: { ...profile, certificates }, years };
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

/** Writes one row for each line, zero tax included, as reserved: the payout is in flight. */
export async function reserveDeductions(
  tx: DbSession,
  {
    payoutId,
    consultantId,
    lines,
  }: { payoutId: string; consultantId: string; lines: readonly CreditLine[] },
): Promise<void> {
  const rows = lines.map((line, position) => ({ position, ...line, earningId: line.key }));
  await tx.$executeRaw`
    INSERT INTO tax_deductions (
      consultant_id, payout_id, earning_id, fiscal_year, credited_on, gross_paise, tax_paise, rate_bps,
      section, code, reason, carried_forward_paise, certificate_id, certificate_gross_paise)
    SELECT ${consultantId}::uuid, ${payoutId}::uuid, "earningId", "fiscalYear", "rateDate", "grossPaise",
           "taxPaise", "rateBps", section, code, reason, "carriedForwardPaise", "certificateId",
           "certificateGrossPaise"
    FROM jsonb_to_recordset(${toJson(rows)}::jsonb) AS line (
      position int, "earningId" uuid, "fiscalYear" int, "rateDate" date, "grossPaise" bigint,
      "taxPaise" bigint, "rateBps" int, section text, code text, reason text,
      "carriedForwardPaise" bigint, "certificateId" uuid, "certificateGrossPaise" bigint)
    ORDER BY position`;
}

/** The payout is completed: its deductions are final. */
export async function finaliseDeductions(tx: DbSession, payoutId: string): Promise<void> {
  await tx.$executeRaw`
    UPDATE tax_deductions SET status = 'FINAL' WHERE payout_id = ${payoutId}::uuid`;
}

/** The payout did not happen: each row that still counts is taken back by a negative row of its own. */
export async function reverseDeductions(tx: DbSession, payoutId: string): Promise<void> {
  await tx.$executeRaw`
    INSERT INTO tax_deductions (
      consultant_id, payout_id, earning_id, fiscal_year, credited_on, gross_paise, tax_paise, rate_bps,
      section, code, reason, certificate_id, certificate_gross_paise, status, reverses_id)
    SELECT consultant_id, payout_id, earning_id, fiscal_year, credited_on, -gross_paise, -tax_paise,
           rate_bps, section, code, reason, certificate_id, -certificate_gross_paise, status, id
    FROM tax_deductions AS original
    WHERE payout_id = ${payoutId}::uuid AND reverses_id IS NULL
      AND NOT EXISTS (SELECT 1 FROM tax_deductions WHERE reverses_id = original.id)
    ORDER BY sequence`;
}

async function readProfile(
  tx: DbSession,
  consultantId: string,
  lock: boolean,
): Promise<Omit<PayeeProfile, "certificates"> | undefined> {
  interface Row {
    category: PayeeCategory;
    resident: boolean;
    panStatus: PanStatus;
    aadhaar: boolean;
    reliefFrom: Day | null;
    reliefTo: Day | null;
  }
  const rows = lock
    ? await tx.$queryRaw<Row[]>`
        SELECT category, resident, pan_status AS "panStatus", aadhaar,
               pan_relief_from::text AS "reliefFrom", pan_relief_to::text AS "reliefTo"
        FROM tax_profiles WHERE consultant_id = ${consultantId}::uuid FOR UPDATE`
    : await tx.$queryRaw<Row[]>`
        SELECT category, resident, pan_status AS "panStatus", aadhaar,
               pan_relief_from::text AS "reliefFrom", pan_relief_to::text AS "reliefTo"
        FROM tax_profiles WHERE consultant_id = ${consultantId}::uuid`;
  const [row] = rows;
  if (!row) return undefined;
  const { reliefFrom, reliefTo, ...profile } = row;
  if (reliefFrom === null || reliefTo === null) return profile;
  return { ...profile, panRelief: { from: reliefFrom, to: reliefTo } };
}

interface YearRow {
  fiscalYear: number;
  creditedOn: Day;
  certificateId: string | null;
  grossPaise: bigint;
  taxPaise: bigint;
  certificateGrossPaise: bigint;
}

/**
 * The totals of the years asked for, and of each other year in which a certificate was used, since a
 * ceiling holds over all of them. Counts what is in flight: reserved rows are rows.
 */
async function readYears(
  tx: DbSession,
  { consultantId, fiscalYears }: { consultantId: string; fiscalYears: readonly number[] },
): Promise<YearTotals[]> {
  const rows = await tx.$queryRaw<YearRow[]>`
    SELECT fiscal_year AS "fiscalYear", credited_on::text AS "creditedOn", certificate_id AS "certificateId",
           sum(gross_paise)::bigint AS "grossPaise", sum(tax_paise)::bigint AS "taxPaise",
           sum(certificate_gross_paise)::bigint AS "certificateGrossPaise"
    FROM tax_deductions
    WHERE consultant_id = ${consultantId}::uuid
      AND (fiscal_year = ANY(${fiscalYears}::int[]) OR certificate_id IS NOT NULL)
    GROUP BY 1, 2, 3
    HAVING sum(gross_paise) <> 0
    ORDER BY 1, 2, 3`;
  const carried = await tx.$queryRaw<{ fiscalYear: number; carriedForwardPaise: bigint }[]>`
    SELECT DISTINCT ON (fiscal_year) fiscal_year AS "fiscalYear", carried_forward_paise AS "carriedForwardPaise"
    FROM tax_deductions AS line
    WHERE consultant_id = ${consultantId}::uuid AND fiscal_year = ANY(${fiscalYears}::int[])
      AND reverses_id IS NULL
      AND NOT EXISTS (SELECT 1 FROM tax_deductions WHERE reverses_id = line.id)
    ORDER BY fiscal_year, sequence DESC`;

  const years = new Map(fiscalYears.map((year) => [year, emptyYear(year)]));
  for (const row of rows) {
    years.set(row.fiscalYear, withRow(years.get(row.fiscalYear) ?? emptyYear(row.fiscalYear), row));
  }
  for (const { fiscalYear, carriedForwardPaise } of carried) {
    const year = years.get(fiscalYear);
    if (year) years.set(fiscalYear, { ...year, carriedForwardPaise });
  }
  return [...years.values()];
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
