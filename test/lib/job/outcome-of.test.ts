import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { LockUnavailableError } from "../../../lib/job/lock/index.ts";
import { interrupted, outcomeOfError, outcomeOfVerdict } from "../../../lib/job/outcome-of.ts";
import type { InterruptReason } from "../../../lib/job/outcome.ts";
import { listenForStop, type StopSignal } from "../../../lib/job/signals.ts";
import { minutes } from "../../../lib/support/clock.ts";
import { AfterhoursError } from "../../../lib/support/errors.ts";
import { LeaseLostError } from "../../../lib/support/lease.ts";

const URL = "postgres://app:s3cret@db.example:5432/afterhours";

let stop: StopSignal;
beforeEach(() => void (stop = listenForStop({ deadlineMs: minutes(1) })));
afterEach(() => stop.dispose());

const withCode = (code: string, message = "it failed") =>
  Object.assign(new Error(message), { code });

describe("a verdict", () => {
  it("is the outcome", () => {
    expect(outcomeOfVerdict({ kind: "completed" }, { databaseUrl: URL, stop })).toEqual({
      kind: "completed",
    });
    const partial = { kind: "partial" as const, reason: "r", message: "m" };
    expect(outcomeOfVerdict(partial, { databaseUrl: URL, stop })).toEqual(partial);
  });

  it("of a run that an error ended is what the error means", () => {
    const error = withCode("ECONNREFUSED");
    expect(outcomeOfVerdict({ kind: "broken", error }, { databaseUrl: URL, stop })).toMatchObject({
      kind: "failed",
      code: "db-unreachable",
    });
  });

  it("of a run that met a table which another session holds is no bug, and says where to look", () => {
    const error = withCode("55P03", "canceling statement due to lock timeout");
    expect(outcomeOfVerdict({ kind: "broken", error }, { databaseUrl: URL, stop })).toMatchObject({
      kind: "failed",
      code: "db-busy",
      remedy: expect.stringContaining("pg_blocking_pids") as string,
    });
  });

  it.each<[InterruptReason, string]>([
    ["SIGINT", "SIGINT"],
    ["SIGTERM", "SIGTERM"],
    ["deadline", "deadline"],
    ["lease-lost", "lock"],
  ])("of an interruption is completed with what asked for it: %s", (reason, said) => {
    stop.stop(reason);
    expect(outcomeOfVerdict({ kind: "interrupted" }, { databaseUrl: URL, stop })).toMatchObject({
      kind: "interrupted",
      reason,
      message: expect.stringContaining(said) as string,
    });
  });
});

describe("a verdict of a run that lost its lock", () => {
  it("is not that all is done, and is what it is when that is red by itself", () => {
    stop.stop("lease-lost");
    expect(outcomeOfVerdict({ kind: "completed" }, { databaseUrl: URL, stop })).toMatchObject({
      kind: "interrupted",
      reason: "lease-lost",
      message: expect.stringMatching(
        /this run had finished its work.*again is not needed/i,
      ) as string,
    });
    expect(outcomeOfVerdict({ kind: "interrupted" }, { databaseUrl: URL, stop })).toMatchObject({
      message: expect.stringContaining("Run it again to continue") as string,
    });
    const partial = { kind: "partial" as const, reason: "r", message: "m" };
    expect(outcomeOfVerdict(partial, { databaseUrl: URL, stop })).toEqual(partial);
  });
});

describe("what was thrown", () => {
  it.each<[string, unknown, string]>([
    ["an error of ours", new AfterhoursError("WORK_LEFT_BEHIND", "x"), "work-left-behind"],
    ["a lost connection", withCode("ECONNRESET"), "db-unreachable"],
    ["a shutdown of the database", withCode("57P01"), "db-unreachable"],
    ["a missing table", withCode("42P01"), "db-not-migrated"],
    ["a missing column", withCode("42703"), "db-not-migrated"],
    ["a missing right", withCode("42501"), "db-permission-denied"],
    ["a standby", withCode("25006"), "db-read-only"],
    [
      "a lock store that takes no writes",
      new LockUnavailableError("PostgreSQL", withCode("25006")),
      "db-read-only",
    ],
    [
      "a lock store that is away",
      new LockUnavailableError("Redis", withCode("ECONNREFUSED")),
      "lock-unavailable",
    ],
    [
      "a lock store without its table",
      new LockUnavailableError("PostgreSQL", withCode("42P01")),
      "db-not-migrated",
    ],
    ["anything else", new TypeError("undefined is not a function"), "unexpected-error"],
    ["a text", "boom", "unexpected-error"],
    ["an object of a library", { statusCode: 500 }, "unexpected-error"],
    ["nothing", undefined, "unexpected-error"],
  ])("%s becomes a failure with a code, a message and the error", (_what, thrown, code) => {
    const outcome = outcomeOfError(thrown, URL, stop);
    expect(outcome).toMatchObject({ kind: "failed", code, error: expect.any(Error) as Error });
    if (outcome.kind !== "failed") return;
    expect(outcome.message).not.toBe("");
    expect(outcome.message).not.toContain("s3cret");
  });

  it("keeps the remedy of an error of ours, and says of any other that it is a bug", () => {
    const known = new AfterhoursError("A", "b", { remedy: "Do this." });
    expect(outcomeOfError(known, URL, stop)).toMatchObject({ message: "b.", remedy: "Do this." });
    expect(outcomeOfError(new Error(""), URL, stop)).toMatchObject({
      message: "Error",
      remedy: expect.stringContaining("bug") as string,
    });
  });

  it("without a known database is not taken for an error of one", () => {
    expect(outcomeOfError(withCode("ECONNREFUSED"), undefined, stop)).toMatchObject({
      code: "unexpected-error",
    });
  });

  it("for a database that was given up because nobody waits any longer is an interruption", () => {
    stop.stop("SIGINT");
    expect(outcomeOfError(withCode("ETIMEDOUT"), URL, stop)).toMatchObject({ kind: "failed" });
    stop.dispose();
    expect(outcomeOfError(withCode("ETIMEDOUT"), URL, stop)).toMatchObject({
      kind: "interrupted",
      reason: "SIGINT",
      message: expect.stringContaining("the database gave no answer in time") as string,
    });
    expect(outcomeOfError(new Error("boom"), URL, stop)).toMatchObject({ message: "boom" });
  });

  it("as a lost lease is an interruption, and stops everything else", () => {
    expect(outcomeOfError(new LeaseLostError("key"), URL, stop)).toEqual(interrupted(stop));
    expect(stop.reason()).toBe("lease-lost");
    expect(stop.signal.aborted).toBe(true);
  });
});
