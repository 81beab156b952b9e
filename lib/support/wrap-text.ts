/** Where nobody says how wide the terminal is: a pipe, a file, a log. */
export const USUAL_WIDTH = 80;

/**
 * Breaks lines at blanks, so that none is longer than `width` if its words allow that. A continued line has the
 * indent of its first line, or of the second column where there is one, or `hanging`.
 */
export function wrapText(
  text: string,
  { width, hanging }: { width: number; hanging?: number },
): string {
  return text
    .split("\n")
    .map((line) => wrapLine(line, width, hanging))
    .join("\n");
}

function wrapLine(line: string, width: number, hanging: number | undefined): string {
  if (line.length <= width) return line;
  const own = /^ */.exec(line)?.[0].length ?? 0;
  const indent = " ".repeat(hanging ?? secondColumnOf(line, width) ?? own);
  const lines: string[] = [];
  // The first words keep the blanks between them, which may be those of a table.
  let rest = line;
  let from = own;
  while (rest.length > width) {
    const at = rest.lastIndexOf(" ", width);
    const cut = at > from ? at : rest.indexOf(" ", Math.max(width, from));
    if (cut < 0) break;
    lines.push(rest.slice(0, cut).trimEnd());
    rest = indent + rest.slice(cut).trimStart();
    from = indent.length;
  }
  return [...lines, rest].join("\n");
}

/** Where the meaning begins in an indented line of a name and its meaning; undefined for other lines. */
function secondColumnOf(line: string, width: number): number | undefined {
  const column = /^ +\S+(?: \S+)* {2,}(?=\S)/.exec(line)?.[0].length;
  return column !== undefined && width - column >= 24 ? column : undefined;
}

/** Names and their meanings, side by side; on separate lines where the terminal is too narrow. */
export function definitionRows(
  rows: readonly (readonly [name: string, meaning: string])[],
  width: number,
): string[] {
  const longest = Math.max(...rows.map(([name]) => name.length));
  const hanging = longest + 4;
  const isNarrow = width - hanging < 24;
  return rows.map(([name, meaning]) =>
    isNarrow
      ? `  ${name}\n${wrapText(`      ${meaning}`, { width })}`
      : wrapText(`  ${name.padEnd(longest)}  ${meaning}`, { width, hanging }),
  );
}
