import { describe, expect, it } from "vitest";
import {
  judgeJob,
  lostAfterMs,
  toleranceOf,
  type RunFacts,
  type WatchedJob,
} from "../../../lib/ops/watch/judge.ts";
import { minutes } from "../../../lib/support/clock.ts";

const HOUR_MS = 3_600_000;
const at = (text: string): Date => new Date(text);

function jobAt(cron: string, overrides: Partial<WatchedJob> = {}): WatchedJob {
  return {
    name: "payouts/process-payouts",
    schedule: { cron },
    lock: { ttlMs: minutes(35) },
    deadlineMs: minutes(30),
    ...overrides,
  };
}

/** A job whose last run began then and ended well. */
function ranAt(text: string, overrides: Partial<RunFacts> = {}): RunFacts {
  return {
    lastStartedAt: at(text),
    lastWorkedAt: at(text),
    lastSuccessAt: at(text),
    redInARow: 0,
    lastReason: null,
    skippedForMaintenance: 0,
    skippedForLock: 0,
    ...overrides,
  };
}

const NEVER: RunFacts = {
  ...ranAt("2026-01-01T00:00:00Z"),
  lastStartedAt: null,
  lastWorkedAt: null,
  lastSuccessAt: null,
};

const LONG_AGO = at("2025-01-01T00:00:00Z");

const kinds = (
  job: WatchedJob,
  facts: RunFacts,
  now: string,
  knownSince: Date | null = LONG_AGO,
): string[] => judgeJob(job, facts, { now: at(now), knownSince }).map(({ kind }) => kind);

const HOURLY = jobAt("9 * * * *");
const DAILY = jobAt("17 3 * * *");
const WEEKLY = jobAt("37 15 * * 1"); // 23 and 30 November 2026 are Mondays
const MONTH_END = jobAt("0 2 31 * *");

describe("a tick is missed", () => {
  it.each<[string, WatchedJob, string, string, string[]]>([
    ["not when the run came at once", WEEKLY, "2026-11-23T15:37:40Z", "2026-11-29T00:00:00Z", []],
    ["not when it came hours late", WEEKLY, "2026-11-23T22:10:00Z", "2026-11-29T00:00:00Z", []],
    // Two days of tolerance: the watchdog of Wednesday night sees it.
    ["not within its tolerance", WEEKLY, "2026-11-16T15:37:40Z", "2026-11-25T15:36:59Z", []],
    ["once that is over", WEEKLY, "2026-11-16T15:37:40Z", "2026-11-25T15:37:00Z", ["missed"]],
    [
      "not when GitHub dropped one and ran the next",
      HOURLY,
      "2026-11-23T12:10Z",
      "2026-11-23T14:30Z",
      [],
    ],
    ["when GitHub has dropped four", HOURLY, "2026-11-23T10:10Z", "2026-11-23T14:09Z", ["missed"]],
    [
      "not when the run was by hand, after its time",
      DAILY,
      "2026-11-23T11:00Z",
      "2026-11-25T03:16Z",
      [],
    ],
    [
      "when the run was by hand, before it",
      WEEKLY,
      "2026-11-23T14:00Z",
      "2026-11-25T16:00Z",
      ["missed"],
    ],
    [
      "not when the clocks differ by seconds",
      WEEKLY,
      "2026-11-23T15:36:30Z",
      "2026-11-26T00:00Z",
      [],
    ],
    [
      "not in a month that has no such day",
      MONTH_END,
      "2027-01-31T02:01Z",
      "2027-03-30T00:00Z",
      [],
    ],
    [
      "at the end of the fiscal year",
      MONTH_END,
      "2027-01-31T02:01Z",
      "2027-04-02T02:00Z",
      ["missed"],
    ],
    ["not before that is over", MONTH_END, "2027-01-31T02:01Z", "2027-04-02T01:59Z", []],
    // When Europe sets its clocks back, an hour of UTC stays an hour.
    ["not by a change of clocks elsewhere", DAILY, "2026-10-24T03:17:20Z", "2026-10-26T03:16Z", []],
  ])("%s", (_when, job, last, now, expected) => {
    expect(kinds(job, ranAt(last), now)).toEqual(expected);
  });

  it("with the tick and the last run in the report", () => {
    const [fault] = judgeJob(WEEKLY, ranAt("2026-11-16T15:38:00Z"), {
      now: at("2026-11-26T00:00:00Z"),
      knownSince: LONG_AGO,
    });
    expect(fault).toEqual({
      job: "payouts/process-payouts",
      kind: "missed",
      since: at("2026-11-23T15:37:00Z"),
      detail: "no run has begun since; the last one began 2026-11-16T15:38:00.000Z",
    });
  });

  it("never for a job that only a person starts", () => {
    expect(kinds(jobAt("", { schedule: "by-hand" }), NEVER, "2026-11-26T00:00:00Z")).toEqual([]);
  });
});

describe("the tolerance", () => {
  it.each<[string, WatchedJob, number]>([
    ["of a job every hour is 3 hours", HOURLY, 3],
    ["of a job every six hours is twice that", jobAt("47 2,8,14,20 * * *"), 12],
    ["of a daily job is two days", DAILY, 48],
    ["of a weekly job is two days: a week unpaid is too late", WEEKLY, 48],
    ["is what the job says", jobAt("37 15 * * 1", { toleranceMs: 7 * HOUR_MS }), 7],
  ])("%s", (_which, job, hours) => {
    expect(toleranceOf(job, at("2026-11-25T00:00:00Z"))).toBe(hours * HOUR_MS);
  });

  it("of the job decides", () => {
    const strict = jobAt("37 15 * * 1", { toleranceMs: HOUR_MS });
    expect(kinds(strict, ranAt("2026-11-16T15:38:00Z"), "2026-11-23T16:37:00Z")).toEqual([
      "missed",
    ]);
    expect(kinds(strict, ranAt("2026-11-16T15:38:00Z"), "2026-11-23T16:36:59Z")).toEqual([]);
  });
});

describe("a job that has never been run", () => {
  it("is not due before its first tick since anything was recorded", () => {
    const installed = at("2026-11-23T16:00:00Z"); // 23 minutes after its tick
    expect(kinds(WEEKLY, NEVER, "2026-11-30T15:00:00Z", installed)).toEqual([]);
    expect(kinds(WEEKLY, NEVER, "2026-12-02T15:36:59Z", installed)).toEqual([]);
    expect(kinds(WEEKLY, NEVER, "2026-12-02T15:37:00Z", installed)).toEqual(["never-succeeded"]);
  });

  it("is not due where nothing was ever recorded", () => {
    expect(kinds(WEEKLY, NEVER, "2026-11-26T00:00:00Z", null)).toEqual([]);
  });
});

describe("a job that is skipped", () => {
  const skipped = (last: string, lastWorked: string): RunFacts =>
    ranAt(last, {
      lastWorkedAt: at(lastWorked),
      lastSuccessAt: at(lastWorked),
      skippedForMaintenance: 5,
      skippedForLock: 1,
    });

  it("for a maintenance shorter than its tolerance is no fault", () => {
    const facts = skipped("2026-11-23T14:09:20Z", "2026-11-23T11:09:20Z");
    expect(kinds(HOURLY, facts, "2026-11-23T14:30:00Z")).toEqual([]);
  });

  it("for longer is one, with how often and why: it is not missed", () => {
    const facts = skipped("2026-11-23T14:09:20Z", "2026-11-23T08:09:20Z");
    const [fault, ...others] = judgeJob(HOURLY, facts, {
      now: at("2026-11-23T14:30:00Z"),
      knownSince: LONG_AGO,
    });
    expect(others).toEqual([]);
    expect(fault).toMatchObject({ kind: "skipped", since: at("2026-11-23T11:09:00Z") });
    expect(fault?.detail).toBe("every run since was skipped: 5 for maintenance, 1 for its lock");
  });
});

describe("red runs in a row", () => {
  const failed = (redInARow: number, lastSuccessAt: Date | null): RunFacts =>
    ranAt("2026-11-23T15:37:40Z", { redInARow, lastReason: "db-unreachable", lastSuccessAt });

  it.each<[string, WatchedJob, number, string[]]>([
    ["one of a weekly job says so itself", WEEKLY, 1, []],
    ["two of a weekly job are reported", WEEKLY, 2, ["failing"]],
    ["two of an hourly job may be one outage", HOURLY, 2, []],
    ["three of an hourly job are reported", HOURLY, 3, ["failing"]],
  ])("%s", (_what, job, count, expected) => {
    expect(kinds(job, failed(count, LONG_AGO), "2026-11-23T16:00:00Z")).toEqual(expected);
  });

  it("of a job that never succeeded say so", () => {
    const faults = judgeJob(WEEKLY, failed(2, null), {
      now: at("2026-11-23T16:00:00Z"),
      knownSince: LONG_AGO,
    });
    expect(faults.map(({ kind, detail }) => [kind, detail])).toEqual([
      ["never-succeeded", "2 red runs in a row, the last one db-unreachable"],
    ]);
  });
});

it("a run is lost when neither its time nor its lock can be left, and by hand when its time is over twice", () => {
  expect(lostAfterMs(DAILY)).toBe(minutes(65));
  expect(lostAfterMs(jobAt("", { schedule: "by-hand", lock: "none" }))).toBe(minutes(60));
});
