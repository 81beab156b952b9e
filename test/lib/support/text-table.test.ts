import { describe, expect, it } from "vitest";
import { textTable } from "../../../lib/support/text-table.ts";
import { markdownTable } from "../../../lib/support/markdown-table.ts";

describe("a table of a terminal", () => {
  it("aligns its columns, and leaves no space at the end of a line", () => {
    const rows = [
      ["one", "₹10.00"],
      ["thirteen", ""],
    ];
    expect(textTable(["payee", "amount"], rows)).toEqual([
      "payee     amount",
      "one       ₹10.00",
      "thirteen",
    ]);
  });

  it.each([
    ["मुनि", 3],
    ["Zoe\u0308", 3],
  ])("counts %s as the columns that a terminal shows", (name, columns) => {
    const [head = "", row = ""] = textTable(["payee name", "x"], [[name, "1"]]);
    expect(head).toBe("payee name  x");
    expect(row).toBe(`${name}${" ".repeat("payee name".length - columns)}  1`);
  });

  it("keeps each cell on its line", () => {
    expect(textTable(["a"], [["one\ntwo"]])).toEqual(["a", "one two"]);
  });

  it("is nothing without rows", () => {
    expect(textTable(["a", "b"], [])).toEqual([]);
  });
});

it("a table of Markdown escapes heads and cells alike", () => {
  const lines = markdownTable(["a|", "b"], [["1", "|2"]], (cell) => cell.replace("|", "&#124;"));
  expect(lines).toEqual(["| a&#124; | b |", "| --- | --- |", "| 1 | &#124;2 |"]);
});
