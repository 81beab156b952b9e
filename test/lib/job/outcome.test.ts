import { describe, expect, it } from "vitest";
import { exitCodeOf, explain, reasonOf, type Outcome } from "../../../lib/job/outcome.ts";

const table: [Outcome, number, string][] = [
  [{ kind: "completed" }, 0, ""],
  [{ kind: "skipped", reason: "maintenance", message: "paused" }, 0, "maintenance"],
  [{ kind: "skipped", reason: "lock-held", message: "held" }, 0, "lock-held"],
  [
    { kind: "partial", reason: "items-failed", message: "2 of 3", remedy: "look" },
    1,
    "items-failed",
  ],
  [{ kind: "failed", code: "db-unreachable", message: "no database" }, 1, "db-unreachable"],
  [{ kind: "interrupted", reason: "SIGTERM", message: "told to stop" }, 130, "SIGTERM"],
  [{ kind: "interrupted", reason: "lease-lost", message: "lost" }, 130, "lease-lost"],
  [
    { kind: "misconfigured", problems: [{ variable: "A", problem: "is missing" }] },
    2,
    "misconfigured",
  ],
];

describe("an outcome", () => {
  it.each(table)("%j has exit code %d and reason %j", (outcome, exitCode, reason) => {
    expect(exitCodeOf(outcome)).toBe(exitCode);
    expect(reasonOf(outcome)).toBe(reason);
    expect(explain(outcome).message).not.toBe("");
  });

  it("that is misconfigured says each problem on a line of its own, and what to do", () => {
    const problems = [
      { variable: "A", problem: "is missing" },
      { variable: "B", problem: "must be a number" },
    ];
    expect(explain({ kind: "misconfigured", problems })).toMatchObject({
      message: "A: is missing\nB: must be a number",
      remedy: expect.stringContaining("--help") as string,
    });
  });

  it("hands on message and remedy of what went wrong, and no remedy where there is none", () => {
    expect(explain({ kind: "partial", reason: "r", message: "m", remedy: "do this" })).toEqual({
      message: "m",
      remedy: "do this",
    });
    expect(explain({ kind: "failed", code: "c", message: "m" })).toEqual({ message: "m" });
  });
});
