import type { AssessmentInput } from "../../../../lib/tds/index.ts";

const PANS = ["valid", "valid", "valid", "valid", "missing", "inoperative"] as const;
const CATEGORIES = ["individual", "individual", "huf", "company", "firm"] as const;
const DAYS = [
  "2024-08-12",
  "2025-06-15",
  "2025-11-30",
  "2026-03-31",
  "2026-04-01",
  "2026-07-20",
] as const;

/**
 * Made-up credits, the same in every run: all kinds of payees, before, on and over the threshold, under
 * both Acts. Apart from them those with a long year or a certificate, which cost more.
 */
export function creditsOf(count: number): Record<string, AssessmentInput[]> {
  const make = (of: number, change: (input: AssessmentInput, n: number) => AssessmentInput) =>
    Array.from({ length: of }, (_, n) => change(credit(n), n));
  return {
    "credits of all kinds of payees": make(count, (input) => input),
    "the same, with a certificate for a lower rate": make(count, (input, n) => ({
      ...input,
      certificates: [
        {
          id: "certificate",
          rateBps: 5,
          from: "2024-04-01",
          to: "2027-03-31",
          ceilingPaise: 20_000_000n,
          usedPaise: BigInt(n % 200) * 100_000n,
        },
      ],
    })),
    "the same, with a year of 12 days of credits before": make(count, (input) => ({
      ...input,
      yearCreditsBefore: yearBefore(input),
    })),
  };
}

function credit(n: number): AssessmentInput {
  const yearGrossBeforePaise = BigInt(n % 120) * 1_000_000n;
  return {
    creditedOn: pick(DAYS, n),
    payeeCategory: pick(CATEGORIES, Math.floor(n / 7)),
    resident: true,
    panStatus: pick(PANS, Math.floor(n / 5)),
    aadhaar: n % 11 === 0,
    grossPaise: 50_000n + BigInt((n * 7919) % 5_000_000),
    yearGrossBeforePaise,
    yearTaxBeforePaise: yearGrossBeforePaise > 50_000_000n ? yearGrossBeforePaise / 1000n : 0n,
  };
}

/** Days of the credit's own financial year. */
function yearBefore({
  creditedOn,
  yearGrossBeforePaise,
}: AssessmentInput): { creditedOn: string; grossPaise: bigint }[] {
  const year = Number(creditedOn.slice(0, 4)) - (creditedOn.slice(5) < "04-01" ? 1 : 0);
  return Array.from({ length: 12 }, (_, month) => ({
    creditedOn:
      month < 9
        ? `${year}-${String(month + 4).padStart(2, "0")}-10`
        : `${year + 1}-0${month - 8}-10`,
    grossPaise: yearGrossBeforePaise / 12n,
  }));
}

/** In turn. */
function pick<T>(from: readonly [T, ...T[]], n: number): T {
  return from[n % from.length] ?? from[0];
}
