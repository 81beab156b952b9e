import { expect, it } from "vitest";
import { DOCUMENTED_REASONS, nextStep, reasonsWith, ruleOf } from "../../../lib/provider/index.ts";

it("has an action for each of the 35 reasons that the provider documents", () => {
  expect(DOCUMENTED_REASONS).toHaveLength(35);
  const states = DOCUMENTED_REASONS.map((reason) => ruleOf(reason)?.state);
  const count = (state: string) => states.filter((each) => each === state).length;
  expect(["failed", "processing", "queued", "pending", "processed"].map(count)).toEqual([
    23, 5, 5, 1, 1,
  ]);
});

it("puts an account on hold for details alone, and waits for what the provider has not decided", () => {
  expect(reasonsWith("new-details")).toHaveLength(9);
  expect(reasonsWith("wait").every((reason) => ruleOf(reason)?.state !== "failed")).toBe(true);
  expect(reasonsWith("wait")).toHaveLength(11);
  expect(reasonsWith("retry").map((reason) => ruleOf(reason)?.waitMinutes)).toEqual([
    30, 30, 30, 30, 30, 30, 30, 60, 0, 0,
  ]);
});

it("knows nothing of a reason that is not documented, nor of one that looks like a method", () => {
  for (const reason of ["made_up", "toString", "__proto__", "", null]) {
    expect(ruleOf(reason)).toBeUndefined();
    expect(nextStep(reason)).toBeUndefined();
  }
});
