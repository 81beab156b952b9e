import { expect, it } from "vitest";
import { reasonsTable } from "../../../lib/support/reasons-table.ts";

it("groups by outcome and reason, the most frequent first, with the sum and the first few", () => {
  const items = ["a", "b", "c", "d"].map((id) => ({
    id,
    outcome: "failed",
    code: "refused",
    amountPaise: 12_34_567_00n,
  }));
  expect(
    reasonsTable("Reasons", [
      { id: "x", outcome: "unknown", code: "timeout", amountPaise: 50n },
      ...items,
    ]),
  ).toEqual({
    title: "Reasons",
    columns: ["Outcome", "Reason", "Count", "Rupees", "Such as"],
    rows: [
      ["failed", "refused", "4", "₹49,38,268.00", "a, b, c"],
      ["unknown", "timeout", "1", "₹0.50", "x"],
    ],
  });
});

it("has no column of amounts where there are none, and names each id once", () => {
  const item = { id: "a", outcome: "kept", code: "paid" };
  expect(reasonsTable("Reasons", [item, item])).toEqual({
    title: "Reasons",
    columns: ["Outcome", "Reason", "Count", "Such as"],
    rows: [["kept", "paid", "2", "a"]],
  });
});
