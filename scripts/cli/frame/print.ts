import { csvLines, harmless } from "../../../lib/support/csv.ts";
import { formatRupees, toRupees, type Paise } from "../../../lib/support/money.ts";
import { oneLine } from "../../../lib/support/one-line.ts";
import { redactor } from "./redactor.ts";

/** For programs: amounts are decimal rupees, days and instants ISO 8601. */
export function toJsonText(value: unknown): string {
  return JSON.stringify(inRupees(value), undefined, 2);
}

const FREE_TEXT = new Set([
  "reason",
  "actor",
  "failureMessage",
  "failureCode",
  "detail",
  "details",
  "resolvedBy",
  "resolution",
]);

function inRupees(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inRupees);
  if (value instanceof Date) return value.toISOString();
  if (typeof value === "bigint") return value.toString();
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([field, item]: [string, unknown]) => {
      if (FREE_TEXT.has(field)) return [field, redactor.value(item)];
      if (!/paise$/i.test(field)) return [field, inRupees(item)];
      return [nameInRupees(field), typeof item === "bigint" ? toRupees(item) : item];
    }),
  );
}

function nameInRupees(field: string): string {
  return field.replace(/Paise$/, "Rupees").replace(/^paise$/, "rupees");
}

/** The fields of a row in the order of the CSV. The compiler asks for each field that the row has. */
export type Columns<Row> = { readonly [Field in keyof Row]-?: true };

/** For spreadsheets: the rows of `--json` with the same names and values, below a line of names. */
export function toCsvText(rows: readonly unknown[], fields: readonly string[]): string {
  const lines = rows.map((row) => {
    const cells = new Map(Object.entries(inRupees(row) as object));
    return fields.map((field) => csvCell(cells.get(nameInRupees(field))));
  });
  return csvLines([fields.map(nameInRupees), ...lines]);
}

/** Nothing is an empty cell; words of a list stand between semicolons; what has fields of its own is JSON. */
function csvCell(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "string") return harmless(value);
  if (Array.isArray(value) && value.every((item) => typeof item === "string"))
    return harmless(value.join("; "));
  return JSON.stringify(value);
}

export function money(paise: Paise | null, currency: string): string {
  if (paise === null) return "-";
  return currency === "INR" ? formatRupees(paise) : `${currency} ${toRupees(paise)}`;
}

export function section(title: string, lines: readonly string[]): string[] {
  return ["", title, ...(lines.length === 0 ? ["  none"] : lines.map((line) => `  ${line}`))];
}

export type Fact = readonly [label: string, value: string];

/** One thing: its name, then its facts, the labels of one width. */
export function page(name: string, facts: readonly Fact[]): string[] {
  const width = facts.reduce((widest, [label]) => Math.max(widest, label.length), 0);
  return [name, ...facts.map(([label, value]) => `  ${label.padEnd(width)}  ${oneLine(value)}`)];
}

/** Prints one thing: as JSON for a program, else its page. */
export function printOne(
  thing: unknown,
  { json = false, lines }: { json?: boolean | undefined; lines: () => readonly string[] },
): void {
  console.log(json ? toJsonText(thing) : lines().join("\n"));
}

/** How a list is printed: as a table for a person, unless one of these is set. */
export interface ListFormat {
  json?: boolean;
  csv?: boolean;
}

/** Prints some of a kind, or in one sentence that there are none, and says where there are more. */
export function printList<T>(
  things: readonly T[],
  {
    format: { json = false, csv = false },
    columns,
    none,
    lines,
    shown = (thing) => thing,
    more = false,
    limit,
  }: {
    format: ListFormat;
    columns: Columns<T>;
    none: string;
    lines: (things: readonly T[]) => readonly string[];
    /** A thing as JSON and CSV have it, where that is not the thing itself. */
    shown?: (thing: T) => unknown;
    more?: boolean;
    limit?: number;
  },
): void {
  if (json) console.log(toJsonText(things.map(shown)));
  else if (csv) process.stdout.write(toCsvText(things.map(shown), Object.keys(columns)));
  else console.log(things.length === 0 ? none : lines(things).join("\n"));
  if (more && limit !== undefined) console.error(`There are more than ${limit}; use --limit.`);
}
