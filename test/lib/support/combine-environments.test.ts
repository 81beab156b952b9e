import { expect, it } from "vitest";
import { combineEnvironments, type EnvironmentSpec } from "../../../lib/support/environment.ts";

function specOf<Name extends string>(name: Name): EnvironmentSpec<Record<Name, string>> {
  const allowed = { form: "any text", example: "a" };
  const shared = { name: "SHARED", required: false, description: `read by ${name}`, allowed };
  return {
    variables: [{ name: name.toUpperCase(), required: true, description: name, allowed }, shared],
    parse(env) {
      const value = env[name.toUpperCase()];
      return value === undefined
        ? { ok: false, problems: [{ variable: name.toUpperCase(), problem: "is missing" }] }
        : { ok: true, settings: { [name]: value } as Record<Name, string>, secrets: [value] };
    },
  };
}

const both = combineEnvironments(specOf("one"), specOf("two"));

it("two specs combined read both, and keep the secrets of both", () => {
  expect(both.parse({ ONE: "1", TWO: "2" })).toEqual({
    ok: true,
    settings: { one: "1", two: "2" },
    secrets: ["1", "2"],
  });
});

it("two specs combined say at once what is wrong in either", () => {
  expect(both.parse({})).toMatchObject({
    ok: false,
    problems: [{ variable: "ONE" }, { variable: "TWO" }],
  });
  expect(both.parse({ ONE: "1" })).toMatchObject({ ok: false, problems: [{ variable: "TWO" }] });
});

it("two specs combined list a variable once, as the first describes it", () => {
  expect(both.variables.map(({ name }) => name)).toEqual(["ONE", "SHARED", "TWO"]);
  expect(both.variables[1]?.description).toBe("read by one");
});
