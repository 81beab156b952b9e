import { describe, expect, it } from "vitest";
import { RATE_PERIODS, ratesOn, STATUTE_PERIODS, statuteOn } from "../../../lib/tds/law.ts";

describe("the rates in force", () => {
  it.each([
    ["2020-09-30", undefined],
    ["2020-10-01", 75],
    ["2021-03-31", 75],
    ["2021-04-01", 100],
    ["2024-09-30", 100],
    ["2024-10-01", 10],
    ["2026-03-31", 10],
    ["2026-04-01", 10],
  ])("on %s are %s basis points", (day, rateBps) => {
    expect(ratesOn(day)?.rateBps).toBe(rateBps);
  });

  it("keep 5% without PAN and the exemption of five lakh rupees throughout", () => {
    for (const period of RATE_PERIODS) {
      expect(period.noPanRateBps).toBe(500);
      expect(period.thresholdPaise).toBe(50_000_000n);
    }
  });
});

describe("section, code and forms", () => {
  it("are those of the 1961 Act until 31 March 2026", () => {
    expect(statuteOn("2026-03-31")).toMatchObject({
      act: "act1961",
      section: "194-O",
      code: "94O",
      statementForm: "26Q",
      certificateForm: "16A",
      lowerDeductionSection: "197",
    });
  });

  it("are those of the 2025 Act from 1 April 2026", () => {
    expect(statuteOn("2026-04-01")).toMatchObject({
      act: "act2025",
      section: "393(1) Table Sl. No. 8(v)",
      code: "1035",
      statementForm: "140",
      certificateForm: "131",
      lowerDeductionSection: "395",
    });
  });

  it("are refused for what is no day", () => {
    expect(() => statuteOn("")).toThrow(/YYYY-MM-DD/);
  });
});

it.each([
  ["rates", RATE_PERIODS],
  ["statutes", STATUTE_PERIODS],
])("the table of %s stands newest first, which the look-up relies on", (_name, periods) => {
  const days = periods.map((period) => period.from);
  expect(days).toEqual([...new Set(days)].sort().reverse());
});
