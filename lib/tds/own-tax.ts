import type { Day } from "../support/calendar.ts";
import type { Paise } from "../support/money.ts";
import { certificateCover, certifiedRateBps, covers, noCover } from "./certificate.ts";
import type { CertificateCover } from "./certificate.ts";
import { INOPERATIVE_PAN_FROM } from "./law.ts";
import type { Act, RatePeriod } from "./law.ts";
import type { ExactTax, TaxPolicy } from "./policy.ts";
import { mayHaveAadhaar, type AssessmentInput } from "./types.ts";

/**
 * The position of a credit: before the section, without identity, within the exemption, crossing the threshold,
 * or simply taxed.
 */
type Standing = "not-in-force" | "no-pan" | "exempt" | "crossing" | "taxed";

/** One credit alone, before rounding and without tax due on others. */
export interface OwnTax {
  readonly standing: Standing;
  /** Whether the exemption group's threshold applies, so that crossing it has consequences. */
  readonly hasThreshold: boolean;
  readonly tax: ExactTax;
  readonly rateBps: number;
  readonly cover: CertificateCover;
  /** The amount to which the rates were applied. */
  readonly taxablePaise: Paise;
}

/**
 * The payee's position decides the taxed part of the credit. The certificate decides the part at its own rate.
 */
export function assessOwn(
  input: AssessmentInput,
  policy: TaxPolicy,
  law: { rateDate: Day; act: Act; rates: RatePeriod | undefined },
): OwnTax {
  const { rates, rateDate } = law;
  if (!rates) return untaxed({ standing: "not-in-force", hasThreshold: false, cover: noCover });
  const panCounts = panIsValid(input, rateDate);
  if (!panCounts && !aadhaarStandsIn(input, policy, law.act)) {
    return {
      standing: "no-pan",
      hasThreshold: false,
      tax: input.grossPaise * BigInt(rates.noPanRateBps),
      rateBps: rates.noPanRateBps,
      cover: noCover,
      taxablePaise: input.grossPaise,
    };
  }

  const hasThreshold = input.payeeCategory === "individual" || input.payeeCategory === "huf";
  const standing = hasThreshold ? standingByThreshold(input, policy, rates) : "taxed";
  const basePaise = basePaiseOf(input, policy, { standing, rates });
  const certificates = panCounts ? input.certificates : undefined;
  const cover = certificateCover(certificates, { rateDate, grossPaise: basePaise });
  if (standing === "exempt") return untaxed({ standing, hasThreshold, cover });

  const lowerBps = cover.certificate ? certifiedRateBps(cover.certificate, rates.rateBps) : 0;
  return {
    standing,
    hasThreshold,
    tax:
      cover.coveredPaise * BigInt(lowerBps) +
      (basePaise - cover.coveredPaise) * BigInt(rates.rateBps),
    rateBps: cover.certificate && cover.coveredPaise === basePaise ? lowerBps : rates.rateBps,
    cover,
    taxablePaise: basePaise,
  };
}

function untaxed(own: Pick<OwnTax, "standing" | "hasThreshold" | "cover">): OwnTax {
  const { standing, hasThreshold, cover } = own;
  return { standing, hasThreshold, tax: 0n, rateBps: 0, cover, taxablePaise: 0n };
}

function panIsValid(input: AssessmentInput, rateDate: Day): boolean {
  if (input.panStatus === "valid") return true;
  if (input.panStatus === "missing") return false;
  if (rateDate < INOPERATIVE_PAN_FROM) return true;
  return input.panRelief !== undefined && covers(input.panRelief, rateDate);
}

/**
 * Only for a person without any allotted PAN. An allotted PAN is inoperative because its holder did not link an
 * Aadhaar, so an Aadhaar beside it changes nothing. And only for an individual: nobody else can have one.
 */
function aadhaarStandsIn(input: AssessmentInput, policy: TaxPolicy, act: Act): boolean {
  return (
    input.aadhaar &&
    input.panStatus === "missing" &&
    mayHaveAadhaar(input.payeeCategory) &&
    policy.aadhaarSuffices[act]
  );
}

function standingByThreshold(
  input: AssessmentInput,
  policy: TaxPolicy,
  rates: RatePeriod,
): Standing {
  if (input.likelyToExceed && policy.likelyToExceed === "from-the-first-rupee") return "taxed";
  if (input.yearGrossBeforePaise > rates.thresholdPaise) return "taxed";
  const yearGrossPaise = input.yearGrossBeforePaise + input.grossPaise;
  return yearGrossPaise > rates.thresholdPaise ? "crossing" : "exempt";
}

/**
 * The amount to which a rate applies. An exempt credit has a base under `whole-year` as well: it uses up a
 * certificate's ceiling, because a later crossing makes tax due on it at the certificate's rate.
 */
function basePaiseOf(
  input: AssessmentInput,
  policy: TaxPolicy,
  own: { standing: Standing; rates: RatePeriod },
): Paise {
  if (policy.crossing === "whole-year" || own.standing === "taxed") return input.grossPaise;
  if (own.standing === "exempt") return 0n;
  return input.yearGrossBeforePaise + input.grossPaise - own.rates.thresholdPaise;
}
