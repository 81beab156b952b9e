import { invisibleIn } from "../support/invisible.ts";
import { columnNames, columnOf, type ColumnName } from "./columns.ts";
import type { Problem } from "./problems.ts";

const REQUIRED: readonly ColumnName[] = [
  "consultant",
  "pan",
  "category",
  "booking_reference",
  "credit_date",
  "gross",
  "platform_fee",
];

export interface Header {
  /** The column at each position. */
  columns: readonly ColumnName[];
}

/** Reads a header row; every unknown, repeated and missing column is a problem of its own. */
export function readHeader(
  cells: readonly string[],
  line: number,
): { header: Header } | { problems: Problem[] } {
  const problems: Problem[] = [];
  const columns: ColumnName[] = [];
  cells.forEach((cell, index) => {
    const column = columnOf(cell);
    if (column === undefined) {
      problems.push({ line, message: unknownColumn(cell, index + 1) });
    } else if (columns.includes(column)) {
      problems.push({ line, column, message: `stands twice (heading ${quote(cell)})` });
    } else {
      columns.push(column);
    }
  });
  if (columns.length === 0) return { problems: [notAHeader(cells, line)] };

  const missing = REQUIRED.filter((column) => !columns.includes(column));
  for (const column of missing) problems.push({ line, column, message: "the column is missing" });
  problems.push(...missingAccount(columns, line));
  return problems.length > 0 ? { problems } : { header: { columns } };
}

function missingAccount(columns: readonly ColumnName[], line: number): Problem[] {
  const ifsc = columns.includes("ifsc");
  const accountNumber = columns.includes("account_number");
  if (ifsc !== accountNumber) {
    const column = ifsc ? "account_number" : "ifsc";
    return [{ line, column, message: "the column is missing; it stands beside the other half" }];
  }
  if (ifsc || columns.includes("vpa")) return [];
  return [{ line, message: "columns ifsc and account_number, or vpa, are missing" }];
}

function notAHeader(cells: readonly string[], line: number): Problem {
  const only = cells.length === 1 ? (cells[0] ?? "") : "";
  const separator = only.includes(";") ? "semicolons" : only.includes("\t") ? "tabs" : undefined;
  if (separator !== undefined) {
    return { line, message: `values are separated by ${separator}; export the file with commas` };
  }
  return {
    line,
    message: `the first row holds no known column; expected a header such as ${REQUIRED.join(",")}`,
  };
}

function unknownColumn(cell: string, position: number): string {
  if (cell.trim() === "") return `column ${position} has no heading`;
  const hidden = invisibleIn(cell);
  const holds =
    hidden === undefined ? "" : `, which holds a character that cannot be seen (${hidden}),`;
  return `unknown column ${quote(cell)}${holds} at position ${position}; known are ${columnNames.join(", ")}`;
}

/** A heading as a person may see it: one with digits or `@` could be a value, and is not shown. */
function quote(heading: string): string {
  if (/[0-9@]/.test(heading)) return "(not shown)";
  return JSON.stringify(heading.length > 40 ? `${heading.slice(0, 40)}…` : heading);
}
