import { describe, expect, it } from "vitest";
import { AfterhoursError, errorCode, toError } from "../../../lib/support/errors.ts";

describe("an error for an operator", () => {
  it("carries a code, a message, a remedy and a cause", () => {
    const cause = new Error("refused");
    const error = new AfterhoursError("THING_BROKEN", "the thing broke", {
      remedy: "Mend it.",
      cause,
    });
    expect(error).toMatchObject({
      name: "AfterhoursError",
      code: "THING_BROKEN",
      message: "the thing broke",
      remedy: "Mend it.",
      cause,
    });
  });

  it("has no cause when none was given", () => {
    expect("cause" in new AfterhoursError("A", "b")).toBe(false);
  });
});

describe("whatever was thrown", () => {
  it("stays the same when it is an error", () => {
    const error = new TypeError("x");
    expect(toError(error)).toBe(error);
  });

  it("becomes an error with its text, or with itself as the cause", () => {
    expect(toError("plain text").message).toBe("plain text");
    const odd = { statusCode: 400 };
    expect(toError(odd).cause).toBe(odd);
    expect(toError(undefined)).toBeInstanceOf(Error);
  });

  it.each([
    [{ code: "ECONNREFUSED" }, "ECONNREFUSED"],
    [{ code: 42 }, undefined],
    [{}, undefined],
    [null, undefined],
    ["ECONNREFUSED", undefined],
  ])("%j has the code %j", (thrown, code) => {
    expect(errorCode(thrown)).toBe(code);
  });
});
