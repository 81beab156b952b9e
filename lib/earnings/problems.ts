import type { ColumnName } from "./columns.ts";

/** One thing that is wrong with a file. The message never holds an account number, PAN or VPA. */
export interface Problem {
  /** Line of the file, the header being line 1; `undefined` when the file as a whole is meant. */
  line?: number;
  column?: ColumnName;
  /** The problem and the expected form. */
  message: string;
}

/** How many problems are worth printing: a file with more has one fault repeated. */
export const PRINTED_PROBLEMS = 50;

/**
 * One line a problem, in the order of the file: `FILE:LINE column FIELD: message`. Beyond `limit` a
 * last line says how many there are besides.
 */
export function formatProblems(
  file: string,
  problems: readonly Problem[],
  limit: number = PRINTED_PROBLEMS,
): string[] {
  const sorted = problems.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0));
  const lines = sorted.slice(0, limit).map((problem) => formatProblem(file, problem));
  const rest = sorted.length - lines.length;
  if (rest > 0) lines.push(`… and ${rest} more`);
  return lines;
}

function formatProblem(file: string, { line, column, message }: Problem): string {
  const place = line === undefined ? file : `${file}:${line}`;
  return column === undefined ? `${place}: ${message}` : `${place} column ${column}: ${message}`;
}
