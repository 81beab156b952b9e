import { expect, it } from "vitest";
import { evaluate, interpolate } from "./expressions.ts";

const contexts = {
  inputs: { dry_run: true, limit: "", who: "Asha" },
  github: { run_id: "42" },
  secrets: {},
};

it.each([
  ["inputs.dry_run", true],
  ["inputs.nothing", null],
  ["inputs.dry_run && 'a' || 'b'", "a"],
  ["inputs.limit && 'a' || 'b'", "b"],
  ["secrets.URL && format('{0}/x', secrets.URL) || ''", ""],
  ["format('{0}-{1}', github.run_id, 'it''s')", "42-it's"],
  ["!inputs.limit", true],
  ["inputs.who == 'asha'", true],
  ["inputs.who != 'asha' || (inputs.dry_run)", true],
  ["always()", true],
])("evaluates %s as the runner does", (expression, value) => {
  expect(evaluate(expression, contexts)).toBe(value);
});

it("puts values into a text, and nothing for what is not there", () => {
  expect(interpolate("a ${{ inputs.dry_run }}${{ inputs.x }} ${{ github.run_id }}", contexts)).toBe(
    "a true 42",
  );
});

it.each([
  "toJSON(inputs)",
  "unknown.x",
  "inputs",
  "inputs.who == ",
  "inputs[0]",
  "'a' 'b'",
  "1 > 0",
])("refuses %s, which it does not know", (expression) => {
  expect(() => evaluate(expression, contexts)).toThrow(SyntaxError);
});
