import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  assessCredits,
  defaultTaxPolicy,
  emptyYear,
  type PayeeProfile,
  type TaxPolicy,
  type YearTotals,
} from "../../../lib/tds/index.ts";
import { replayLines, type RecordedLine } from "../../../lib/tds/replay.ts";
import { fiscalYearOf } from "../../../lib/support/calendar.ts";
import { share } from "../../support/share.ts";

const LAKH = 1_00_000_00n;
const days = ["2025-03-30", "2025-04-02", "2025-12-01", "2026-03-31", "2026-04-01", "2026-06-15"];

const individual: PayeeProfile = {
  category: "individual",
  resident: true,
  panStatus: "valid",
  aadhaar: false,
  certificates: [],
};

const credit = fc.record({
  creditedOn: fc.constantFrom(...days),
  grossPaise: fc.oneof(fc.bigInt(1_00n, 3_000_00n), fc.bigInt(1n, 4n * LAKH)),
  /** In thousandths: with a small part, tax does not fit and is carried. */
  part: fc.bigInt(1n, 1_000n),
});
const payment = fc.record({
  credits: fc.array(credit, { minLength: 1, maxLength: 3 }),
  panStatus: fc.constantFrom("valid", "valid", "valid", "missing", "inoperative"),
  aadhaar: fc.boolean(),
  /** Which payment is taken back before this one. */
  takesBack: fc.option(fc.nat(8), { freq: 3 }),
} as const);
const certificate = fc.record({
  rateBps: fc.integer({ min: 0, max: 12 }),
  from: fc.constantFrom(...days),
  to: fc.constantFrom(...days),
  ceilingPaise: fc.bigInt(1n, 4n * LAKH),
});
const profiles = fc
  .tuple(
    fc.constantFrom("individual", "huf", "company", "firm"),
    fc.array(certificate, { maxLength: 2 }),
  )
  .map(([category, certificates]): PayeeProfile => ({
    ...individual,
    category,
    certificates: certificates.map((terms, index) => ({ id: `c${index}`, ...terms })),
  }));
const policies: fc.Arbitrary<TaxPolicy> = fc
  .tuple(
    fc.constantFrom("whole-year", "excess-only"),
    fc.constantFrom("rupee-half-up", "paisa-half-up", "paisa-floor"),
  )
  .map(([crossing, rounding]) => ({ ...defaultTaxPolicy, crossing, rounding }));

/** A line as the database keeps it, with what it carries forward. */
type Row = RecordedLine & { carriedForwardPaise: bigint };

function liveOf(rows: readonly Row[]): Row[] {
  const takenBack = new Set(rows.flatMap(({ reversesId }) => reversesId ?? []));
  return rows.filter(({ id, reversesId }) => reversesId === null && !takenBack.has(id));
}

/** The years as a claim reads them. */
function yearsOf(rows: readonly Row[], asked: readonly number[]): YearTotals[] {
  const live = liveOf(rows);
  const all = new Set([
    ...asked,
    ...live.filter(({ certificateId }) => certificateId !== null).map((row) => row.fiscalYear),
  ]);
  return [...all].map((fiscalYear) =>
    live
      .filter((row) => row.fiscalYear === fiscalYear)
      .reduce<YearTotals>((year, row) => {
        const used = year.certificateUsedPaise;
        const { certificateId: id, certificateGrossPaise } = row;
        return {
          fiscalYear,
          grossPaise: year.grossPaise + row.grossPaise,
          taxPaise: year.taxPaise + row.taxPaise,
          carriedForwardPaise: row.carriedForwardPaise,
          credits: [...year.credits, row],
          certificateUsedPaise:
            id === null ? used : { ...used, [id]: (used[id] ?? 0n) + certificateGrossPaise },
        };
      }, emptyYear(fiscalYear)),
  );
}

function takeBack(rows: readonly Row[], payoutId: string): Row[] {
  return liveOf(rows)
    .filter((row) => row.payoutId === payoutId)
    .map((row) => ({
      ...row,
      id: `back of ${row.id}`,
      reversesId: row.id,
      grossPaise: -row.grossPaise,
      taxPaise: -row.taxPaise,
      certificateGrossPaise: -row.certificateGrossPaise,
    }));
}

/** What a person's payouts leave in the database, assessed as claims assess them. */
function history(
  profile: PayeeProfile,
  payments: readonly (typeof payment extends fc.Arbitrary<infer P> ? P : never)[],
  policy: TaxPolicy,
): Row[] {
  const rows: Row[] = [];
  for (const [index, { credits, panStatus, aadhaar, takesBack }] of payments.entries()) {
    if (takesBack !== null) rows.push(...takeBack(rows, `p${takesBack}`));
    const payoutId = `p${index}`;
    const payable = credits.map(({ creditedOn, grossPaise, part }, number) => ({
      key: `${payoutId}.${number}`,
      creditedOn,
      grossPaise,
      availablePaise: (grossPaise * part) / 1_000n,
    }));
    const asked = [...new Set(credits.map(({ creditedOn }) => fiscalYearOf(creditedOn)))];
    const assessed = assessCredits(
      {
        profile: { ...profile, panStatus, aadhaar },
        years: yearsOf(rows, asked),
        credits: payable,
      },
      policy,
    );
    if (assessed.error) expect.fail(assessed.error.message);
    const payoutPaise = payable.reduce((sum, { availablePaise }) => sum + availablePaise, 0n);
    for (const line of assessed.lines) {
      const { key: id, rateDate: creditedOn, ...kept } = line;
      rows.push({
        ...kept,
        id,
        creditedOn,
        payoutId,
        payoutPaise,
        panStatus,
        aadhaar,
        reversesId: null,
      });
    }
  }
  return rows;
}

const person = (profile: PayeeProfile, years: readonly number[]) => ({
  profile,
  certificateIds: new Map(profile.certificates.map(({ id }) => [id, id])),
  years: new Set(years),
});

describe("tax that is assessed again", () => {
  it("is what was withheld, whatever happened to payouts, identity and certificates", () => {
    fc.assert(
      fc.property(
        profiles,
        fc.array(payment, { minLength: 1, maxLength: 8 }),
        policies,
        fc.constantFrom([2025], [2026], [2025, 2026], [2024, 2025, 2026]),
        (profile, payments, policy, years) => {
          const rows = history(profile, payments, policy);
          expect(replayLines(rows, person(profile, years), policy)).toEqual([]);
        },
      ),
      { numRuns: share(500) },
    );
  });

  it("differs by what one line took too much or too little", () => {
    fc.assert(
      fc.property(
        fc.array(fc.bigInt(1_000_00n, LAKH), { minLength: 1, maxLength: 6 }),
        fc.nat(5),
        fc.bigInt(-1_00n, 1_00n).filter((paise) => paise !== 0n),
        (amounts, chosen, wrongPaise) => {
          const firm: PayeeProfile = { ...individual, category: "firm" };
          const payments = amounts.map((grossPaise) => ({
            credits: [{ creditedOn: "2026-06-15", grossPaise, part: 900n }],
            panStatus: "valid" as const,
            aadhaar: false,
            takesBack: null,
          }));
          const rows = history(firm, payments, defaultTaxPolicy);
          const index = chosen % rows.length;
          const wrong = rows.map((row, at) =>
            at === index ? { ...row, taxPaise: row.taxPaise + wrongPaise } : row,
          );
          const expectedPaise = rows.reduce((sum, { taxPaise }) => sum + taxPaise, 0n);
          expect(replayLines(wrong, person(firm, [2026]), defaultTaxPolicy)).toEqual([
            { fiscalYear: 2026, expectedPaise, actualPaise: expectedPaise + wrongPaise },
          ]);
        },
      ),
    );
  });

  const line: RecordedLine = {
    id: "one",
    payoutId: "p",
    payoutPaise: 900_00n,
    fiscalYear: 2026,
    creditedOn: "2026-06-15",
    grossPaise: 1_000_00n,
    taxPaise: 50_00n,
    rateBps: 500,
    certificateId: null,
    certificateGrossPaise: 0n,
    panStatus: null,
    aadhaar: null,
    reversesId: null,
  };
  const relief = { from: "2026-06-01", to: "2026-06-30" };
  const again = (profile: PayeeProfile, changes: Partial<RecordedLine> = {}) =>
    replayLines([{ ...line, ...changes }], person(profile, [2026]), defaultTaxPolicy).map(
      ({ expectedPaise, actualPaise }) => actualPaise - expectedPaise,
    );

  it("stays when a PAN was furnished after 5% was taken", () => {
    expect(again(individual)).toEqual([]);
    expect(again(individual, { panStatus: "missing", aadhaar: false })).toEqual([]);
  });

  it("is too much when days of relief say later that the PAN counted", () => {
    const operative = { ...individual, panRelief: relief };
    expect(again(operative)).toEqual([50_00n]);
    expect(again(operative, { panStatus: "inoperative", aadhaar: true })).toEqual([50_00n]);
    expect(again({ ...operative, panStatus: "inoperative" })).toEqual([50_00n]);
    expect(again(operative, { creditedOn: "2026-07-01" })).toEqual([]);
  });

  it("is too little where an Aadhaar helped that does not", () => {
    const exempt = { taxPaise: 0n, rateBps: 0 };
    const inoperative = { ...individual, panStatus: "inoperative", aadhaar: true } as const;
    expect(again(inoperative, exempt)).toEqual([-50_00n]);
    const company = {
      ...individual,
      category: "company",
      panStatus: "missing",
      aadhaar: true,
    } as const;
    expect(again(company, { taxPaise: 1_00n, rateBps: 10 })).toEqual([-49_00n]);
  });

  it("counts a certificate that is recorded twice as one", () => {
    const terms = { rateBps: 0, from: "2026-04-01", to: "2027-03-31", ceilingPaise: 1_500_00n };
    const firm: PayeeProfile = {
      ...individual,
      category: "firm",
      certificates: [{ id: "a", ...terms }],
    };
    const covered = { taxPaise: 0n, rateBps: 0, certificateGrossPaise: 1_000_00n };
    const rows: RecordedLine[] = [
      { ...line, ...covered, certificateId: "a" },
      { ...line, ...covered, id: "two", payoutId: "q", certificateId: "b" },
    ];
    const certificateIds = new Map([
      ["a", "a"],
      ["b", "a"],
    ]);
    const found = replayLines(rows, { ...person(firm, [2026]), certificateIds }, defaultTaxPolicy);
    // ₹500 of the second are beyond the ceiling: fifty paise, which round up to a rupee.
    expect(found).toEqual([{ fiscalYear: 2026, expectedPaise: 1_00n, actualPaise: 0n }]);
  });
});
