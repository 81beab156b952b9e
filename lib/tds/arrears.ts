import type { Day } from "../support/calendar.ts";
import { minPaise, sumPaise } from "../support/money.ts";
import type { Paise } from "../support/money.ts";
import { certifiedRateBps, covers } from "./certificate.ts";
import { ratesOn } from "./law.ts";
import { EXACT_PER_PAISA, roundingUnit } from "./policy.ts";
import type { ExactTax, Rounding } from "./policy.ts";
import type { AssessmentInput, CertificateUse } from "./types.ts";

/**
 * Tax due on the year's earlier credits less the tax already taken from them.
 *
 * Rounding can have taken up to half a step too much; that much is set off, so that the year's tax
 * stays the rounded tax of the year's gross however it is split into credits. More than that is tax
 * that was rightly taken at another rate (before a PAN was furnished, say): it stays, and nothing is
 * in arrears.
 */
export function arrearsOfYear(input: AssessmentInput, rounding: Rounding, rateDate: Day): ExactTax {
  const taken = input.yearTaxBeforePaise * EXACT_PER_PAISA;
  const arrears = dueOnEarlierCredits(input, rateDate) - taken;
  return -arrears * 2n > roundingUnit(rounding) ? 0n : arrears;
}

/**
 * Taxes each earlier credit at the rate of its own date, and credits that are not listed at the rate of this
 * one's.
 */
function dueOnEarlierCredits(input: AssessmentInput, rateDate: Day): ExactTax {
  const rateBps = rateBpsOn(rateDate);
  let due = input.yearGrossBeforePaise * BigInt(rateBps);
  for (const credit of input.yearCreditsBefore ?? []) {
    const ownRateBps = rateBpsOn(credit.creditedOn);
    // Most years have one rate, and one multiplication is enough for all of it.
    if (ownRateBps !== rateBps) due += credit.grossPaise * BigInt(ownRateBps - rateBps);
  }
  const used = input.certificates?.filter((certificate) => usedInYear(certificate) > 0n) ?? [];
  return used.length === 0 ? due : due - certificateRelief(input, used, rateDate);
}

/** Gross of one day that no certificate has been counted on yet. */
interface UncoveredGross {
  /** Unknown for credits that are not listed: any certificate may have covered them. */
  readonly day: Day | undefined;
  readonly rateBps: number;
  paise: Paise;
}

/** How much less is due because certificates covered earlier credits, the earliest first. */
function certificateRelief(
  input: AssessmentInput,
  certificates: readonly CertificateUse[],
  rateDate: Day,
): ExactTax {
  const listed = input.yearCreditsBefore ?? [];
  const uncovered: UncoveredGross[] = listed
    .map(({ creditedOn, grossPaise }) => ({
      day: creditedOn,
      rateBps: rateBpsOn(creditedOn),
      paise: grossPaise,
    }))
    .sort((a, b) => (a.day < b.day ? -1 : a.day > b.day ? 1 : 0));
  uncovered.push({
    day: undefined,
    rateBps: rateBpsOn(rateDate),
    paise: input.yearGrossBeforePaise - sumPaise(listed.map(({ grossPaise }) => grossPaise)),
  });

  let relief = 0n;
  for (const certificate of certificates) {
    let left = usedInYear(certificate);
    for (const gross of uncovered) {
      if (gross.day !== undefined && !covers(certificate, gross.day)) continue;
      const covered = minPaise(left, gross.paise);
      relief += covered * BigInt(gross.rateBps - certifiedRateBps(certificate, gross.rateBps));
      gross.paise -= covered;
      left -= covered;
    }
  }
  return relief;
}

function usedInYear(certificate: CertificateUse): Paise {
  return certificate.usedInYearPaise ?? certificate.usedPaise;
}

function rateBpsOn(day: Day): number {
  return ratesOn(day)?.rateBps ?? 0;
}
