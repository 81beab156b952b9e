import { createInterface } from "node:readline/promises";
import type { Readable, Writable } from "node:stream";

interface Terminal {
  input: Readable & { isTTY?: boolean };
  /** Where the question is printed: not standard output, which a program may read. */
  output: Writable;
}

/**
 * Asks for a yes, where a person can give one. Undefined: nobody is there to be asked. An end of the input is a no.
 */
export async function confirm(
  question: string,
  { input, output }: Terminal,
): Promise<boolean | undefined> {
  if (input.isTTY !== true) return undefined;
  const lines = createInterface({ input, output });
  const ended = new AbortController();
  lines.once("close", () => ended.abort());
  try {
    const answer = await lines.question(`${question} [y/N] `, { signal: ended.signal });
    return /^y(es)?$/i.test(answer.trim());
  } catch {
    return false;
  } finally {
    lines.close();
  }
}
