/**
 * The law by date: section 194-O of the Income-tax Act, 1961, and from 1 April 2026 section 393(1), table serial
 * 8(v), of the Income-tax Act, 2025. Rates, section, code and form names are data, newest first. Each is in
 * force from its day until the day before the row above it.
 */
import type { Day } from "../support/calendar.ts";
import type { Paise } from "../support/money.ts";

export type Act = "act1961" | "act2025";

/** Rates and the exemption, as in force from a day. Basis points: 0.1% is 10. */
export interface RatePeriod {
  readonly from: Day;
  /** Rate for a payee with a PAN, or an Aadhaar where that suffices. */
  readonly rateBps: number;
  /** Rate for everybody else, from the first rupee. */
  readonly noPanRateBps: number;
  /** Gross of a year up to which an individual or Hindu undivided family is exempt; equal is exempt. */
  readonly thresholdPaise: Paise;
}

/** The names of the deduction and of its papers, as in force from a day. */
export interface StatutePeriod {
  readonly from: Day;
  readonly act: Act;
  readonly section: string;
  /** Payment code of the quarterly statement. */
  readonly code: string;
  /** The quarterly statement of deductions. */
  readonly statementForm: string;
  /** The payee's certificate of tax deducted. */
  readonly certificateForm: string;
  /** The section under which a certificate for deduction at a lower rate is given. */
  readonly lowerDeductionSection: string;
  /** The section that covers payments to non-residents instead. */
  readonly nonResidentSection: string;
}

const FIVE_LAKH_RUPEES_PAISE = 5_00_000_00n;

export const RATE_PERIODS: readonly RatePeriod[] = [
  // The 2025 Act keeps rate and exemption, the latter by section 393(4), table serial 11.
  {
    from: "2024-10-01",
    rateBps: 10,
    noPanRateBps: 500,
    thresholdPaise: FIVE_LAKH_RUPEES_PAISE,
  },
  {
    from: "2021-04-01",
    rateBps: 100,
    noPanRateBps: 500,
    thresholdPaise: FIVE_LAKH_RUPEES_PAISE,
  },
  // The section's first half-year, at three quarters of the rate.
  {
    from: "2020-10-01",
    rateBps: 75,
    noPanRateBps: 500,
    thresholdPaise: FIVE_LAKH_RUPEES_PAISE,
  },
];

/**
 * From this day tax on the holder of an inoperative PAN is deducted at the higher rate (Rule 114AAA(3) and (4),
 * Circular 3/2023). Before it, such a PAN counts like any other.
 */
export const INOPERATIVE_PAN_FROM: Day = "2023-07-01";

export const STATUTE_PERIODS: readonly StatutePeriod[] = [
  // Code 1035: notes to form 140. Forms: the tax body's mapping, 26Q to 140 and 16A to 131. Section 395(1): its annexures.
  {
    from: "2026-04-01",
    act: "act2025",
    section: "393(1) Table Sl. No. 8(v)",
    code: "1035",
    statementForm: "140",
    certificateForm: "131",
    lowerDeductionSection: "395",
    nonResidentSection: "393(2)",
  },
  {
    from: "0000-01-01",
    act: "act1961",
    section: "194-O",
    code: "94O",
    statementForm: "26Q",
    certificateForm: "16A",
    lowerDeductionSection: "197",
    nonResidentSection: "195",
  },
];

/** The rates in force on a day; `undefined` before 1 October 2020, when the section did not exist. */
export function ratesOn(day: Day): RatePeriod | undefined {
  for (const period of RATE_PERIODS) if (period.from <= day) return period;
  return undefined;
}

/** The names of the deduction for a credit of that day. */
export function statuteOn(day: Day): StatutePeriod {
  for (const period of STATUTE_PERIODS) if (period.from <= day) return period;
  throw new RangeError(`no statute for ${day}: a day is written YYYY-MM-DD`);
}
