import type { DbSession } from "../db/client.ts";
import { toJson } from "../support/log.ts";
import type { Paise } from "../support/money.ts";
import {
  assessCredits,
  type CreditLine,
  type PayeeProfile,
  type YearTotals,
} from "./assess-credits.ts";
import type { CreditedEarning, PayeeTaxState } from "./payee-state.ts";
import type { TaxPolicy } from "./policy.ts";

export { readPayeeTaxState, readPayeeTaxStates } from "./payee-state.ts";
export type { CreditedEarning, PayeeCredits, PayeeTaxState } from "./payee-state.ts";

type PayeeTax =
  | { ok: true; taxPaise: Paise; lines: readonly CreditLine[]; years: readonly YearTotals[] }
  | { ok: false; error: { code: string; message: string } };

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
  /** The payee's identity, on which the lines rest. */
  identity: Pick<PayeeProfile, "panStatus" | "aadhaar" | "likelyToExceed">;
  lines: readonly CreditLine[];
}

/** Writes one row for each line, zero tax included, as reserved: the payouts are in flight. */
export async function reserveDeductions(
  tx: DbSession,
  payouts: readonly AssessedPayout[],
): Promise<void> {
  const rows = payouts.flatMap(({ payoutId, consultantId, identity, lines }) => {
    const { panStatus, aadhaar, likelyToExceed = false } = identity;
    const ofPayout = { payoutId, consultantId, panStatus, aadhaar, likelyToExceed };
    return lines.map(({ key, ...line }) => ({ ...line, earningId: key, ...ofPayout }));
  });
  const positioned = rows.map((row, position) => ({ position, ...row }));
  await tx.execute`
    INSERT INTO tax_deductions (
      consultant_id, payout_id, earning_id, fiscal_year, credited_on, gross_paise, tax_paise, rate_bps,
      section, code, reason, carried_forward_paise, certificate_id, certificate_gross_paise, pan_status,
      aadhaar, likely_to_exceed)
    SELECT "consultantId", "payoutId", "earningId", "fiscalYear", "rateDate", "grossPaise",
           "taxPaise", "rateBps", section, code, reason, "carriedForwardPaise", "certificateId",
           "certificateGrossPaise", "panStatus", aadhaar, "likelyToExceed"
    FROM jsonb_to_recordset(${toJson(positioned)}::jsonb) AS line (
      position int, "consultantId" uuid, "payoutId" uuid, "earningId" uuid, "fiscalYear" int,
      "rateDate" date, "grossPaise" bigint, "taxPaise" bigint, "rateBps" int, section text, code text,
      reason text, "carriedForwardPaise" bigint, "certificateId" uuid, "certificateGrossPaise" bigint,
      "panStatus" pan_status, aadhaar boolean, "likelyToExceed" boolean)
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
