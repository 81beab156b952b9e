import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  formatRupees,
  minPaise,
  parseRupees,
  sumPaise,
  toRupees,
} from "../../../lib/support/money.ts";

/** From nothing to the largest amount that an export can write: 13 digits of rupees. */
const paise = fc.bigInt({ min: 0n, max: 9_999_999_999_999_99n });

describe("rupees read from an export", () => {
  it.each([
    ["0", 0n],
    ["0.00", 0n],
    ["0.01", 1n],
    ["1", 100n],
    ["1234.50", 123_450n],
    ["9999999999999.99", 999_999_999_999_999n],
  ])("reads %j as %d paise", (text, expected) => {
    expect(parseRupees(text)).toBe(expected);
  });

  it.each([
    "",
    " 1",
    "1 ",
    "-1",
    "+1",
    "01",
    "1.5",
    "1.505",
    "1,234.50",
    "1e3",
    ".50",
    "1.",
    "₹1",
    "0x10",
    "NaN",
    "१२३",
    "1\n",
    "10000000000000",
  ])("refuses %j", (text) => {
    expect(parseRupees(text)).toBeUndefined();
  });
});

describe("rupees written for a person", () => {
  it.each([
    [0n, "₹0.00"],
    [5n, "₹0.05"],
    [99_999n, "₹999.99"],
    [100_000n, "₹1,000.00"],
    [10_000_000n, "₹1,00,000.00"],
    [123_456_700n, "₹12,34,567.00"],
    [100_000_000_000n, "₹1,00,00,00,000.00"],
    [-123_456_701n, "-₹12,34,567.01"],
  ])("writes %d paise as %s", (amount, expected) => {
    expect(formatRupees(amount)).toBe(expected);
  });

  it("stays exact where a number would not", () => {
    expect(formatRupees(9_007_199_254_740_993n)).toBe("₹9,00,71,99,25,47,409.93");
  });

  it("can be read back without the grouping, to the paisa", () => {
    fc.assert(
      fc.property(paise, (amount) => {
        const written = formatRupees(amount).replace("₹", "").replaceAll(",", "");
        expect(parseRupees(written)).toBe(amount);
      }),
    );
  });

  it("groups as India does: three digits at the end, pairs before them", () => {
    fc.assert(
      fc.property(paise, (amount) => {
        expect(formatRupees(amount)).toMatch(/^₹(\d{1,3}|\d{1,2}(,\d{2})*,\d{3})\.\d{2}$/);
      }),
    );
  });

  it("writes an owed amount as the negative of the same amount", () => {
    fc.assert(
      fc.property(paise, (amount) => {
        fc.pre(amount > 0n);
        expect(formatRupees(-amount)).toBe(`-${formatRupees(amount)}`);
      }),
    );
  });
});

describe("rupees written for a program", () => {
  it.each([
    [0n, "0.00"],
    [5n, "0.05"],
    [-5n, "-0.05"],
    [-1_234_567n, "-12345.67"],
  ])("writes %d paise as %s", (amount, expected) => {
    expect(toRupees(amount)).toBe(expected);
  });
});

describe("sums and minima", () => {
  it("add up beyond what a float can hold", () => {
    expect(sumPaise([9_007_199_254_740_993n, 1n, 1n])).toBe(9_007_199_254_740_995n);
    expect(sumPaise([])).toBe(0n);
  });

  it("take the smaller of two amounts", () => {
    expect(minPaise(1n, 2n)).toBe(1n);
    expect(minPaise(-1n, -2n)).toBe(-2n);
  });
});
