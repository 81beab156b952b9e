import type { Day } from "../support/calendar.ts";
import type { Paise } from "../support/money.ts";

export const PAYEE_CATEGORIES = ["individual", "huf", "company", "firm", "other"] as const;
export type PayeeCategory = (typeof PAYEE_CATEGORIES)[number];

/** Aadhaar numbers are given to individuals alone. */
export function mayHaveAadhaar(category: PayeeCategory): boolean {
  return category === "individual";
}

/**
 * `inoperative` counts as missing from 1 July 2023, except for credits within the payee's days of relief. An
 * Aadhaar does not help.
 */
export const PAN_STATUSES = ["valid", "missing", "inoperative"] as const;
export type PanStatus = (typeof PAN_STATUSES)[number];

/** Days from `from` to `to`, both included. */
export interface DayRange {
  readonly from: Day;
  readonly to: Day;
}

/** Gross credited to the payee on a day (the rate date: the earlier of credit and payment). */
export interface DatedGross {
  readonly creditedOn: Day;
  readonly grossPaise: Paise;
}

/** A certificate for deduction at a lower rate; it counts only beside a valid PAN. */
export interface Certificate extends DayRange {
  readonly id: string;
  readonly rateBps: number;
  /** Gross to which the certificate's rate applies, over its whole life. */
  readonly ceilingPaise: Paise;
}

export interface CertificateUse extends Certificate {
  /** Gross already counted against the ceiling. More than the ceiling leaves nothing. */
  readonly usedPaise: Paise;
  /** The part of it that belongs to this credit's financial year. Default: all of it. */
  readonly usedInYearPaise?: Paise;
}

/** One credit, the payee it belongs to, and the payee's year before it. */
export interface AssessmentInput {
  readonly creditedOn: Day;
  /** Given when money was paid before or after the credit; the earlier day fixes rate and year. */
  readonly paidOn?: Day;
  readonly payeeCategory: PayeeCategory;
  readonly resident: boolean;
  readonly panStatus: PanStatus;
  /** Days on which an inoperative PAN counts as valid. */
  readonly panRelief?: DayRange;
  readonly aadhaar: boolean;
  /** The year is expected to exceed the threshold: taxed from the first rupee. Default: false. */
  readonly likelyToExceed?: boolean;
  /** The buyer's price without GST, before the platform's fee. Above zero. */
  readonly grossPaise: Paise;
  /** Gross of the payee's earlier credits in the same financial year. */
  readonly yearGrossBeforePaise: Paise;
  /** Tax withheld from them. */
  readonly yearTaxBeforePaise: Paise;
  /**
   * The same credits by day, in any grouping. Any part of `yearGrossBeforePaise` missing here is taken to have
   * this credit's own rate date.
   */
  readonly yearCreditsBefore?: readonly DatedGross[];
  /** At most one applies: see `certificateFor`. */
  readonly certificates?: readonly CertificateUse[];
  /** The available money, which the tax never exceeds. Default: the gross. */
  readonly paymentPaise?: Paise;
  /**
   * Tax assessed earlier that did not fit into its payment. Ignored where the tax due on the whole year
   * is derived from the totals (exemption group under `whole-year`).
   */
  readonly carriedForwardBeforePaise?: Paise;
}

/** The reason for the amount of tax, also when it is zero. */
export const REASONS = [
  /** Credited before section 194-O existed. */
  "not-in-force",
  /** Exempt: the year's gross does not exceed the threshold. */
  "below-threshold",
  /** The ordinary rate, on this credit alone. */
  "standard-rate",
  /** This credit takes the year over the threshold. */
  "threshold-crossed",
  /** Holds tax on earlier credits that had not been taken yet. */
  "catch-up",
  /** An inoperative PAN, or no PAN furnished and no Aadhaar that suffices. */
  "no-pan",
  /** A certificate covers everything taxed here. */
  "lower-deduction-certificate",
  /** A certificate is valid on the day and its ceiling covers a part or nothing. */
  "certificate-ceiling-exceeded",
] as const;
export type Reason = (typeof REASONS)[number];

/** Tax on one credit. Zero is zero with a reason, never null. */
export interface Assessment {
  /** The tax to withhold now: never negative, never above the available money. */
  readonly taxPaise: Paise;
  /** Rate applied to this credit: 0 when it is exempt. */
  readonly rateBps: number;
  readonly section: string;
  /** Payment code of the quarterly statement. */
  readonly code: string;
  readonly reason: Reason;
  /** All tax assessed up to this credit that exceeded the available money. */
  readonly carriedForwardPaise: Paise;
  /** Part of the gross that was counted against a certificate's ceiling. */
  readonly certificateGrossPaise: Paise;
  /** Whose ceiling that was; null when none was. */
  readonly certificateId: string | null;
  /** The earlier of credit and payment. */
  readonly rateDate: Day;
  /** The year in which the financial year (from 2026: tax year) begins. */
  readonly fiscalYear: number;
  readonly error?: undefined;
}

export interface TaxError {
  readonly code: "NON_RESIDENT" | "INVALID_FIELD" | "MISSING_FIELD";
  /** Path of the field, as `yearCreditsBefore[0].creditedOn`. */
  readonly field: string;
  /** The expected value. */
  readonly message: string;
}

/** Inputs that cannot be assessed give a value, so that one row never stops the others. */
export interface Refusal {
  readonly error: TaxError;
}

export type AssessmentResult = Assessment | Refusal;
