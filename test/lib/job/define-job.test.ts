import { describe, expect, it } from "vitest";
import { jobs } from "../../../jobs/registry.ts";
import { minutes } from "../../../lib/support/clock.ts";
import { testJob, type TestJob } from "./test-job.ts";

const lock = { failMode: "closed" as const, ttlMs: minutes(2) };

describe("a declaration", () => {
  it("may be named by one word where that says all", () => {
    expect(testJob({ name: "ops/watchdog" }).name).toBe("ops/watchdog");
  });

  it("that keeps its own promises is taken as it is", () => {
    expect(testJob({ name: "slot-holds/free-stale-slots" }).name).toBe(
      "slot-holds/free-stale-slots",
    );
  });

  it.each<[string, Partial<TestJob>, string]>([
    ["a name without a domain", { name: "count-things" }, "name must be <domain>/<verb-noun>"],
    ["a name without a noun", { name: "tests/" }, "name must be <domain>/<verb-noun>"],
    ["a name with capitals", { name: "tests/Count-things" }, "name must be <domain>/<verb-noun>"],
    ["a name that climbs", { name: "../tests/count-things" }, "name must be <domain>/<verb-noun>"],
    ["six fields of cron", { schedule: { cron: "0 37 15 * * 1" } }, "cron must have five fields"],
    ["four fields of cron", { schedule: { cron: "37 15 * *" } }, "cron must have five fields"],
    ["no cron", { schedule: { cron: "" } }, "cron must have five fields"],
    [
      "names of days, which GitHub can not read",
      { schedule: { cron: "0 0 * * MON" } },
      "schedule.cron must be a schedule that GitHub reads",
    ],
    [
      "the last day of the month, which GitHub can not read",
      { schedule: { cron: "0 0 L * *" } },
      "schedule.cron must be a schedule that GitHub reads",
    ],
    ["no tolerance", { toleranceMs: 0 }, "toleranceMs must be positive"],
    ["no time to run", { deadlineMs: 0 }, "deadlineMs must be positive"],
    ["less than no time", { deadlineMs: -1 }, "deadlineMs must be positive"],
    [
      "a lock that ends with the deadline",
      { deadlineMs: minutes(2), lock },
      "lock.ttlMs must be longer than deadlineMs",
    ],
    [
      "a lock that ends before the deadline",
      { deadlineMs: minutes(3), lock },
      "lock.ttlMs must be longer than deadlineMs",
    ],
    ["no lock on a schedule", { lock: "none" }, "only a job by hand runs without a lock"],
    [
      "a flag on a schedule that nobody gives",
      { flags: [{ name: "region", description: "where", problemWith: () => undefined }] as never },
      "a schedule gives no flags, so --region needs a default",
    ],
    [
      "a default that the flag refuses",
      {
        flags: [
          { name: "region", description: "where", problemWith: () => "no", default: "all" },
        ] as never,
      },
      "the default of --region: no",
    ],
    ["no database session", { connections: 0 }, "connections must be at least 1"],
  ])("with %s is refused by name", (_what, overrides, problem) => {
    const name = overrides.name ?? "tests/count-things";
    expect(() => testJob(overrides)).toThrow(RangeError);
    expect(() => testJob(overrides)).toThrow(`job ${name}: `);
    expect(() => testJob(overrides)).toThrow(problem);
  });
});

describe("the jobs of the registry", () => {
  it("have names of their own", () => {
    const names = jobs.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names.length).toBeGreaterThan(0);
  });

  it.each(jobs.map((job) => [job.name, job] as const))(
    "%s: trust in its lease outlives its deadline, or it has none and is started by hand",
    (_name, job) => {
      if (job.lock === "none") expect(job.schedule).toBe("by-hand");
      else expect(job.lock.ttlMs * 0.9).toBeGreaterThan(job.deadlineMs);
    },
  );

  it.each(jobs.filter(({ movesMoney }) => movesMoney).map((job) => [job.name, job] as const))(
    "%s moves money: it does not run without its lock, nor in a degraded phase",
    (_name, job) => {
      if (job.schedule !== "by-hand") expect(job.lock).toMatchObject({ failMode: "closed" });
      expect(job.pausedBy).toBe("degraded");
    },
  );
});
