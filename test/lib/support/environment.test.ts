import { expect, it } from "vitest";
import { present } from "../../../lib/support/environment.ts";

it.each([
  [undefined, undefined],
  ["", undefined],
  ["  \t", undefined],
  [" value ", "value"],
  ["0", "0"],
])("the variable %j reads as %j", (raw, expected) => {
  expect(present({ NAME: raw }, "NAME")).toBe(expected);
});
