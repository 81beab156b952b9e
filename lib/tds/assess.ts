import { earlierDay, fiscalYearOf } from "../support/calendar.ts";
import type { Day } from "../support/calendar.ts";
import { formatRupees, minPaise } from "../support/money.ts";
import { arrearsOfYear } from "./arrears.ts";
import { ratesOn, statuteOn } from "./law.ts";
import type { StatutePeriod } from "./law.ts";
import { assessOwn } from "./own-tax.ts";
import type { OwnTax } from "./own-tax.ts";
import { defaultTaxPolicy, EXACT_PER_PAISA, roundingUnit, roundTax } from "./policy.ts";
import type { ExactTax, TaxPolicy } from "./policy.ts";
import type { AssessmentInput, AssessmentResult, DatedGross, Reason, TaxError } from "./types.ts";

/**
 * Tax to withhold from one credit to an e-commerce participant (section 194-O of the 1961 Act, section
 * 393(1) table serial 8(v) of the 2025 Act). Pure: the payee's year comes in with the credit.
 *
 * Amounts are trusted to be non-negative and days to be real. Refuses a non-resident payee (another
 * section applies), and earlier credits of another year or of more than the year's gross.
 */
export function assess(
  input: AssessmentInput,
  policy: TaxPolicy = defaultTaxPolicy,
): AssessmentResult {
  const rateDate =
    input.paidOn === undefined ? input.creditedOn : earlierDay(input.creditedOn, input.paidOn);
  const statute = statuteOn(rateDate);
  if (!input.resident) return { error: nonResident(statute) };
  const fiscalYear = fiscalYearOf(rateDate);
  const fault = input.yearCreditsBefore && faultInYear(input, input.yearCreditsBefore, fiscalYear);
  if (fault) return { error: fault };

  const rates = ratesOn(rateDate);
  const own = assessOwn(input, policy, { rateDate, act: statute.act, rates });
  const arrears = arrearsBefore(input, policy, own, rateDate);
  const assessed = roundTax(own.tax + arrears, policy.rounding);
  const taxPaise = minPaise(assessed, input.paymentPaise ?? input.grossPaise);
  return {
    taxPaise,
    rateBps: own.rateBps,
    section: statute.section,
    code: statute.code,
    reason: reasonFor(own, arrears, policy),
    carriedForwardPaise: assessed - taxPaise,
    certificateGrossPaise: own.cover.coveredPaise,
    certificateId: own.cover.certificate?.id ?? null,
    rateDate,
    fiscalYear,
  };
}

function nonResident(statute: StatutePeriod): TaxError {
  return {
    code: "NON_RESIDENT",
    field: "resident",
    message: `expected a resident payee: section ${statute.section} does not cover non-residents (section ${statute.nonResidentSection} does), so this is neither assessed nor to be paid here`,
  };
}

function faultInYear(
  input: AssessmentInput,
  credits: readonly DatedGross[],
  fiscalYear: number,
): TaxError | undefined {
  let listed = 0n;
  for (const credit of credits) {
    if (fiscalYearOf(credit.creditedOn) !== fiscalYear) {
      return {
        code: "INVALID_FIELD",
        field: `yearCreditsBefore[${credits.indexOf(credit)}].creditedOn`,
        message: `expected a day of the credit's own financial year, from ${fiscalYear}-04-01 to ${fiscalYear + 1}-03-31`,
      };
    }
    listed += credit.grossPaise;
  }
  if (listed <= input.yearGrossBeforePaise) return undefined;
  return {
    code: "INVALID_FIELD",
    field: "yearCreditsBefore",
    message: `expected credits of no more than yearGrossBeforePaise together; they sum to ${formatRupees(listed)}, ${formatRupees(listed - input.yearGrossBeforePaise)} too many`,
  };
}

/** Tax due on earlier credits and not taken yet; slightly negative when roundings took too much. */
function arrearsBefore(
  input: AssessmentInput,
  policy: TaxPolicy,
  own: OwnTax,
  rateDate: Day,
): ExactTax {
  if (own.standing === "not-in-force") return 0n;
  if (own.hasThreshold && policy.crossing === "whole-year") {
    return own.standing === "exempt" ? 0n : arrearsOfYear(input, policy.rounding, rateDate);
  }
  return (input.carriedForwardBeforePaise ?? 0n) * EXACT_PER_PAISA;
}

function reasonFor(own: OwnTax, arrears: ExactTax, policy: TaxPolicy): Reason {
  switch (own.standing) {
    case "not-in-force":
    case "no-pan":
      return own.standing;
    case "exempt":
      return arrears > 0n ? "catch-up" : "below-threshold";
    case "crossing":
      return "threshold-crossed";
    case "taxed":
      // Less than one step is the rest of earlier roundings, not missed tax.
      if (arrears >= roundingUnit(policy.rounding)) return "catch-up";
      if (!own.cover.inForce) return "standard-rate";
      return own.cover.coveredPaise === own.taxablePaise
        ? "lower-deduction-certificate"
        : "certificate-ceiling-exceeded";
  }
}
