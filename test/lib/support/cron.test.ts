import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cronInWords } from "../../../lib/support/cron-in-words.ts";
import { intervalMs, lastTick, nextTick } from "../../../lib/support/cron.ts";
import { jobs } from "../../../jobs/registry.ts";

const at = (text: string): Date => new Date(text);

describe("the ticks of a schedule", () => {
  it.each([
    ["37 15 * * 1", "2026-11-25T00:00:00Z", "2026-11-23T15:37:00.000Z", "2026-11-30T15:37:00.000Z"],
    // At the minute itself, that tick is the last one.
    ["37 15 * * 1", "2026-11-23T15:37:00Z", "2026-11-23T15:37:00.000Z", "2026-11-30T15:37:00.000Z"],
    [
      "37 15 * * 1",
      "2026-11-23T15:36:59.999Z",
      "2026-11-16T15:37:00.000Z",
      "2026-11-23T15:37:00.000Z",
    ],
    // A month end, over a short February and a leap day.
    ["0 0 31 * *", "2027-02-10T00:00:00Z", "2027-01-31T00:00:00.000Z", "2027-03-31T00:00:00.000Z"],
    ["0 0 29 2 *", "2026-06-01T00:00:00Z", "2024-02-29T00:00:00.000Z", "2028-02-29T00:00:00.000Z"],
    // 31 March, 23:59 in India, is the last minute of its fiscal year.
    [
      "29 18 31 3 *",
      "2027-03-31T18:29:30Z",
      "2027-03-31T18:29:00.000Z",
      "2028-03-31T18:29:00.000Z",
    ],
    // Day of month and day of week are alternatives.
    ["0 0 1 * 1", "2026-02-01T12:00:00Z", "2026-02-01T00:00:00.000Z", "2026-02-02T00:00:00.000Z"],
  ])("%s at %s", (cron, now, last, next) => {
    expect(lastTick(cron, at(now)).toISOString()).toBe(last);
    expect(nextTick(cron, at(now)).toISOString()).toBe(next);
  });

  it("keep their Indian time where other countries change their clocks", () => {
    const [before, after] = [at("2026-10-24T00:00:00Z"), at("2026-10-26T00:00:00Z")];
    expect(intervalMs("7 3 * * *", before)).toBe(86_400_000);
    expect(intervalMs("7 3 * * *", after)).toBe(86_400_000);
  });

  it("of every job lie around any instant, and the one after the last is the next", () => {
    const crons = jobs.flatMap(({ schedule }) => (schedule === "by-hand" ? [] : [schedule.cron]));
    const instant = fc.date({
      min: at("2025-01-01T00:00:00Z"),
      max: at("2030-01-01T00:00:00Z"),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(fc.constantFrom(...crons), instant, (cron, now) => {
        const [last, next] = [lastTick(cron, now), nextTick(cron, now)];
        expect(last.getTime()).toBeLessThanOrEqual(now.getTime());
        expect(next.getTime()).toBeGreaterThan(now.getTime());
        expect(nextTick(cron, last)).toEqual(next);
      }),
    );
  });
});

it.each(["61 * * * *", "0 0 31 2 *"])("%s never comes, which is an error", (cron) => {
  expect(() => nextTick(cron, at("2026-11-25T00:00:00Z"))).toThrow();
});

it("a schedule is said in words", () => {
  expect(cronInWords("37 15 * * 1")).toBe("At 15:37, only on Monday");
});
