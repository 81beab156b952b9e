/**
 * Questions that the law leaves open. Each setting has a default that docs/tax.md states; the operator's
 * accountant decides.
 */
import type { Paise } from "../support/money.ts";
import type { Act } from "./law.ts";

/**
 * How the credit that crosses the threshold of a year is taxed. `whole-year` taxes the year's whole amount and
 * catches up on earlier credits. `excess-only` taxes the amount above the threshold.
 */
export const CROSSING_POLICIES = ["whole-year", "excess-only"] as const;
export type CrossingPolicy = (typeof CROSSING_POLICIES)[number];

/** How the tax of one credit is rounded: to the nearest rupee or paisa, or down to the paisa. */
export const ROUNDINGS = ["rupee-half-up", "paisa-half-up", "paisa-floor"] as const;
export type Rounding = (typeof ROUNDINGS)[number];

/**
 * How a payee is taxed whose year is marked as likely to exceed the threshold: from the first rupee, or like
 * everybody else once the threshold is crossed.
 */
export const LIKELY_POLICIES = ["from-the-first-rupee", "at-the-crossing"] as const;
export type LikelyPolicy = (typeof LIKELY_POLICIES)[number];

/**
 * Which later earnings have less gross for a refunded sale: those of the sale's financial year (Circular
 * 20/2023, question 4), or any. The debt itself is recovered from earnings of any year.
 */
export const REFUND_BASES = ["same-year", "any-year"] as const;
export type RefundBase = (typeof REFUND_BASES)[number];

export const DEFAULT_REFUND_BASE: RefundBase = "same-year";

export interface TaxPolicy {
  /** Default `whole-year`. The 1961 Act does not say. */
  readonly crossing: CrossingPolicy;
  /** Default `rupee-half-up`. No rounding of a single deduction is prescribed. */
  readonly rounding: Rounding;
  /** Default `from-the-first-rupee`; applies to marked payees only. */
  readonly likelyToExceed: LikelyPolicy;
  /**
   * Whether the Aadhaar of an individual without any allotted PAN counts as identity furnished. Default true
   * under both Acts. It never helps beside an inoperative PAN.
   */
  readonly aadhaarSuffices: Readonly<Record<Act, boolean>>;
}

export const defaultTaxPolicy: TaxPolicy = {
  crossing: "whole-year",
  rounding: "rupee-half-up",
  likelyToExceed: "from-the-first-rupee",
  aadhaarSuffices: { act1961: true, act2025: true },
};

/**
 * Exact tax before rounding: paise times 10,000, the unit of paise times basis points. No fraction is ever lost,
 * because none arises.
 */
export type ExactTax = bigint;

/** One paisa as exact tax. */
export const EXACT_PER_PAISA = 10_000n;

/** The step that a rounding rounds to, as exact tax. */
export function roundingUnit(rounding: Rounding): ExactTax {
  return rounding === "rupee-half-up" ? 100n * EXACT_PER_PAISA : EXACT_PER_PAISA;
}

/** Exact tax to payable paise; below zero is zero. */
export function roundTax(exact: ExactTax, rounding: Rounding): Paise {
  if (exact <= 0n) return 0n;
  const unit = roundingUnit(rounding);
  const steps = (rounding === "paisa-floor" ? exact : exact + unit / 2n) / unit;
  return (steps * unit) / EXACT_PER_PAISA;
}
