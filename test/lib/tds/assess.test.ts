import { describe, expect, it } from "vitest";
import { assess, ROUNDINGS } from "../../../lib/tds/index.ts";
import type { CertificateUse, PayeeCategory } from "../../../lib/tds/index.ts";
import { roundTax } from "../../../lib/tds/policy.ts";
import { assessed, credit, policy } from "./credit.ts";
import { workedExamples } from "./worked-examples.ts";

const LAKH = 1_00_000_00n;
const excessOnly = policy({ crossing: "excess-only" });

describe("worked examples", () => {
  it.each(workedExamples)("$shows", ({ input, crossing, taxPaise, rateBps, reason }) => {
    const result = assessed(input, crossing && policy({ crossing }));

    expect(result).toMatchObject({ taxPaise, rateBps, reason, carriedForwardPaise: 0n });
  });
});

describe("dates", () => {
  it("take payment before credit as the rate date and the year", () => {
    const result = assessed(
      credit({ payeeCategory: "firm", creditedOn: "2025-04-02", paidOn: "2025-03-31" }),
    );

    expect(result).toMatchObject({ rateDate: "2025-03-31", fiscalYear: 2024 });
  });

  it("name section and code of the rate date", () => {
    expect(assessed(credit({ creditedOn: "2026-03-31" }))).toMatchObject({
      section: "194-O",
      code: "94O",
      fiscalYear: 2025,
    });
    expect(assessed(credit({ creditedOn: "2026-04-01" }))).toMatchObject({
      section: "393(1) Table Sl. No. 8(v)",
      code: "1035",
      fiscalYear: 2026,
    });
  });

  it("tax nothing before the section was in force, whoever the payee is", () => {
    const result = assessed(
      credit({
        creditedOn: "2020-09-30",
        panStatus: "missing",
        grossPaise: 10n * LAKH,
        carriedForwardBeforePaise: 500n,
      }),
    );

    expect(result).toMatchObject({ taxPaise: 0n, rateBps: 0, reason: "not-in-force" });
  });
});

describe("identity", () => {
  const large = { grossPaise: 10n * LAKH };

  it("is furnished by an Aadhaar alone", () => {
    const result = assessed(credit({ ...large, panStatus: "missing", aadhaar: true }));

    expect(result).toMatchObject({ rateBps: 10, taxPaise: LAKH / 100n });
  });

  it.each([
    ["below the threshold", 0n, 50_00n],
    ["above it", 6n * LAKH, 50_00n],
  ])("is not furnished by an Aadhaar beside an inoperative PAN, %s", (_where, before, taxPaise) => {
    const year = { yearGrossBeforePaise: before, yearTaxBeforePaise: before / 1000n };

    expect(assessed(credit({ ...year, panStatus: "inoperative", aadhaar: true }))).toMatchObject({
      taxPaise,
      rateBps: 500,
      reason: "no-pan",
    });
  });

  it.each(["huf", "company", "firm", "other"] as const)(
    "is not furnished by an Aadhaar that a payee of category %s can not have",
    (payeeCategory) => {
      const payee = { payeeCategory, panStatus: "missing", aadhaar: true } as const;

      expect(assessed(credit(payee))).toMatchObject({ rateBps: 500, reason: "no-pan" });
    },
  );

  it.each([
    ["2023-06-30", 100, "standard-rate"],
    ["2023-07-01", 500, "no-pan"],
  ])(
    "is missing with an inoperative PAN from 1 July 2023: on %s",
    (creditedOn, rateBps, reason) => {
      const year = { yearGrossBeforePaise: 6n * LAKH, yearTaxBeforePaise: 6_000_00n };

      expect(assessed(credit({ creditedOn, ...year, panStatus: "inoperative" }))).toMatchObject({
        rateBps,
        reason,
      });
    },
  );

  it("is missing with an inoperative PAN", () => {
    expect(assessed(credit({ panStatus: "inoperative" }))).toMatchObject({
      taxPaise: 50_00n,
      rateBps: 500,
      reason: "no-pan",
    });
  });

  it.each([
    ["2025-05-31", "no-pan"],
    ["2025-06-01", "below-threshold"],
    ["2025-06-30", "below-threshold"],
    ["2025-07-01", "no-pan"],
  ])("of an inoperative PAN with relief in June, on %s: %s", (creditedOn, reason) => {
    const panRelief = { from: "2025-06-01", to: "2025-06-30" };

    expect(assessed(credit({ creditedOn, panStatus: "inoperative", panRelief })).reason).toBe(
      reason,
    );
  });

  it("gives no relief to a PAN that was never furnished", () => {
    const panRelief = { from: "2025-01-01", to: "2025-12-31" };

    expect(assessed(credit({ panStatus: "missing", panRelief })).reason).toBe("no-pan");
  });

  it("can be made to need a PAN under the 2025 Act alone", () => {
    const strict = policy({ aadhaarSuffices: { act1961: true, act2025: false } });
    const payee = { panStatus: "missing", aadhaar: true } as const;

    expect(assessed(credit({ ...payee, creditedOn: "2026-03-31" }), strict).reason).toBe(
      "below-threshold",
    );
    expect(assessed(credit({ ...payee, creditedOn: "2026-04-01" }), strict).reason).toBe("no-pan");
  });

  it("matters to firms as well", () => {
    expect(assessed(credit({ payeeCategory: "firm", panStatus: "missing" })).rateBps).toBe(500);
  });
});

describe("the exemption", () => {
  it.each<[PayeeCategory, boolean]>([
    ["individual", true],
    ["huf", true],
    ["company", false],
    ["firm", false],
    ["other", false],
  ])("of category %s: %s", (payeeCategory, exempt) => {
    const result = assessed(credit({ payeeCategory }));

    expect(result.reason).toBe(exempt ? "below-threshold" : "standard-rate");
    expect(result.taxPaise).toBe(exempt ? 0n : 1_00n);
  });

  it("ends with one paisa above the threshold", () => {
    const result = assessed(
      credit({ yearGrossBeforePaise: 5n * LAKH, grossPaise: 1n, paymentPaise: LAKH }),
    );

    expect(result).toMatchObject({ reason: "threshold-crossed", taxPaise: 500_00n });
  });
});

describe("crossing the threshold under whole-year", () => {
  it("keeps each earlier credit at the rate of its own date", () => {
    const result = assessed(
      credit({
        creditedOn: "2024-10-05",
        grossPaise: 2n * LAKH,
        yearGrossBeforePaise: 4n * LAKH,
        yearCreditsBefore: [
          { creditedOn: "2024-09-30", grossPaise: 3n * LAKH },
          { creditedOn: "2024-10-01", grossPaise: 1n * LAKH },
        ],
      }),
    );

    // 1% of three lakh, 0.1% of one lakh, 0.1% of this credit's two lakh.
    expect(result.taxPaise).toBe(3_000_00n + 100_00n + 200_00n);
  });

  it("takes earlier credits that are not listed at this credit's rate", () => {
    const result = assessed(
      credit({
        creditedOn: "2024-10-05",
        grossPaise: 2n * LAKH,
        yearGrossBeforePaise: 4n * LAKH,
        yearCreditsBefore: [{ creditedOn: "2024-09-30", grossPaise: 1n * LAKH }],
      }),
    );

    expect(result.taxPaise).toBe(1_000_00n + 300_00n + 200_00n);
  });

  it("counts credits of before the section's first day to the year, at no rate", () => {
    const result = assessed(
      credit({
        creditedOn: "2020-10-01",
        grossPaise: 2n * LAKH,
        yearGrossBeforePaise: 4n * LAKH,
        yearCreditsBefore: [{ creditedOn: "2020-09-30", grossPaise: 4n * LAKH }],
      }),
    );

    expect(result).toMatchObject({ reason: "threshold-crossed", taxPaise: 1_500_00n });
  });

  it("carries what does not fit into the payment to the next credit", () => {
    const crossing = assessed(
      credit({ yearGrossBeforePaise: 5n * LAKH, grossPaise: 100_00n, paymentPaise: 80_00n }),
    );
    expect(crossing).toMatchObject({ taxPaise: 80_00n, carriedForwardPaise: 420_00n });

    const next = assessed(
      credit({
        yearGrossBeforePaise: 5n * LAKH + 100_00n,
        yearTaxBeforePaise: 80_00n,
        grossPaise: 1_000_00n,
        // Derived from the totals, so that it is not taken twice.
        carriedForwardBeforePaise: 420_00n,
      }),
    );
    expect(next).toMatchObject({
      reason: "catch-up",
      taxPaise: 421_00n,
      carriedForwardPaise: 0n,
    });
  });

  it("sets off what earlier roundings took too much", () => {
    // Due so far is 500.501 rupees and 501 were taken; this credit makes 501.001 due.
    const result = assessed(
      credit({
        yearGrossBeforePaise: 5n * LAKH + 501_00n,
        yearTaxBeforePaise: 501_00n,
        grossPaise: 500_00n,
      }),
    );

    expect(result).toMatchObject({ taxPaise: 0n, rateBps: 10, reason: "standard-rate" });
  });

  it("sets off half a step and not a paisa more", () => {
    const overTaken = (excessPaise: bigint) =>
      assessed(
        credit({
          yearGrossBeforePaise: 10n * LAKH,
          yearTaxBeforePaise: 1_000_00n + excessPaise,
          grossPaise: 500_00n,
        }),
      ).taxPaise;

    expect(overTaken(0n)).toBe(1_00n);
    expect(overTaken(1n)).toBe(0n);
    expect(overTaken(50n)).toBe(0n);
    expect(overTaken(51n)).toBe(1_00n);
  });

  it("leaves tax that was taken at another rate where it is", () => {
    // One lakh was taxed at 5% before the PAN came.
    const result = assessed(
      credit({
        yearGrossBeforePaise: 5n * LAKH,
        yearTaxBeforePaise: 5_000_00n,
        grossPaise: 2n * LAKH,
      }),
    );

    expect(result.taxPaise).toBe(200_00n);
  });
});

describe("crossing the threshold under excess-only", () => {
  it("taxes the part of the crossing credit above it, then whole credits", () => {
    const crossing = assessed(
      credit({ yearGrossBeforePaise: 4n * LAKH, grossPaise: 3n * LAKH }),
      excessOnly,
    );
    expect(crossing).toMatchObject({ reason: "threshold-crossed", taxPaise: 200_00n });

    const next = assessed(
      credit({ yearGrossBeforePaise: 7n * LAKH, grossPaise: LAKH }),
      excessOnly,
    );
    expect(next).toMatchObject({ reason: "standard-rate", taxPaise: 100_00n });
  });

  it("takes what was carried forward, also from an exempt credit", () => {
    const result = assessed(credit({ carriedForwardBeforePaise: 300_00n }), excessOnly);

    expect(result).toMatchObject({ reason: "catch-up", rateBps: 0, taxPaise: 300_00n });
  });

  it("leaves an exempt credit's certificate unused", () => {
    const certificates = [certificate()];

    expect(assessed(credit({ certificates }), excessOnly).certificateGrossPaise).toBe(0n);
  });
});

describe("payees without threshold", () => {
  it.each([credit({ payeeCategory: "firm" }), credit({ panStatus: "missing" })])(
    "are taxed on the credit alone, whatever was taken before",
    (input) => {
      const alone = assessed(input).taxPaise;
      const later = { ...input, yearGrossBeforePaise: 10n * LAKH };

      expect(assessed({ ...later, yearTaxBeforePaise: 0n }).taxPaise).toBe(alone);
      expect(assessed({ ...later, yearTaxBeforePaise: LAKH }).taxPaise).toBe(alone);
    },
  );

  it("take what was carried forward beside their own tax", () => {
    const result = assessed(
      credit({ payeeCategory: "firm", carriedForwardBeforePaise: 7_00n, paymentPaise: 5_00n }),
    );

    expect(result).toMatchObject({
      reason: "catch-up",
      taxPaise: 5_00n,
      carriedForwardPaise: 3_00n,
    });
  });
});

describe("a certificate for a lower rate", () => {
  const firm = { payeeCategory: "firm", grossPaise: LAKH } as const;

  it("applies to a credit within its ceiling", () => {
    const certificates = [certificate({ ceilingPaise: LAKH })];

    expect(assessed(credit({ ...firm, certificates }))).toMatchObject({
      taxPaise: 40_00n,
      rateBps: 4,
      reason: "lower-deduction-certificate",
      certificateGrossPaise: LAKH,
      certificateId: "c1",
    });
  });

  it("leaves the part above its ceiling at the ordinary rate", () => {
    const certificates = [certificate({ ceilingPaise: LAKH, usedPaise: 75_000_00n })];

    expect(assessed(credit({ ...firm, certificates }))).toMatchObject({
      taxPaise: 10_00n + 75_00n,
      rateBps: 10,
      reason: "certificate-ceiling-exceeded",
      certificateGrossPaise: 25_000_00n,
    });
  });

  it.each([LAKH, LAKH + 1n])("has no effect once its ceiling is used up", (usedPaise) => {
    const certificates = [certificate({ ceilingPaise: LAKH, usedPaise })];

    expect(assessed(credit({ ...firm, certificates }))).toMatchObject({
      taxPaise: 100_00n,
      rateBps: 10,
      reason: "certificate-ceiling-exceeded",
      certificateGrossPaise: 0n,
      certificateId: null,
    });
  });

  it.each([
    ["2025-05-31", 10],
    ["2025-06-01", 4],
    ["2025-06-30", 4],
    ["2025-07-01", 10],
  ])("counts from its first to its last day: on %s the rate is %s", (creditedOn, rateBps) => {
    const certificates = [certificate({ from: "2025-06-01", to: "2025-06-30" })];

    expect(assessed(credit({ ...firm, creditedOn, certificates })).rateBps).toBe(rateBps);
  });

  it("counts beside a valid PAN only", () => {
    const certificates = [certificate()];
    const year = { yearGrossBeforePaise: 6n * LAKH, yearTaxBeforePaise: LAKH / 100n };
    const byAadhaar = { ...year, certificates, panStatus: "missing", aadhaar: true } as const;

    expect(assessed(credit({ ...byAadhaar })).rateBps).toBe(10);
    expect(assessed(credit({ ...byAadhaar, aadhaar: false })).rateBps).toBe(500);
    expect(
      assessed(
        credit({
          ...byAadhaar,
          panStatus: "inoperative",
          panRelief: { from: "2025-06-15", to: "2025-06-15" },
        }),
      ).rateBps,
    ).toBe(4);
  });

  it("never raises the rate", () => {
    const certificates = [certificate({ rateBps: 50 })];

    expect(assessed(credit({ ...firm, certificates })).taxPaise).toBe(100_00n);
  });

  it("can lower it to nothing, with the reason", () => {
    const certificates = [certificate({ rateBps: 0 })];

    expect(assessed(credit({ ...firm, certificates }))).toMatchObject({
      taxPaise: 0n,
      rateBps: 0,
      reason: "lower-deduction-certificate",
    });
  });

  it("gives way to the next one when its ceiling is used up", () => {
    const certificates = [
      certificate({ usedPaise: 100n * LAKH }),
      certificate({ id: "c2", rateBps: 2 }),
    ];

    expect(assessed(credit({ ...firm, certificates }))).toMatchObject({
      certificateId: "c2",
      taxPaise: 20_00n,
    });
  });

  it("counts on exempt credits, and at its rate when the year crosses the threshold", () => {
    const certificates = [certificate({ ceilingPaise: 3n * LAKH })];
    const exempt = assessed(credit({ certificates, grossPaise: 2n * LAKH }));
    expect(exempt).toMatchObject({
      reason: "below-threshold",
      certificateGrossPaise: 2n * LAKH,
    });

    const crossing = assessed(
      credit({
        certificates: [certificate({ ceilingPaise: 3n * LAKH, usedPaise: 2n * LAKH })],
        yearGrossBeforePaise: 4n * LAKH,
        grossPaise: 2n * LAKH,
      }),
    );
    // Three of the year's six lakh at 0.04%, the others at 0.1%.
    expect(crossing.taxPaise).toBe(120_00n + 300_00n);
  });

  it("covers earlier credits within its days alone", () => {
    const crossing = assessed(
      credit({
        creditedOn: "2024-11-01",
        grossPaise: LAKH,
        yearGrossBeforePaise: 5n * LAKH,
        yearCreditsBefore: [
          { creditedOn: "2024-10-10", grossPaise: 2n * LAKH },
          { creditedOn: "2024-09-10", grossPaise: 3n * LAKH },
        ],
        certificates: [
          certificate({
            rateBps: 0,
            from: "2024-10-01",
            to: "2024-10-31",
            usedPaise: 2n * LAKH,
          }),
        ],
      }),
    );

    expect(crossing.taxPaise).toBe(3_000_00n + 100_00n);
  });

  it("counts use in another year against its ceiling and not against this year's tax", () => {
    const crossing = assessed(
      credit({
        yearGrossBeforePaise: 5n * LAKH,
        grossPaise: LAKH,
        certificates: [
          certificate({
            rateBps: 0,
            ceilingPaise: 3n * LAKH,
            usedPaise: 3n * LAKH,
            usedInYearPaise: LAKH,
          }),
        ],
      }),
    );

    expect(crossing).toMatchObject({ taxPaise: 500_00n, certificateGrossPaise: 0n });
  });
});

describe("rounding", () => {
  it.each([
    ["rupee-half-up", 499_99n, 0n],
    ["rupee-half-up", 500_00n, 1_00n],
    ["rupee-half-up", 1_499_99n, 1_00n],
    ["paisa-half-up", 4_99n, 0n],
    ["paisa-half-up", 5_00n, 1n],
    ["paisa-floor", 9_99n, 0n],
    ["paisa-floor", 10_00n, 1n],
  ] as const)("%s of the tax on %s paise gives %s", (rounding, grossPaise, taxPaise) => {
    const firm = credit({ payeeCategory: "firm", grossPaise });

    expect(assessed(firm, policy({ rounding })).taxPaise).toBe(taxPaise);
  });

  it("happens once, on own tax and arrears together", () => {
    // 499.70 rupees on the year so far and 0.70 on this credit: rounded apart they would make 501.
    const result = assessed(
      credit({ yearGrossBeforePaise: 499_700_00n, grossPaise: 700_00n, paymentPaise: LAKH }),
    );

    expect(result.taxPaise).toBe(500_00n);
  });

  it("makes nothing of what is below zero", () => {
    expect(ROUNDINGS.map((rounding) => roundTax(-5_000_000n, rounding))).toEqual([0n, 0n, 0n]);
  });

  it("stays exact beyond the integers that a number can hold", () => {
    const firm = credit({ payeeCategory: "firm", grossPaise: 900_719_925_474_099_300n });

    expect(assessed(firm, policy({ rounding: "paisa-floor" })).taxPaise).toBe(900_719_925_474_099n);
  });
});

describe("refusals", () => {
  it("name the section that covers a non-resident", () => {
    expect(assess(credit({ resident: false })).error).toMatchObject({
      code: "NON_RESIDENT",
      field: "resident",
      message: expect.stringContaining("section 195") as string,
    });
    expect(assess(credit({ resident: false, creditedOn: "2026-04-01" })).error?.message).toContain(
      "393(2)",
    );
  });

  it("name an earlier credit of another financial year", () => {
    const result = assess(
      credit({
        creditedOn: "2026-04-01",
        yearGrossBeforePaise: 200n,
        yearCreditsBefore: [
          { creditedOn: "2026-04-01", grossPaise: 100n },
          { creditedOn: "2026-03-31", grossPaise: 100n },
        ],
      }),
    );

    expect(result.error).toMatchObject({
      code: "INVALID_FIELD",
      field: "yearCreditsBefore[1].creditedOn",
      message: expect.stringContaining("2026-04-01 to 2027-03-31") as string,
    });
  });

  it("name earlier credits of more than the year's gross", () => {
    const result = assess(
      credit({
        payeeCategory: "firm",
        yearGrossBeforePaise: 99n,
        yearCreditsBefore: [{ creditedOn: "2025-06-01", grossPaise: 100n }],
      }),
    );

    expect(result.error).toMatchObject({ code: "INVALID_FIELD", field: "yearCreditsBefore" });
  });
});

/** 0.04% on up to a crore of rupees in two financial years. */
function certificate(changes: Partial<CertificateUse> = {}): CertificateUse {
  return {
    id: "c1",
    rateBps: 4,
    from: "2024-04-01",
    to: "2026-03-31",
    ceilingPaise: 100n * LAKH,
    usedPaise: 0n,
    ...changes,
  };
}
