import { isDay, type Day } from "../support/calendar.ts";
import { parseRupees, type Paise } from "../support/money.ts";
import type { ColumnName } from "./columns.ts";
import type { AmountFormat, DateFormat } from "./read-options.ts";
import type { RowReader } from "./row-reader.ts";

const ISO_DAY = /^\d{4}-\d{2}-\d{2}$/;
const DAY_FIRST = /^(\d{1,2})([-/.])(\d{1,2})\2(\d{4})$/;
const OTHER_ORDER = /^\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}$/;

/** The day on which a row was credited; undefined when it was refused. */
export function readCreditDate(
  reader: RowReader,
  { today, dateFormat }: { today: Day; dateFormat: DateFormat },
): Day | undefined {
  const text = reader.text("credit_date");
  if (text === "") {
    reader.missing("credit_date");
    return undefined;
  }
  const written = inIsoOrder(text, dateFormat);
  if (written === undefined) {
    reader.refuse("credit_date", expectedDate(text, dateFormat));
    return undefined;
  }
  if (!isDay(written)) {
    reader.refuse("credit_date", `${text} is not a day of the calendar`);
    return undefined;
  }
  if (written > today) {
    reader.refuse("credit_date", `${written} is in the future; today in India is ${today}`);
    return undefined;
  }
  return written;
}

/** Another day of a row, such as the first of a certificate; undefined when it is none, or not written as the file says. */
export function parseDay(text: string, dateFormat: DateFormat): Day | undefined {
  const written = inIsoOrder(text, dateFormat);
  return written !== undefined && isDay(written) ? written : undefined;
}

function inIsoOrder(text: string, dateFormat: DateFormat): string | undefined {
  const written = dateFormat === "dd/mm/yyyy" ? dayFirst(text) : text;
  return written !== undefined && ISO_DAY.test(written) ? written : undefined;
}

/** `16/11/2026` to `2026-11-16`. */
function dayFirst(text: string): string | undefined {
  const [, day, , month, year] = DAY_FIRST.exec(text) ?? [];
  if (day === undefined || month === undefined || year === undefined) return undefined;
  return `${year}-${month.padStart(2, "0")}-${day.padStart(2, "0")}`;
}

function expectedDate(text: string, dateFormat: DateFormat): string {
  if (dateFormat === "dd/mm/yyyy") {
    return "expected DD/MM/YYYY as --date-format says, such as 16/11/2026";
  }
  const expected = "expected YYYY-MM-DD, such as 2026-11-16";
  if (!OTHER_ORDER.test(text)) return expected;
  return `day and month cannot be told apart; ${expected}; if the day comes first in the whole file, run again with --date-format dd/mm/yyyy`;
}

/** Lakhs and crores: three digits at the end, pairs before them. */
const INDIAN_GROUPS = /^\d{1,2}(?:,\d{2})*,\d{3}(?:\.\d{2})?$/;
const ANY_GROUPS = /^\d{1,3}(?:,\d{2,3})+(?:\.\d+)?$/;

/** An amount in rupees; undefined when it was refused. */
export function readRupees(
  reader: RowReader,
  column: ColumnName,
  amounts: AmountFormat,
): Paise | undefined {
  const text = reader.text(column);
  if (text === "") {
    reader.missing(column);
    return undefined;
  }
  const paise = parseAmount(text, amounts);
  if (paise === undefined) reader.refuse(column, expectedRupees(text, amounts));
  return paise;
}

/** Rupees, written as the file says. */
export function parseAmount(text: string, amounts: AmountFormat): Paise | undefined {
  const isGrouped = amounts === "indian" && INDIAN_GROUPS.test(text);
  return parseRupees(isGrouped ? text.replaceAll(",", "") : text);
}

function expectedRupees(text: string, amounts: AmountFormat): string {
  const sign = text.startsWith("-") ? "is negative; " : "";
  if (amounts === "indian") {
    return `${sign}expected rupees with two decimals or none, grouped as in India or not at all, such as 1,23,456.00`;
  }
  const option = ANY_GROUPS.test(text)
    ? "; if amounts are grouped as 1,23,456.00, run again with --amounts indian"
    : "";
  return `${sign}expected rupees with two decimals or none and no grouping, such as 1234.50${option}`;
}
