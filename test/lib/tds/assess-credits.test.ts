import { describe, expect, it } from "vitest";
import { assessCredits, emptyYear } from "../../../lib/tds/index.ts";
import type {
  PayableCredit,
  PayeeProfile,
  PaymentAssessment,
  YearTotals,
} from "../../../lib/tds/index.ts";
import { policy } from "./credit.ts";

const LAKH = 1_00_000_00n;

describe("the credits of one payment", () => {
  it("are assessed by rate date and then by key, however they are listed", () => {
    const credits = [
      payable({ key: "b", creditedOn: "2025-05-02" }),
      payable({ key: "a", creditedOn: "2025-05-02" }),
      payable({ key: "z", creditedOn: "2025-05-09", paidOn: "2025-05-01" }),
    ];

    const forwards = assessedPayment({ credits });
    const backwards = assessedPayment({ credits: credits.toReversed() });

    expect(forwards.lines.map((line) => line.key)).toEqual(["z", "a", "b"]);
    expect(backwards).toEqual(forwards);
  });

  it("each see the totals that the ones before leave", () => {
    const { lines, years, taxPaise } = assessedPayment({
      credits: [
        payable({ key: "a", grossPaise: 3n * LAKH }),
        payable({ key: "b", grossPaise: 2n * LAKH }),
        payable({ key: "c", grossPaise: LAKH, creditedOn: "2025-05-03" }),
        payable({ key: "d", grossPaise: LAKH, creditedOn: "2025-05-03" }),
      ],
    });

    expect(lines.map(({ reason, taxPaise }) => [reason, taxPaise])).toEqual([
      ["below-threshold", 0n],
      ["below-threshold", 0n],
      ["threshold-crossed", 600_00n],
      ["standard-rate", 100_00n],
    ]);
    expect(taxPaise).toBe(700_00n);
    expect(years).toEqual([
      {
        ...emptyYear(2025),
        grossPaise: 7n * LAKH,
        taxPaise: 700_00n,
        credits: [
          { creditedOn: "2025-05-02", grossPaise: 5n * LAKH },
          { creditedOn: "2025-05-03", grossPaise: 2n * LAKH },
        ],
      },
    ]);
  });

  it("pay the tax of one out of the whole payment, and carry what still does not fit", () => {
    const { lines, taxPaise, years } = assessedPayment({
      years: [{ ...emptyYear(2025), grossPaise: 5n * LAKH }],
      credits: [
        payable({ key: "a", grossPaise: 100_00n, availablePaise: 70_00n }),
        payable({ key: "b", grossPaise: 300_00n, availablePaise: 250_00n }),
      ],
    });

    expect(lines.map((line) => [line.taxPaise, line.carriedForwardPaise])).toEqual([
      [320_00n, 180_00n],
      [0n, 180_00n],
    ]);
    expect(taxPaise).toBe(320_00n);
    expect(years[0]).toMatchObject({ taxPaise: 320_00n, carriedForwardPaise: 180_00n });
  });

  it("thread what is carried forward where it is not derived from totals", () => {
    const withoutPan: PayeeProfile = { ...profile, panStatus: "missing" };
    const first = assessedPayment({
      profile: withoutPan,
      credits: [payable({ grossPaise: 1_000_00n, availablePaise: 20_00n })],
    });
    expect(first).toMatchObject({ taxPaise: 20_00n, lines: [{ carriedForwardPaise: 30_00n }] });

    const second = assessedPayment({
      profile: withoutPan,
      years: first.years,
      credits: [payable({ grossPaise: 1_000_00n })],
    });
    expect(second).toMatchObject({ taxPaise: 80_00n, lines: [{ carriedForwardPaise: 0n }] });
  });

  it("of two financial years each count to their own", () => {
    const { lines, years } = assessedPayment({
      years: [{ ...emptyYear(2025), grossPaise: 6n * LAKH, taxPaise: 600_00n }, emptyYear(2026)],
      credits: [
        payable({ key: "new", creditedOn: "2026-04-01", grossPaise: LAKH }),
        payable({ key: "old", creditedOn: "2026-03-31", grossPaise: LAKH }),
      ],
    });

    expect(lines).toMatchObject([
      { key: "old", taxPaise: 100_00n, section: "194-O", fiscalYear: 2025 },
      { key: "new", taxPaise: 0n, code: "1035", fiscalYear: 2026, reason: "below-threshold" },
    ]);
    expect(years.map((year) => year.grossPaise)).toEqual([7n * LAKH, LAKH]);
  });

  it("use up a certificate's ceiling, over the years that it spans", () => {
    const { lines, years } = assessedPayment({
      profile: {
        ...profile,
        category: "company",
        certificates: [
          {
            id: "c1",
            rateBps: 0,
            from: "2025-01-01",
            to: "2025-12-31",
            ceilingPaise: 4n * LAKH,
          },
        ],
      },
      years: [
        { ...emptyYear(2024), certificateUsedPaise: { c1: LAKH } },
        { ...emptyYear(2025), certificateUsedPaise: { other: 7n } },
      ],
      credits: [
        payable({ key: "a", grossPaise: 2n * LAKH }),
        payable({ key: "b", grossPaise: 2n * LAKH }),
      ],
    });

    expect(lines).toMatchObject([
      { reason: "lower-deduction-certificate", certificateGrossPaise: 2n * LAKH, taxPaise: 0n },
      { reason: "certificate-ceiling-exceeded", certificateGrossPaise: LAKH, taxPaise: 100_00n },
    ]);
    expect(years[1]?.certificateUsedPaise).toEqual({ c1: 3n * LAKH, other: 7n });
  });

  it("follow the policy", () => {
    const excessOnly = policy({ crossing: "excess-only", rounding: "paisa-floor" });
    const result = assessCredits(
      {
        profile,
        years: [{ ...emptyYear(2025), grossPaise: 4n * LAKH }],
        credits: [payable({ grossPaise: LAKH + 19_99n })],
      },
      excessOnly,
    );

    expect(result).toMatchObject({ taxPaise: 1n });
  });

  it("can be none", () => {
    expect(assessedPayment({ credits: [] })).toMatchObject({ lines: [], taxPaise: 0n });
  });
});

describe("a payment is refused", () => {
  it("to a non-resident", () => {
    expect(refusal({ profile: { ...profile, resident: false } })).toMatchObject({
      code: "NON_RESIDENT",
      field: "resident",
    });
  });

  it("when the totals of a credit's year are not given", () => {
    expect(refusal({ credits: [payable({ creditedOn: "2026-04-01" })] })).toMatchObject({
      code: "MISSING_FIELD",
      field: "years[2026]",
    });
  });

  it("when a year is given twice", () => {
    expect(refusal({ years: [emptyYear(2025), emptyYear(2025)] }).field).toBe("years[2025]");
  });

  it("when a key appears twice", () => {
    expect(refusal({ credits: [payable(), payable()] }).field).toBe("credits[a].key");
  });

  it("when the year's totals contradict themselves", () => {
    const year = { ...emptyYear(2025), credits: [{ creditedOn: "2025-04-01", grossPaise: 1n }] };

    expect(refusal({ years: [year] }).field).toBe("yearCreditsBefore");
  });
});

const profile: PayeeProfile = {
  category: "individual",
  resident: true,
  panStatus: "valid",
  aadhaar: false,
  certificates: [],
};

interface Payment {
  profile: PayeeProfile;
  years: readonly YearTotals[];
  credits: readonly PayableCredit[];
}

/** A credit of ₹1,000 with nothing kept by the platform, unless said otherwise. */
function payable(changes: Partial<PayableCredit> = {}): PayableCredit {
  const grossPaise = changes.grossPaise ?? 1_000_00n;
  return { key: "a", creditedOn: "2025-05-02", grossPaise, availablePaise: grossPaise, ...changes };
}

function payment(changes: Partial<Payment>): Payment {
  return { profile, years: [emptyYear(2025)], credits: [payable()], ...changes };
}

function assessedPayment(changes: Partial<Payment>): PaymentAssessment {
  const result = assessCredits(payment(changes));
  if (result.error) expect.fail(`refused: ${result.error.field}: ${result.error.message}`);
  return result;
}

function refusal(changes: Partial<Payment>) {
  const { error } = assessCredits(payment(changes));
  return error ?? expect.fail("was not refused");
}
