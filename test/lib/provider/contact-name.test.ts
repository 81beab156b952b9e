import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { accountHolderName, contactName } from "../../../lib/provider/index.ts";

describe("a contact's name", () => {
  it.each([
    ["Asha Rao", "Asha Rao"],
    ["  Asha \n  Rao ", "Asha Rao"],
    ["José D'Souza", "Jose D’Souza"],
    ["Rao & Sons (Pvt.) Ltd", "Rao and Sons (Pvt.) Ltd"],
    ["Asha, Rao; #1", "Asha Rao 1"],
    ["A".repeat(60), "A".repeat(50)],
    [`${"A".repeat(49)} B`, "A".repeat(49)],
    ["Jo", undefined],
    ["आशा राव", undefined],
    ["Jo\u200dse \u200cRao", "Jose Rao"],
    ["Asha\u200bRao\u00ad", "AshaRao"],
    ["", undefined],
  ])("%j becomes %j", (name, expected) => {
    expect(contactName(name)).toBe(expected);
  });

  it("keeps the provider's rules whatever comes in", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 120 }), (name) => {
        const result = contactName(name);
        if (result === undefined) return;
        expect(result).toMatch(/^[a-zA-Z0-9’\-_/(). ]{3,50}$/u);
        expect(contactName(result)).toBe(result);
      }),
    );
  });
});

describe("an account holder's name", () => {
  it.each([
    ["Asha\tRao", "Asha Rao"],
    ["आशा राव", "आशा राव"],
    ["José D'Souza", "José D'Souza"],
    ["नन्\u200dदन पाटील", "नन्\u200dदन पाटील"],
    ["രാജന്\u200d", "രാജന്\u200d"],
    ["Asha\u200bRao \u202eX", "AshaRao X"],
    ["A".repeat(130), "A".repeat(120)],
    ["Jo", undefined],
  ])("%j becomes %j", (name, expected) => {
    expect(accountHolderName(name)).toBe(expected);
  });
});
