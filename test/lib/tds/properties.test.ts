import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { assessCredits, emptyYear } from "../../../lib/tds/index.ts";
import type {
  PayableCredit,
  PayeeProfile,
  PaymentAssessment,
  Rounding,
  TaxPolicy,
  YearTotals,
} from "../../../lib/tds/index.ts";
import { assessed, policy } from "./credit.ts";
import { share } from "../../support/share.ts";

const LAKH = 1_00_000_00n;
const THRESHOLD = 5n * LAKH;
const ENOUGH = 1_000n * LAKH;

/** Amounts around the threshold, around a rounding step, and tiny ones. */
const gross = fc.oneof(
  fc.bigInt(1n, 3n * LAKH),
  fc.bigInt(1n, 2_000_00n),
  fc.bigInt(THRESHOLD - 2n, THRESHOLD + 2n),
);
const rounding = fc.constantFrom<Rounding>("rupee-half-up", "paisa-half-up", "paisa-floor");
const taxPolicy: fc.Arbitrary<TaxPolicy> = fc.record({
  crossing: fc.constantFrom("whole-year", "excess-only"),
  rounding,
  likelyToExceed: fc.constantFrom("from-the-first-rupee", "at-the-crossing"),
  aadhaarSuffices: fc.record({ act1961: fc.boolean(), act2025: fc.boolean() }),
});

/** Days of the financial years in which the rate changed, and of the next Act. */
const day = fc.constantFrom(
  ...["2020-05-01", "2020-10-01", "2021-03-31", "2024-04-01", "2024-09-30", "2024-10-01"],
  ...["2025-03-31", "2025-04-01", "2026-03-31", "2026-04-01"],
);
const dayOf2024 = fc.constantFrom("2024-04-01", "2024-09-30", "2024-10-01", "2025-03-31");

const certificates = fc.array(
  fc.record({
    id: fc.constantFrom("c1", "c2"),
    rateBps: fc.integer({ min: 0, max: 120 }),
    from: day,
    to: day,
    ceilingPaise: fc.bigInt(0n, 8n * LAKH),
  }),
  { maxLength: 2 },
);

const anyPayee: fc.Arbitrary<PayeeProfile> = fc.record(
  {
    category: fc.constantFrom("individual", "huf", "company", "firm", "other"),
    resident: fc.constant(true),
    panStatus: fc.constantFrom("valid", "missing", "inoperative"),
    aadhaar: fc.boolean(),
    panRelief: fc.record({ from: day, to: day }),
    certificates,
  },
  { requiredKeys: ["category", "resident", "panStatus", "aadhaar", "certificates"] },
);
const individual: PayeeProfile = {
  category: "individual",
  resident: true,
  panStatus: "valid",
  aadhaar: false,
  certificates: [],
};
const payeeWithoutThreshold = fc.constantFrom<PayeeProfile>(
  { ...individual, category: "firm" },
  { ...individual, panStatus: "missing" },
);

interface Sale {
  readonly creditedOn: string;
  readonly grossPaise: bigint;
  readonly availablePaise: bigint;
}

/** Available is anything from nothing to the whole gross. */
function sale(days: fc.Arbitrary<string>): fc.Arbitrary<Sale> {
  return fc
    .record({ creditedOn: days, grossPaise: gross, percent: fc.bigInt(0n, 100n) })
    .map(({ creditedOn, grossPaise, percent }) => ({
      creditedOn,
      grossPaise,
      availablePaise: (grossPaise * percent) / 100n,
    }));
}
/** What the tests below pay when the money in hand is not what they are about. */
function wellFunded(creditedOn: string): (grossPaise: bigint) => Sale {
  return (grossPaise) => ({ creditedOn, grossPaise, availablePaise: ENOUGH });
}

describe("any payee, any policy, payments of any size", () => {
  it("are never taxed below zero or above the payment, and no certificate above its ceiling", () => {
    check(
      anyPayee,
      taxPolicy,
      fc.array(fc.array(sale(day), { maxLength: 4 }), { maxLength: 6 }),
      (payee, chosen, batches) => {
        const profile = { ...payee, certificates: uniqueById(payee.certificates) };
        let years = allYears();
        for (const sales of batches) {
          const paid = pay(profile, years, sales, chosen);
          let inHand = sum(sales.map((each) => each.availablePaise));
          for (const line of paid.lines) {
            expect(line.taxPaise).toBeGreaterThanOrEqual(0n);
            expect(line.taxPaise).toBeLessThanOrEqual(inHand);
            expect(line.carriedForwardPaise).toBeGreaterThanOrEqual(0n);
            inHand -= line.taxPaise;
          }
          years = paid.years;
        }
        for (const { id, ceilingPaise } of profile.certificates) {
          const used = sum(years.map((year) => year.certificateUsedPaise[id] ?? 0n));
          expect(used).toBeLessThanOrEqual(ceilingPaise);
        }
      },
    );
  });

  it("hold for totals that no history of ours has led to", () => {
    check(
      fc.record({
        creditedOn: day,
        payeeCategory: fc.constantFrom("individual", "firm"),
        resident: fc.constant(true),
        panStatus: fc.constantFrom("valid", "missing"),
        aadhaar: fc.boolean(),
        grossPaise: gross,
        yearGrossBeforePaise: fc.bigInt(0n, 8n * LAKH),
        yearTaxBeforePaise: fc.bigInt(0n, LAKH),
        paymentPaise: fc.bigInt(0n, LAKH),
        carriedForwardBeforePaise: fc.bigInt(0n, LAKH),
      } as const),
      taxPolicy,
      (input, chosen) => {
        const { taxPaise, carriedForwardPaise } = assessed(input, chosen);

        expect(taxPaise).toBeGreaterThanOrEqual(0n);
        expect(taxPaise).toBeLessThanOrEqual(input.paymentPaise);
        // Whatever is carried is carried because the payment was used up.
        if (carriedForwardPaise > 0n) expect(taxPaise).toBe(input.paymentPaise);
      },
    );
  });
});

describe("splitting a day's credits into many payments", () => {
  // Each payment takes round(due so far) less what was taken, and what was taken is itself the rounded
  // due before: the sum telescopes. So the bound is zero.
  it("changes nothing of the year's tax where it is derived from the year", () => {
    check(fc.array(gross, { minLength: 1, maxLength: 12 }), rounding, (parts, chosen) => {
      const whole = [wellFunded("2025-06-15")(sum(parts))];
      const split = parts.map(wellFunded("2025-06-15"));

      expect(yearTax(individual, split, policy({ rounding: chosen }))).toBe(
        yearTax(individual, whole, policy({ rounding: chosen })),
      );
    });
  });

  it("changes nothing either where a certificate covers a part of the year", () => {
    check(
      fc.array(gross, { minLength: 1, maxLength: 12 }),
      fc.bigInt(1n, 8n * LAKH),
      rounding,
      (parts, ceilingPaise, chosen) => {
        const certified = withCertificate(individual, ceilingPaise);
        const whole = [wellFunded("2025-06-15")(sum(parts))];
        const split = parts.map(wellFunded("2025-06-15"));

        expect(yearTax(certified, split, policy({ rounding: chosen }))).toBe(
          yearTax(certified, whole, policy({ rounding: chosen })),
        );
      },
    );
  });

  // Each of the n parts is rounded on its own, and so is the whole. Half up errs by half a step at most
  // either way, so they differ by (n + 1) / 2 steps at most; down errs by less than a step and never
  // upwards, so the parts fall short by 0 to n - 1 steps.
  it.each([
    ["of payees without threshold", payeeWithoutThreshold, policy()],
    ["over the threshold alone", fc.constant(individual), policy({ crossing: "excess-only" })],
  ])("stays within the rounding of each part where credits %s are taxed", (_name, payees, base) => {
    check(
      payees,
      fc.array(gross, { minLength: 1, maxLength: 12 }),
      rounding,
      (payee, parts, chosen) => {
        const taxPolicy = { ...base, rounding: chosen };
        const whole = yearTax(payee, [wellFunded("2025-06-15")(sum(parts))], taxPolicy);
        const split = yearTax(payee, parts.map(wellFunded("2025-06-15")), taxPolicy);
        const n = BigInt(parts.length);

        if (chosen === "paisa-floor") {
          expect(whole - split).toBeGreaterThanOrEqual(0n);
          expect(whole - split).toBeLessThanOrEqual(n - 1n);
        } else {
          expect(absolute(whole - split) * 2n).toBeLessThanOrEqual((n + 1n) * step(chosen));
        }
      },
    );
  });
});

describe("the order of credits of one day", () => {
  it("does not reach the lines of one payment", () => {
    check(anyPayee, taxPolicy, shuffledSales(sale(day)), (payee, chosen, [sales, shuffled]) => {
      const profile = { ...payee, certificates: uniqueById(payee.certificates) };

      expect(payKeyed(profile, allYears(), shuffled, chosen)).toEqual(
        payKeyed(profile, allYears(), sales, chosen),
      );
    });
  });

  it("does not change the year's tax when each is paid by itself", () => {
    check(
      fc.oneof(fc.constant(individual), payeeWithoutThreshold),
      rounding,
      shuffledSales(gross.map(wellFunded("2024-09-30"))),
      (payee, chosen, [sales, shuffled]) => {
        const taxPolicy = policy({ rounding: chosen });
        const plain = (keyed: readonly PayableCredit[]) => yearTax(payee, keyed, taxPolicy);

        expect(plain(shuffled)).toBe(plain(sales));
      },
    );
  });
});

describe("a year under whole-year", () => {
  it("has taken, after each credit, the rounded tax of all credits at the rates of their dates", () => {
    check(fc.array(sale(dayOf2024), { maxLength: 12 }), rounding, (sales, chosen) => {
      const taxPolicy = policy({ rounding: chosen });
      let years = allYears();
      let takenBefore = 0n;
      for (const [index, each] of sales.entries()) {
        years = pay(individual, years, [{ ...each, availablePaise: ENOUGH }], taxPolicy).years;
        const taken = totalTax(years);

        expect(taken).toBe(expectedYearTax(sales.slice(0, index + 1), chosen));
        expect(taken).toBeGreaterThanOrEqual(takenBefore);
        takenBefore = taken;
      }
    });
  });

  // What a short payment took is no multiple of the step, so the last rounding is off by half a step at
  // most (rounding down: by less than a paisa, and a paisa is the smallest amount).
  it("has taken all that was carried forward once a payment is large enough", () => {
    check(fc.array(sale(dayOf2024), { minLength: 1, maxLength: 12 }), rounding, (sales, chosen) => {
      const taxPolicy = policy({ rounding: chosen });
      let years = allYears();
      for (const each of sales) years = pay(individual, years, [each], taxPolicy).years;
      const last = wellFunded("2025-03-31")(THRESHOLD + 1n);
      const paid = pay(individual, years, [last], taxPolicy);

      const exact = exactYearTax([...sales, last]);
      expect(paid.lines[0]?.carriedForwardPaise).toBe(0n);
      expect(absolute(totalTax(paid.years) * 10_000n - exact) * 2n).toBeLessThanOrEqual(
        chosen === "paisa-floor" ? 2n * 10_000n : step(chosen) * 10_000n,
      );
    });
  });
});

describe("tax that is carried forward and not derived", () => {
  // Nothing is lost or taken twice: what n roundings can add or drop is half a step each (a whole one
  // where they go down).
  it("is taken once a payment is large enough", () => {
    check(
      payeeWithoutThreshold,
      fc.array(sale(fc.constant("2025-06-15")), { minLength: 1, maxLength: 12 }),
      rounding,
      (payee, sales, chosen) => {
        const taxPolicy = policy({ rounding: chosen });
        let years = allYears();
        for (const each of sales) years = pay(payee, years, [each], taxPolicy).years;
        const last = wellFunded("2025-06-15")(1_000_00n);
        const paid = pay(payee, years, [last], taxPolicy);

        const rateBps = payee.panStatus === "missing" ? 500n : 10n;
        const exact = sum([...sales, last].map((each) => each.grossPaise)) * rateBps;
        const n = BigInt(sales.length + 1);
        expect(paid.lines[0]?.carriedForwardPaise).toBe(0n);
        expect(absolute(totalTax(paid.years) * 10_000n - exact) * 2n).toBeLessThanOrEqual(
          (chosen === "paisa-floor" ? 2n : 1n) * n * step(chosen) * 10_000n,
        );
      },
    );
  });
});

/** Runs a property often enough to meet the corners of the arbitraries above. */
function check<T extends [unknown, ...unknown[]]>(
  ...args: [...{ [K in keyof T]: fc.Arbitrary<T[K]> }, (...values: T) => void]
): void {
  const predicate = args.at(-1) as (...values: T) => void;
  const arbitraries = args.slice(0, -1) as { [K in keyof T]: fc.Arbitrary<T[K]> };
  fc.assert(fc.property(...arbitraries, predicate), { numRuns: share(500) });
}

function allYears(): readonly YearTotals[] {
  return [2020, 2024, 2025, 2026].map(emptyYear);
}

function pay(
  profile: PayeeProfile,
  years: readonly YearTotals[],
  sales: readonly Sale[],
  taxPolicy: TaxPolicy,
): PaymentAssessment {
  const credits = sales.map((each, index) => ({ ...each, key: String(index) }));
  return payKeyed(profile, years, credits, taxPolicy);
}

function payKeyed(
  profile: PayeeProfile,
  years: readonly YearTotals[],
  credits: readonly PayableCredit[],
  taxPolicy: TaxPolicy,
): PaymentAssessment {
  const result = assessCredits({ profile, years, credits }, taxPolicy);
  if (result.error) expect.fail(`refused: ${result.error.field}: ${result.error.message}`);
  return result;
}

/** Tax of a year in which each sale is a payment of its own. */
function yearTax(profile: PayeeProfile, sales: readonly Sale[], taxPolicy: TaxPolicy): bigint {
  let years = allYears();
  for (const each of sales) years = pay(profile, years, [each], taxPolicy).years;
  return totalTax(years);
}

function totalTax(years: readonly YearTotals[]): bigint {
  return sum(years.map((year) => year.taxPaise));
}

/** The law over again, without running totals: an individual's year of 2024-25, all at once. */
function exactYearTax(sales: readonly Sale[]): bigint {
  if (sum(sales.map((each) => each.grossPaise)) <= THRESHOLD) return 0n;
  return sum(sales.map((each) => each.grossPaise * (each.creditedOn <= "2024-09-30" ? 100n : 10n)));
}

function expectedYearTax(sales: readonly Sale[], chosen: Rounding): bigint {
  const exact = exactYearTax(sales);
  const unit = step(chosen) * 10_000n;
  const up = chosen !== "paisa-floor" && (exact % unit) * 2n >= unit;
  return (exact / unit + (up ? 1n : 0n)) * step(chosen);
}

/** Paise in the step that a rounding rounds to. */
function step(chosen: Rounding): bigint {
  return chosen === "rupee-half-up" ? 100n : 1n;
}

function withCertificate(profile: PayeeProfile, ceilingPaise: bigint): PayeeProfile {
  const certificate = { id: "c1", rateBps: 3, from: "2025-04-01", to: "2026-03-31", ceilingPaise };
  return { ...profile, certificates: [certificate] };
}

function uniqueById<T extends { id: string }>(items: readonly T[]): T[] {
  return [...new Map(items.map((item) => [item.id, item])).values()];
}

/** The same keyed credits twice, the second time in any order. */
function shuffledSales(
  sales: fc.Arbitrary<Sale>,
): fc.Arbitrary<[readonly PayableCredit[], readonly PayableCredit[]]> {
  return fc.array(sales, { maxLength: 8 }).chain((list) => {
    const keyed = list.map((each, index) => ({ ...each, key: `k${index}` }));
    const shuffled = fc.shuffledSubarray(keyed, { minLength: keyed.length });
    return fc.tuple(fc.constant(keyed), shuffled);
  });
}

function sum(amounts: readonly bigint[]): bigint {
  return amounts.reduce((total, amount) => total + amount, 0n);
}

function absolute(amount: bigint): bigint {
  return amount < 0n ? -amount : amount;
}
