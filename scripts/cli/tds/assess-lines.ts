import { pipeline } from "node:stream/promises";
import { assess } from "../../../lib/tds/index.ts";
import type { TaxError, TaxPolicy } from "../../../lib/tds/index.ts";
import { parseCreditLine } from "./credit-line.ts";
import { lineBatches } from "./line-batches.ts";

/** One line of output. Amounts are decimal strings, which no JSON reader rounds. */
type Answer =
  | {
      taxPaise: string;
      rateBps: number;
      section: string;
      reason: string;
      carriedForwardPaise: string;
    }
  | { error: { code: TaxError["code"] | "UNKNOWN_FIELD"; field: string; message: string } };

/**
 * Answers each line of the input with one line of output, as it comes: neither side is held in memory.
 * Empty lines are passed over. Ends at the first line that is not a JSON object, and says which;
 * `problem` is undefined when every line was answered.
 *
 * Rejects when a stream fails; the code is `EPIPE` when the reader of the output went away.
 */
export async function assessLines(
  streams: { input: NodeJS.ReadableStream; output: NodeJS.WritableStream },
  policy: TaxPolicy,
): Promise<{ problem: string | undefined }> {
  let problem: string | undefined = "no lines on standard input; expected one JSON object per line";

  async function* answers(): AsyncGenerator<string> {
    let lineNo = 0;
    for await (const lines of lineBatches(streams.input)) {
      let batch = "";
      for (const line of lines) {
        lineNo += 1;
        if (line.trim() === "") continue;
        const object = parseObject(line);
        if (!object) {
          problem = `line ${lineNo} is not a JSON object; it and what follows it are not answered`;
          yield batch;
          return;
        }
        problem = undefined;
        batch += `${JSON.stringify(answer(object, policy))}\n`;
      }
      yield batch;
    }
  }

  await pipeline(answers, streams.output, { end: false });
  return { problem };
}

function parseObject(line: string): object | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function answer(object: object, policy: TaxPolicy): Answer {
  const parsed = parseCreditLine(object);
  if (parsed.error) return { error: parsed.error };
  const { input, crossing = policy.crossing, rounding = policy.rounding } = parsed;
  const assessment = assess(input, { ...policy, crossing, rounding });
  if (assessment.error) return { error: assessment.error };
  return {
    taxPaise: String(assessment.taxPaise),
    rateBps: assessment.rateBps,
    section: assessment.section,
    reason: assessment.reason,
    carriedForwardPaise: String(assessment.carriedForwardPaise),
  };
}
