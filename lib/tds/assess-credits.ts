import { earlierDay, fiscalYearOf } from "../support/calendar.ts";
import type { Day } from "../support/calendar.ts";
import { sumPaise } from "../support/money.ts";
import type { Paise } from "../support/money.ts";
import { assess } from "./assess.ts";
import { defaultTaxPolicy } from "./policy.ts";
import type { TaxPolicy } from "./policy.ts";
import type {
  Assessment,
  AssessmentInput,
  Certificate,
  DatedGross,
  DayRange,
  PanStatus,
  PayeeCategory,
  TaxError,
} from "./types.ts";

/** The facts that decide a payee's tax, apart from the year's totals. */
export interface PayeeProfile {
  readonly category: PayeeCategory;
  readonly resident: boolean;
  readonly panStatus: PanStatus;
  readonly aadhaar: boolean;
  /** Days on which an inoperative PAN counts as valid. */
  readonly panRelief?: DayRange;
  /** The payee's year is expected to exceed the threshold. Default: false. */
  readonly likelyToExceed?: boolean;
  /** In the order in which their ceilings are used up. */
  readonly certificates: readonly Certificate[];
}

/** A payee's financial year, as assessed so far. */
export interface YearTotals {
  readonly fiscalYear: number;
  readonly grossPaise: Paise;
  readonly taxPaise: Paise;
  /** Tax assessed and not taken yet: `carriedForwardPaise` of the year's last line. */
  readonly carriedForwardPaise: Paise;
  /** The gross by rate date, in any grouping. */
  readonly credits: readonly DatedGross[];
  /** Gross counted against each certificate in this year, by the certificate's id. */
  readonly certificateUsedPaise: Readonly<Record<string, Paise>>;
}

/** A credit that a payment pays. */
export interface PayableCredit {
  /** Identifies the line, and orders credits of equal rate date. Unique within the payment. */
  readonly key: string;
  readonly creditedOn: Day;
  /** The day of payment where that was, or may be, before the credit. */
  readonly paidOn?: Day;
  readonly grossPaise: Paise;
  /** Gross less the platform's fee: this credit's share of the available money. */
  readonly availablePaise: Paise;
}

/** The tax of one credit of a payment. */
export interface CreditLine extends Assessment {
  readonly key: string;
  readonly grossPaise: Paise;
}

export interface PaymentAssessment {
  /** One line per credit, in the order of assessment. */
  readonly lines: readonly CreditLine[];
  /** Sum of the lines; never above the sum of the available money. */
  readonly taxPaise: Paise;
  /** The given years, with this payment's credits counted. */
  readonly years: readonly YearTotals[];
  readonly error?: undefined;
}

/** The first credit of a year starts here. */
export function emptyYear(fiscalYear: number): YearTotals {
  return {
    fiscalYear,
    grossPaise: 0n,
    taxPaise: 0n,
    carriedForwardPaise: 0n,
    credits: [],
    certificateUsedPaise: {},
  };
}

/** The day that fixes rate and financial year: the earlier of credit and payment. */
export function rateDateOf(credit: { creditedOn: Day; paidOn?: Day }): Day {
  return credit.paidOn === undefined
    ? credit.creditedOn
    : earlierDay(credit.creditedOn, credit.paidOn);
}

/**
 * Tax on all credits that one payment pays, by rate date and then by key. Each sees the totals that the earlier
 * ones leave. The available money is that of all credits of the payment: the tax of one may be taken from
 * another's.
 *
 * `years` holds the totals of every financial year of a rate date (`emptyYear` where nothing was assessed yet).
 * It also holds every other year in which a certificate of the profile was used, since a ceiling covers all of
 * them. Refuses all or nothing: a non-resident payee, a missing or repeated year, a repeated key, totals that
 * contradict themselves.
 */
export function assessCredits(
  payment: {
    profile: PayeeProfile;
    years: readonly YearTotals[];
    credits: readonly PayableCredit[];
  },
  policy: TaxPolicy = defaultTaxPolicy,
): PaymentAssessment | { readonly error: TaxError } {
  const fault = faultInPayment(payment);
  if (fault) return { error: fault };
  const years = new Map(payment.years.map((year) => [year.fiscalYear, year]));
  const lines: CreditLine[] = [];
  let inHandPaise = sumPaise(payment.credits.map((credit) => credit.availablePaise));

  for (const credit of payment.credits.toSorted(byRateDateThenKey)) {
    const year = yearOf(years, credit);
    const input = inputFor(credit, { profile: payment.profile, year, years, inHandPaise });
    const assessment = assess(input, policy);
    if (assessment.error) return assessment;
    lines.push({ key: credit.key, grossPaise: credit.grossPaise, ...assessment });
    inHandPaise -= assessment.taxPaise;
    years.set(year.fiscalYear, withCredit(year, credit.grossPaise, assessment));
  }
  return {
    lines,
    taxPaise: sumPaise(lines.map((line) => line.taxPaise)),
    years: [...years.values()],
  };
}

function faultInPayment(payment: {
  profile: PayeeProfile;
  years: readonly YearTotals[];
  credits: readonly PayableCredit[];
}): TaxError | undefined {
  const years = new Set<number>();
  for (const { fiscalYear } of payment.years) {
    if (years.has(fiscalYear)) return invalid(`years[${fiscalYear}]`, "expected each year once");
    years.add(fiscalYear);
  }
  const keys = new Set<string>();
  for (const credit of payment.credits) {
    if (keys.has(credit.key)) {
      return invalid(`credits[${credit.key}].key`, "expected a key of its own for each credit");
    }
    keys.add(credit.key);
    const fiscalYear = fiscalYearOf(rateDateOf(credit));
    if (years.has(fiscalYear)) continue;
    return {
      code: "MISSING_FIELD",
      field: `years[${fiscalYear}]`,
      message: `expected the payee's totals of the financial year from ${fiscalYear}-04-01, in which credit ${credit.key} falls`,
    };
  }
  return undefined;
}

function invalid(field: string, message: string): TaxError {
  return { code: "INVALID_FIELD", field, message };
}

function byRateDateThenKey(a: PayableCredit, b: PayableCredit): number {
  const [dayA, dayB] = [rateDateOf(a), rateDateOf(b)];
  if (dayA !== dayB) return dayA < dayB ? -1 : 1;
  return a.key < b.key ? -1 : 1;
}

function yearOf(years: ReadonlyMap<number, YearTotals>, credit: PayableCredit): YearTotals {
  const fiscalYear = fiscalYearOf(rateDateOf(credit));
  return years.get(fiscalYear) ?? emptyYear(fiscalYear);
}

function inputFor(
  credit: PayableCredit,
  given: {
    profile: PayeeProfile;
    year: YearTotals;
    years: ReadonlyMap<number, YearTotals>;
    inHandPaise: Paise;
  },
): AssessmentInput {
  const { profile, year } = given;
  return {
    creditedOn: credit.creditedOn,
    ...(credit.paidOn !== undefined && { paidOn: credit.paidOn }),
    payeeCategory: profile.category,
    resident: profile.resident,
    panStatus: profile.panStatus,
    ...(profile.panRelief && { panRelief: profile.panRelief }),
    aadhaar: profile.aadhaar,
    ...(profile.likelyToExceed !== undefined && { likelyToExceed: profile.likelyToExceed }),
    grossPaise: credit.grossPaise,
    yearGrossBeforePaise: year.grossPaise,
    yearTaxBeforePaise: year.taxPaise,
    yearCreditsBefore: year.credits,
    certificates: profile.certificates.map((certificate) => ({
      ...certificate,
      usedPaise: sumPaise(
        [...given.years.values()].map(
          ({ certificateUsedPaise }) => certificateUsedPaise[certificate.id] ?? 0n,
        ),
      ),
      usedInYearPaise: year.certificateUsedPaise[certificate.id] ?? 0n,
    })),
    paymentPaise: given.inHandPaise,
    carriedForwardBeforePaise: year.carriedForwardPaise,
  };
}

function withCredit(year: YearTotals, grossPaise: Paise, line: Assessment): YearTotals {
  const used = year.certificateUsedPaise;
  return {
    fiscalYear: year.fiscalYear,
    grossPaise: year.grossPaise + grossPaise,
    taxPaise: year.taxPaise + line.taxPaise,
    carriedForwardPaise: line.carriedForwardPaise,
    credits: withGross(year.credits, { creditedOn: line.rateDate, grossPaise }),
    certificateUsedPaise:
      line.certificateId === null
        ? used
        : {
            ...used,
            [line.certificateId]: (used[line.certificateId] ?? 0n) + line.certificateGrossPaise,
          },
  };
}

/** Added to the group of its day, so that the list grows with the days and not with the credits. */
function withGross(credits: readonly DatedGross[], added: DatedGross): readonly DatedGross[] {
  const index = credits.findLastIndex(({ creditedOn }) => creditedOn === added.creditedOn);
  const group = credits[index];
  if (!group) return [...credits, added];
  const sum = { creditedOn: group.creditedOn, grossPaise: group.grossPaise + added.grossPaise };
  return credits.with(index, sum);
}
