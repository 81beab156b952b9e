import { isUtf8 } from "node:buffer";
import type { FileLimits } from "./read-options.ts";

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const QUOTE = 0x22;
/** A line longer than this is no row of a finance export, but some other kind of file. */
const LONGEST_LINE_BYTES = 1_000_000;

/** The bytes are not those of a text file in UTF-8. `line` is where this showed. */
export class NotTextError extends Error {
  readonly line: number;

  constructor(line: number, message: string) {
    super(message);
    this.name = "NotTextError";
    this.line = line;
  }
}

/** More bytes or rows than are read of one file. */
export class FileTooLargeError extends Error {
  constructor(limit: string) {
    super(`the file has more than ${limit}; import at most so much at once: divide the file`);
    this.name = "FileTooLargeError";
  }
}

/**
 * Passes a file's bytes on, cut after whole lines. Refuses bytes that are not UTF-8 text: a decoder would
 * silently put replacement characters into a name.
 *
 * @throws {NotTextError}
 * @throws {FileTooLargeError}
 */
export async function* readLines(
  chunks: AsyncIterable<Uint8Array>,
  { mostBytes }: Pick<FileLimits, "mostBytes">,
): AsyncGenerator<Buffer> {
  let rest = Buffer.alloc(0);
  let line = 1;
  let readBytes = 0;
  for await (const chunk of chunks) {
    readBytes += chunk.length;
    if (readBytes > mostBytes) throw new FileTooLargeError(`${mostBytes / 2 ** 20} MiB`);
    const bytes = Buffer.concat([rest, chunk]);
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    const whole = bytes.subarray(0, end);
    if (line === 1 && end > 0) refuseReturns(whole.subarray(0, whole.indexOf(NEWLINE)));
    line = checkLines(whole, line);
    rest = bytes.subarray(end);
    if (rest.length > LONGEST_LINE_BYTES) {
      if (line === 1) refuseReturns(rest);
      throw new NotTextError(line, "the line is longer than a megabyte; expected a CSV file");
    }
    if (whole.length > 0) yield whole;
  }
  if (line === 1) refuseReturns(rest);
  checkLines(rest, line);
  if (rest.length > 0) yield rest;
}

/**
 * The first line tells: a carriage return inside it, outside quotes, ends a line that no line feed follows.
 *
 * @throws NotTextError
 */
function refuseReturns(firstLine: Buffer): void {
  let quoted = false;
  for (let index = 0; index < firstLine.length - 1; index++) {
    const byte = firstLine[index];
    if (byte === QUOTE) quoted = !quoted;
    else if (byte === RETURN && !quoted) throw new NotTextError(1, RETURNS_ALONE);
  }
}

const RETURNS_ALONE =
  "lines end in a carriage return alone (CR), as old spreadsheets for the Mac save them; save the file as “CSV UTF-8”, whose lines end in LF or CRLF";

/** Returns the number of the line after `bytes`, whose first line is `line`. */
function checkLines(bytes: Buffer, line: number): number {
  const fine = isUtf8(bytes) && !bytes.includes(0);
  for (let start = 0; start < bytes.length; line++) {
    const newline = bytes.indexOf(NEWLINE, start);
    const end = newline < 0 ? bytes.length : newline + 1;
    if (!fine) checkLine(bytes.subarray(start, end), line);
    start = end;
  }
  return line;
}

function checkLine(bytes: Buffer, line: number): void {
  if (bytes.includes(0)) {
    throw new NotTextError(line, "the file is binary; expected CSV text in UTF-8");
  }
  if (!isUtf8(bytes)) {
    throw new NotTextError(line, "the file is not UTF-8; save it as “CSV UTF-8”");
  }
}
