import { describe, expect, it } from "vitest";
import { assessCredits, emptyYear } from "../../../lib/tds/index.ts";
import { assessed, credit, policy } from "./credit.ts";

const THREE_LAKH = 3_00_000_00n;

describe("a payee who is likely to exceed the threshold", () => {
  it.each(["individual", "huf"] as const)("is taxed from the first rupee: %s", (payeeCategory) => {
    const likely = credit({ payeeCategory, grossPaise: THREE_LAKH, likelyToExceed: true });
    expect(assessed(likely)).toMatchObject({ taxPaise: 300_00n, reason: "standard-rate" });
    expect(assessed({ ...likely, likelyToExceed: false })).toMatchObject({
      taxPaise: 0n,
      reason: "below-threshold",
    });
  });

  it("is taxed at the crossing where the operator decided so", () => {
    const likely = credit({ grossPaise: THREE_LAKH, likelyToExceed: true });
    expect(assessed(likely, policy({ likelyToExceed: "at-the-crossing" }))).toMatchObject({
      taxPaise: 0n,
      reason: "below-threshold",
    });
  });

  it("pays what earlier exempt credits of the year lack, once", () => {
    const marked = credit({
      grossPaise: 1_00_000_00n,
      yearGrossBeforePaise: THREE_LAKH,
      likelyToExceed: true,
    });
    expect(assessed(marked)).toMatchObject({ taxPaise: 400_00n, reason: "catch-up" });
  });

  it("has paid the same when the year crosses as anybody else", () => {
    const credits = ["a", "b", "c"].map((key) => ({
      key,
      creditedOn: "2025-05-02",
      grossPaise: 2_00_000_00n,
      availablePaise: 1_80_000_00n,
    }));
    const taxes = [true, false].map((likelyToExceed) => {
      const profile = {
        category: "individual",
        resident: true,
        panStatus: "valid",
        aadhaar: false,
        likelyToExceed,
        certificates: [],
      } as const;
      const result = assessCredits({ profile, years: [emptyYear(2025)], credits });
      return result.error ? undefined : result.lines.map(({ taxPaise }) => taxPaise);
    });
    expect(taxes).toEqual([
      [200_00n, 200_00n, 200_00n],
      [0n, 0n, 600_00n],
    ]);
  });
});
