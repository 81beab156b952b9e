import { stringify } from "csv-stringify/sync";

/** RFC 4180: commas, lines that end with CR LF, quotes where a cell needs them. */
export function csvLines(rows: readonly (readonly string[])[]): string {
  return stringify(
    rows.map((row) => [...row]),
    { record_delimiter: "windows" },
  );
}

/** A text that begins like a formula must be none to a spreadsheet; an amount below zero is none. */
export function harmless(text: string): string {
  return /^[=+\-@\t\r]/.test(text) && !/^-\d+(\.\d+)?$/.test(text) ? `'${text}` : text;
}
