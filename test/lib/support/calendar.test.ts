import { getYear } from "date-fns/getYear";
import { parseISO } from "date-fns/parseISO";
import { subMonths } from "date-fns/subMonths";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  daysBetween,
  earlierDay,
  fiscalYearLabel,
  fiscalYearOf,
  isDay,
  istDay,
  requireDay,
} from "../../../lib/support/calendar.ts";

const instants = fc.date({
  min: new Date("1990-01-01T00:00:00Z"),
  max: new Date("2099-12-31T00:00:00Z"),
  noInvalidDate: true,
});

describe("a day", () => {
  it.each(["2024-02-29", "2025-12-31", "2026-04-01"])("accepts %s", (text) => {
    expect(isDay(text)).toBe(true);
  });

  it.each([
    "2025-02-29",
    "2025-13-01",
    "2025-00-10",
    "2025-04-31",
    "2025-4-1",
    "01-04-2025",
    "2025-04-01T00:00:00Z",
    "2025-04-01\n",
    " 2025-04-01",
    "",
  ])("refuses %j", (text) => {
    expect(isDay(text)).toBe(false);
  });
});

describe("the day in India", () => {
  it.each([
    ["2026-03-31T18:29:59.999Z", "2026-03-31"],
    ["2026-03-31T18:30:00.000Z", "2026-04-01"],
    ["2026-03-31T20:00:00.000Z", "2026-04-01"],
    ["2025-12-31T18:30:00.000Z", "2026-01-01"],
    ["2024-02-28T18:30:00.000Z", "2024-02-29"],
  ])("at %s is %s", (instant, day) => {
    expect(istDay(new Date(instant))).toBe(day);
  });

  it("holds every instant from 18:30 UTC of the day before, for 24 hours", () => {
    fc.assert(
      fc.property(instants, (instant) => {
        const start = new Date(`${istDay(instant)}T00:00:00+05:30`).getTime();
        expect(instant.getTime()).toBeGreaterThanOrEqual(start);
        expect(instant.getTime()).toBeLessThan(start + 24 * 60 * 60 * 1000);
      }),
    );
  });

  it("is counted from one to another across the change of a year", () => {
    expect(daysBetween("2027-12-30", "2028-03-01")).toBe(62);
    expect(daysBetween("2028-03-01", "2027-12-30")).toBe(-62);
    expect(daysBetween("2026-04-01", "2026-04-01")).toBe(0);
  });

  it("is a real day, whatever the instant", () => {
    fc.assert(
      fc.property(instants, (instant) => {
        expect(isDay(istDay(instant))).toBe(true);
      }),
    );
  });
});

describe("the financial year", () => {
  it.each([
    ["2025-03-31", 2024],
    ["2025-04-01", 2025],
    ["2025-12-31", 2025],
    ["2026-01-01", 2025],
    ["2026-03-31", 2025],
    ["2026-04-01", 2026],
  ])("of %s begins in %d", (day, year) => {
    expect(fiscalYearOf(day)).toBe(year);
  });

  it("is the year of the day three months before, for every day", () => {
    fc.assert(
      fc.property(instants, (instant) => {
        const day = istDay(instant);
        expect(fiscalYearOf(day)).toBe(getYear(subMonths(parseISO(day), 3)));
      }),
    );
  });

  // `SQL, DMY`, `German`, `Postgres` and others, as PostgreSQL writes a day in them.
  it.each([
    "20/11/2026",
    "20.11.2026",
    "11-20-2026",
    "29.11.2026 00:00",
    "infinity",
    "2026-1-1",
    "",
  ])("is not read out of %j, which no session of ours writes", (text) => {
    expect(() => fiscalYearOf(text)).toThrow(RangeError);
    expect(() => requireDay(text)).toThrow(RangeError);
  });

  it("is asked of a day as the database writes it", () => {
    expect(requireDay("2026-04-01")).toBe("2026-04-01");
  });

  it("turns at midnight in India, not at midnight UTC", () => {
    expect(fiscalYearOf(istDay(new Date("2026-03-31T18:29:59Z")))).toBe(2025);
    expect(fiscalYearOf(istDay(new Date("2026-03-31T18:30:00Z")))).toBe(2026);
  });

  it.each([
    [2025, "2025-26"],
    [1999, "1999-00"],
    [2009, "2009-10"],
  ])("%d is written %s", (year, label) => {
    expect(fiscalYearLabel(year)).toBe(label);
  });
});

it("of two days the earlier one is found by text", () => {
  expect(earlierDay("2025-12-31", "2026-01-01")).toBe("2025-12-31");
  expect(earlierDay("2026-01-01", "2025-12-31")).toBe("2025-12-31");
});
