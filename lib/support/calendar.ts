import { tz } from "@date-fns/tz";
import { differenceInCalendarDays } from "date-fns/differenceInCalendarDays";
import { format } from "date-fns/format";
import { formatISO } from "date-fns/formatISO";
import { isValid } from "date-fns/isValid";
import { parseISO } from "date-fns/parseISO";

/**
 * Days of the Indian calendar. A day is a `YYYY-MM-DD` string: it has no time and no zone, it sorts
 * as text, and JSON carries it unchanged.
 */
export type Day = string;

/** The date and time of day in India. */
const india = { in: tz("Asia/Kolkata") };
const ZERO = "0".charCodeAt(0);
const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** Whether the text is a real day: `2025-02-29` is not. */
export function isDay(text: string): text is Day {
  return DAY.test(text) && isValid(parseISO(text));
}

/**
 * A day as the database wrote it. Another date style would give `01.04.2026`, whose first digits are no year.
 *
 * @throws {RangeError} where it is not `YYYY-MM-DD`
 */
export function requireDay(text: string): Day {
  if (DAY.test(text)) return text;
  throw new RangeError(`a day that is not written as YYYY-MM-DD: ${text}`);
}

/** The day in India at an instant: 20:00 UTC on 31 March is already 1 April there. */
export function istDay(instant: Date): Day {
  return formatISO(instant, { ...india, representation: "date" });
}

/** `2026-11-30 21:07`: the minute in India at an instant. */
export function istMinute(instant: Date): string {
  return format(instant, "yyyy-MM-dd HH:mm", india);
}

/** `21:07`: the time of day in India at an instant. With `weekday`: `Monday 21:07`. */
export function istTime(instant: Date, { weekday = false } = {}): string {
  return format(instant, weekday ? "EEEE HH:mm" : "HH:mm", india);
}

/** `25 November 2026, 21:07 IST` */
export function istInWords(instant: Date): string {
  return format(instant, "d MMMM yyyy, HH:mm 'IST'", india);
}

export function earlierDay(a: Day, b: Day): Day {
  return a < b ? a : b;
}

/** How many days the second is after the first; negative when it is before it. */
export function daysBetween(from: Day, to: Day): number {
  return differenceInCalendarDays(parseISO(to), parseISO(from));
}

/**
 * The financial year (from 2026 called the tax year) that a day belongs to, by the year in which it
 * begins: 1 April 2025 to 31 March 2026 is `2025`.
 *
 * @throws {RangeError} for a text that is no day: it must never become a year
 */
export function fiscalYearOf(day: Day): number {
  const year = numberAt(day, 0) * 100 + numberAt(day, 2);
  const month = numberAt(day, 5);
  const isIso = day.length === 10 && day[4] === "-" && day[7] === "-";
  if (!isIso || !(year >= 1900 && month >= 1 && month <= 12))
    throw new RangeError(`a text that is no day has no financial year: ${day}`);
  return month >= 4 ? year : year - 1;
}

/** Two digits of a day. This runs for each credit of a year: see docs/decisions/0004-tax-year-by-digits.md. */
function numberAt(day: Day, index: number): number {
  return (day.charCodeAt(index) - ZERO) * 10 + day.charCodeAt(index + 1) - ZERO;
}

/** `2025` to `2025-26`, as it is written on Indian forms. */
export function fiscalYearLabel(fiscalYear: number): string {
  return `${fiscalYear}-${String((fiscalYear + 1) % 100).padStart(2, "0")}`;
}
