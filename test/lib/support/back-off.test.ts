import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { backOffMs, UP_TO_A_FIFTH_MORE } from "../../../lib/support/back-off.ts";

const waits = (backOff: Parameters<typeof backOffMs>[0], random = 0): (number | undefined)[] =>
  [1, 2, 3, 4].map((failedTries) => backOffMs(backOff, failedTries, () => random));

describe("a back-off", () => {
  it("doubles its waits up to the longest", () => {
    expect(waits({ firstMs: 500, longestMs: 1500 })).toEqual([500, 1000, 1500, 1500]);
  });

  it("ends after its tries", () => {
    expect(waits({ firstMs: 500, factor: 4, tries: 3 })).toEqual([500, 2000, undefined, undefined]);
  });

  it.each([
    [[0, 1] as const, 0, 0],
    [[0, 1] as const, 0.5, 500],
    [UP_TO_A_FIFTH_MORE, 0, 1000],
    [UP_TO_A_FIFTH_MORE, 0.5, 1100],
    [[0.5, 1.5] as const, 0.5, 1000],
  ])("with jitter %j waits %d of the way between the two", (jitter, random, expected) => {
    expect(backOffMs({ firstMs: 1000, jitter }, 1, () => random)).toBe(expected);
  });

  it("never waits longer than the most jitter of the longest wait", () => {
    fc.assert(
      fc.property(fc.nat(1000), fc.double({ min: 0, max: 0.999, noNaN: true }), (tried, random) => {
        const backOff = { firstMs: 500, longestMs: 8000, jitter: UP_TO_A_FIFTH_MORE };
        const waitMs = backOffMs(backOff, tried + 1, () => random);
        expect(waitMs).toBeGreaterThanOrEqual(500);
        expect(waitMs).toBeLessThanOrEqual(9600);
      }),
    );
  });
});
