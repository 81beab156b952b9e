/** The lines of a table in Markdown: its heads, the line below them, its rows. */
export function markdownTable(
  columns: readonly string[],
  rows: readonly (readonly string[])[],
  /** Escapes the text of a cell. */
  escape: (cell: string) => string = (cell) => cell,
): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [
    line(columns.map(escape)),
    line(columns.map(() => "---")),
    ...rows.map((row) => line(row.map(escape))),
  ];
}
