import { describe, expect, it } from "vitest";
import {
  duration,
  environmentOf,
  group,
  mapped,
  oneOf,
  rupees,
  text,
  wholeNumber,
  yesOrNo,
} from "../../../lib/support/settings.ts";

const spec = environmentOf({
  keep: duration("hours", {
    name: "KEEP_HOURS",
    default: 24,
    description: "x",
    least: 1,
    most: 48,
  }),
  least: rupees({ name: "LEAST", default: "500", description: "x", least: 100n, example: "500" }),
  limits: group({
    count: wholeNumber({
      name: "COUNT",
      default: 3,
      description: "x",
      unit: "rows",
      least: 0,
      most: 9,
    }),
    loud: mapped(yesOrNo({ name: "LOUD", default: "no", description: "x" }), (loud) =>
      loud ? "loud" : "quiet",
    ),
  }),
  mode: oneOf({ name: "MODE", default: "a", description: "x", words: ["a", "b"] }),
  label: text({
    name: "LABEL",
    default: "none",
    description: "x",
    pattern: /^[a-z]+$/,
    form: "small letters",
    example: "abc",
  }),
});

describe("settings from their declarations", () => {
  it("have the defaults where nothing, or only white space, is set", () => {
    expect(spec.parse({ KEEP_HOURS: " " })).toEqual({
      ok: true,
      settings: {
        keep: 24 * 3_600_000,
        least: 500_00n,
        limits: { count: 3, loud: "quiet" },
        mode: "a",
        label: "none",
      },
      secrets: [],
    });
  });

  it("declare each variable in the order of the fields", () => {
    expect(spec.variables.map(({ name }) => name)).toEqual([
      "KEEP_HOURS",
      "LEAST",
      "COUNT",
      "LOUD",
      "MODE",
      "LABEL",
    ]);
    expect(spec.variables[0]).toEqual({
      name: "KEEP_HOURS",
      required: false,
      default: "24",
      description: "x",
      unit: "hours",
      allowed: { least: 1, most: 48 },
    });
  });

  it.each([
    ["KEEP_HOURS", "49", "expected a whole number from 1 to 48"],
    ["KEEP_HOURS", "1.5", "expected a whole number from 1 to 48"],
    ["KEEP_HOURS", "-1", "expected a whole number from 1 to 48"],
    ["LEAST", "0.99", "expected an amount in rupees of at least 1, such as 500"],
    ["LEAST", "1,000", "expected an amount in rupees of at least 1, such as 500"],
    ["COUNT", "ten", "expected a whole number from 0 to 9"],
    ["LOUD", "YES", "expected yes or no"],
    ["MODE", "c", "expected a or b"],
    ["LABEL", "ABC", "expected small letters"],
  ])("refuse %s=%s, and say what was expected without the value", (variable, value, problem) => {
    expect(spec.parse({ [variable]: value })).toEqual({
      ok: false,
      problems: [{ variable, problem }],
    });
  });

  it("say all problems at once, those of a check beyond single variables too", () => {
    const checked = environmentOf(
      { mode: oneOf({ name: "MODE", default: "a", description: "x", words: ["a", "b"] }) },
      (_env, problems) => void problems.push({ variable: "OTHER", problem: "is wrong" }),
    );
    expect(checked.parse({ MODE: "c" })).toMatchObject({
      ok: false,
      problems: [{ variable: "MODE" }, { variable: "OTHER" }],
    });
  });
});
