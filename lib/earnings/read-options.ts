/** How days are written in a file. Never guessed: 05/11/2026 is two days. */
export const DATE_FORMATS = ["yyyy-mm-dd", "dd/mm/yyyy"] as const;
export type DateFormat = (typeof DATE_FORMATS)[number];

/** How rupees are written: `123456.00`, or also `1,23,456.00`. */
export const AMOUNT_FORMATS = ["plain", "indian"] as const;
export type AmountFormat = (typeof AMOUNT_FORMATS)[number];

/** A person's statements about a file before it is read. */
export interface ReadOptions {
  /** Default `yyyy-mm-dd`. */
  dateFormat?: DateFormat;
  /** Default `plain`. */
  amounts?: AmountFormat;
  /** Codes of branches that are newer than our list. */
  allowIfsc?: readonly string[];
  /** Takes identifiers that look as if a spreadsheet had cut them. Default false. */
  acceptLongNumbers?: boolean;
}

/** As `ReadOptions`, complete. */
export interface ReadRules {
  dateFormat: DateFormat;
  amounts: AmountFormat;
  allowedIfsc: ReadonlySet<string>;
  acceptLongNumbers: boolean;
}

export function readRules({
  dateFormat = "yyyy-mm-dd",
  amounts = "plain",
  allowIfsc = [],
  acceptLongNumbers = false,
}: ReadOptions): ReadRules {
  const allowedIfsc = new Set(allowIfsc.map((code) => code.toUpperCase()));
  return { dateFormat, amounts, allowedIfsc, acceptLongNumbers };
}

/** The most of a file that is read: its rows and their problems are kept in memory. */
export interface FileLimits {
  mostBytes: number;
  mostRows: number;
}

/** A million rows of a finance export have about 110 MB, and take about 600 MB of memory. */
export const FILE_LIMITS: FileLimits = { mostBytes: 256 * 2 ** 20, mostRows: 1_000_000 };
