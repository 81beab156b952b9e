import { oneLine } from "./one-line.ts";

/** Marks above and below a letter, and joiners: they take no column. */
const NO_COLUMN = /[\p{Mn}\p{Me}\p{Cf}]/gu;

/**
 * The lines of a table in aligned columns; none when it has no rows. Ours, and not a package's: see
 * docs/decisions/0006-tables-of-the-terminal.md.
 */
export function textTable(
  columns: readonly string[],
  rows: readonly (readonly string[])[],
): string[] {
  if (rows.length === 0) return [];
  const cells = [columns, ...rows].map((row) => row.map(oneLine));
  const widths = columns.map((_, index) =>
    cells.reduce((widest, row) => Math.max(widest, widthOf(row[index] ?? "")), 0),
  );
  return cells.map((row) =>
    row
      .map((cell, index) => cell + " ".repeat(Math.max(0, (widths[index] ?? 0) - widthOf(cell))))
      .join("  ")
      .trimEnd(),
  );
}

function widthOf(text: string): number {
  return Array.from(text.replace(NO_COLUMN, "")).length;
}
