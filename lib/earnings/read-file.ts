import { pipeline } from "node:stream/promises";
import { CsvError, parse } from "csv-parse";
import type { Clock } from "../support/clock.ts";
import { istDay } from "../support/calendar.ts";
import { readHeader, type Header } from "./header.ts";
import { agreement } from "./agreement.ts";
import type { Problem } from "./problems.ts";
import { FileTooLargeError, NotTextError, readLines } from "./read-lines.ts";
import { FILE_LIMITS, readRules, type FileLimits, type ReadOptions } from "./read-options.ts";
import { readRow } from "./read-row.ts";
import type { ConsultantInFile, EarningRow } from "./types.ts";

/** The content of a file, and all its problems. */
export interface EarningsFile {
  /** Data rows, good and bad; rows of empty cells are not counted. */
  rowCount: number;
  /** The good rows, in the order of the file. */
  rows: EarningRow[];
  /** By consultant, in the order of the file: only those that have a good row. */
  consultants: Map<string, ConsultantInFile>;
  /** Values that a spreadsheet seems to have cut, confirmed by the importing person. */
  accepted: number;
  problems: Problem[];
}

/** The longest row that is read. A quote that is never closed would otherwise swallow the file. */
const LONGEST_ROW_CHARACTERS = 100_000;

/**
 * Reads a finance export: RFC 4180 with a header row, UTF-8 with or without a byte order mark. Reads every row
 * and returns all problems; throws only the errors of reading bytes.
 */
export async function readEarningsFile(
  chunks: AsyncIterable<Uint8Array>,
  { clock, limits = FILE_LIMITS, ...options }: { clock: Clock; limits?: FileLimits } & ReadOptions,
): Promise<EarningsFile> {
  const file: EarningsFile = {
    rowCount: 0,
    rows: [],
    consultants: new Map(),
    accepted: 0,
    problems: [],
  };
  const rules = readRules(options);
  const today = istDay(clock.now());
  const between = agreement();
  let header: Header | "refused" | undefined;

  const onRecord = (cells: readonly string[], line: number): void => {
    if (header === "refused" || cells.every((cell) => cell.trim() === "")) return;
    if (header === undefined) {
      const read = readHeader(cells, line);
      header = "problems" in read ? "refused" : read.header;
      if ("problems" in read) file.problems.push(...read.problems);
      return;
    }
    if (file.rowCount === limits.mostRows) {
      throw new FileTooLargeError(`${limits.mostRows.toLocaleString("en")} rows`);
    }
    file.rowCount++;
    const row = readRow(cells, { line, header, today, rules });
    file.accepted += row.accepted;
    const problems = [...row.problems, ...between.check(row)];
    file.problems.push(...problems);
    if (problems.length === 0 && row.earning) file.rows.push(row.earning);
  };

  const broken = await readRecords(chunks, limits, onRecord);
  if (broken) file.problems.push(broken);
  if (file.rowCount === 0 && file.problems.length === 0) {
    const message =
      header === undefined ? "the file is empty" : "the file has a header and no rows";
    file.problems.push({ message: `${message}; expected a header and one row for each earning` });
  }
  file.consultants = between.consultantsOf(file.rows);
  return file;
}

/**
 * Passes each record on with its first line. Returns the reason for stopping before the end. Records pass
 * through a callback: a failing stream drops the records that it still holds.
 */
async function readRecords(
  chunks: AsyncIterable<Uint8Array>,
  limits: FileLimits,
  onRecord: (cells: readonly string[], line: number) => void,
): Promise<Problem | undefined> {
  let lastLine = 0;
  let carriageReturns = 0;
  const parser = parse({
    bom: true,
    record_delimiter: ["\r\n", "\n"],
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: LONGEST_ROW_CHARACTERS,
    on_record: (cells: string[], { lines }) => {
      // The parser counts a carriage return inside a value as a line of its own.
      carriageReturns += count(cells, "\r");
      // But not one outside quotes: a row is at least one line after the row before it.
      lastLine = Math.max(lines - carriageReturns, lastLine + 1);
      onRecord(cells, lastLine - count(cells, "\n"));
      return null;
    },
  });
  try {
    await pipeline(readLines(chunks, limits), parser.resume());
    return undefined;
  } catch (error) {
    return unreadable(error, lastLine + 1);
  }
}

function count(cells: readonly string[], character: string): number {
  return cells.reduce((sum, cell) => sum + cell.split(character).length - 1, 0);
}

/** The parser's own messages quote the row, which may hold anything: they are not shown. */
function unreadable(error: unknown, line: number): Problem {
  if (error instanceof NotTextError) return { line: error.line, message: error.message };
  if (error instanceof FileTooLargeError) return { message: error.message };
  if (!(error instanceof CsvError)) throw error;
  const rest = "the rows after it were not read";
  if (error.code === "CSV_QUOTE_NOT_CLOSED" || error.code === "CSV_MAX_RECORD_SIZE") {
    return { line, message: `a quoted value is not closed, or the row has no end; ${rest}` };
  }
  return { line, message: `a quote stands inside a value; double it inside quotes; ${rest}` };
}
