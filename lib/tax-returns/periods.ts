import { addMonths } from "date-fns/addMonths";
import { addQuarters } from "date-fns/addQuarters";
import { endOfQuarter } from "date-fns/endOfQuarter";
import { formatISO } from "date-fns/formatISO";
import { getMonth } from "date-fns/getMonth";
import { lastDayOfMonth } from "date-fns/lastDayOfMonth";
import { parseISO } from "date-fns/parseISO";
import { setDate } from "date-fns/setDate";
import type { Day } from "../support/calendar.ts";

/** A quarter of the tax year, which begins in April. */
export interface Quarter {
  /** `2026Q2` */
  label: string;
  /** Both included. */
  from: Day;
  to: Day;
}

const MARCH = 2;

/**
 * `2026Q2` is the second quarter of the tax year that begins in April 2026: July to September 2026. Its
 * fourth is January to March 2027, as the quarterly statement counts them. Undefined for anything else.
 */
export function parseQuarter(text: string): Quarter | undefined {
  const [, year, number] = /^(20[0-9]{2})Q([1-4])$/i.exec(text) ?? [];
  if (year === undefined) return undefined;
  const from = addQuarters(parseISO(`${year}-04-01`), Number(number) - 1);
  return { label: text.toUpperCase(), from: dayOf(from), to: dayOf(endOfQuarter(from)) };
}

/**
 * The last day on which tax on a credit is deposited: the 7th of the month after it, and 30 April for
 * March (rule 30 of the Income-tax Rules, 1962; the rules under the 2025 Act keep the days).
 */
export function depositDueOn(creditedOn: Day): Day {
  const credited = parseISO(creditedOn);
  const nextMonth = addMonths(credited, 1);
  return dayOf(getMonth(credited) === MARCH ? lastDayOfMonth(nextMonth) : setDate(nextMonth, 7));
}

function dayOf(date: Date): Day {
  return formatISO(date, { representation: "date" });
}
