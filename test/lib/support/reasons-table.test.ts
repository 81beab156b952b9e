import { expect, it } from "vitest";
import {
  countReason,
  reasonsTable,
  type ReasonCount,
  type ReasonItem,
} from "../../../lib/support/reasons-table.ts";

function counted(items: readonly ReasonItem[]): ReasonCount[] {
  const reasons: ReasonCount[] = [];
  for (const item of items) countReason(reasons, item);
  return reasons;
}

it("groups by outcome and reason, the most frequent first, with the sum and the first few", () => {
  const items = ["a", "b", "c", "d"].map((id) => ({
    id,
    outcome: "failed",
    code: "refused",
    amountPaise: 12_34_567_00n,
  }));
  const first = { id: "x", outcome: "unknown", code: "timeout", amountPaise: 50n };
  expect(reasonsTable("Reasons", counted([first, ...items]))).toEqual({
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
  expect(reasonsTable("Reasons", counted([item, item]))).toEqual({
    title: "Reasons",
    columns: ["Outcome", "Reason", "Count", "Such as"],
    rows: [["kept", "paid", "2", "a"]],
  });
});

it("counts every item, however many they are", () => {
  const items = Array.from({ length: 5_000 }, (_, number) => ({
    id: `b-${number}`,
    outcome: "failed",
    code: "refused",
  }));
  expect(counted(items)).toEqual([
    {
      outcome: "failed",
      code: "refused",
      count: 5_000,
      amountPaise: null,
      ids: ["b-0", "b-1", "b-2"],
    },
  ]);
});
