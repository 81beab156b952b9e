import { expect, it } from "vitest";
import { wrapText } from "../../../lib/support/wrap-text.ts";

it("goes on below the second column of a table, and below the text of any other line", () => {
  const table = "  aadhaar?     true or false; true for an individual alone";
  expect(wrapText(table, { width: 44 })).toBe(
    "  aadhaar?     true or false; true for an\n               individual alone",
  );
  expect(wrapText("  no table, only words that go on", { width: 20 })).toBe(
    "  no table, only\n  words that go on",
  );
});
