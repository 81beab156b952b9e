import type { Day } from "../support/calendar.ts";

/** A quarter of the tax year, which begins in April. */
export interface Quarter {
  /** `2026Q2` */
  label: string;
  /** Both included. */
  from: Day;
  to: Day;
}

const QUARTERS = [
  { from: "04-01", to: "06-30", yearsOn: 0 },
  { from: "07-01", to: "09-30", yearsOn: 0 },
  { from: "10-01", to: "12-31", yearsOn: 0 },
  { from: "01-01", to: "03-31", yearsOn: 1 },
] as const;

/**
 * `2026Q2` is the second quarter of the tax year that begins in April 2026: July to September 2026. Its
 * fourth is January to March 2027, as the quarterly statement counts them. Undefined for anything else.
 */
export function parseQuarter(text: string): Quarter | undefined {
  const match = /^(20[0-9]{2})Q([1-4])$/i.exec(text);
  const quarter = QUARTERS[Number(match?.[2]) - 1];
  if (!match || !quarter) return undefined;
  const year = Number(match[1]) + quarter.yearsOn;
  return {
    label: text.toUpperCase(),
    from: `${year}-${quarter.from}`,
    to: `${year}-${quarter.to}`,
  };
}

/**
 * The last day on which tax on a credit is deposited: the 7th of the month after it, and 30 April for
 * March (rule 30 of the Income-tax Rules, 1962; the rules under the 2025 Act keep the days).
 */
export function depositDueOn(creditedOn: Day): Day {
  const year = Number(creditedOn.slice(0, 4));
  const month = Number(creditedOn.slice(5, 7));
  if (month === 3) return `${year}-04-30`;
  if (month === 12) return `${year + 1}-01-07`;
  return `${year}-${String(month + 1).padStart(2, "0")}-07`;
}
