import { assess, defaultTaxPolicy } from "../../../../lib/tds/index.ts";
import type { AssessmentInput } from "../../../../lib/tds/index.ts";
import { sideBySide } from "../alternate.ts";
import type { Bench } from "../figure.ts";
import { Recorder } from "../spread.ts";
import { creditsOf } from "./credits.ts";

/** Few enough for a processor's cache, as the credits of one payee are. */
const CREDITS = 3_000;
const PASSES = 100;
/** 2 µs for each: negligible beside the database's work for it. */
const TARGET_PER_SECOND = 500_000;
const BARE = "one multiplication, half-up rounding and comparison of amounts";

/** Assessments a second of one thread, of credits that make the engine take each of its ways. */
export const taxBench: Bench = {
  name: "tax",
  title: "Tax engine",
  run: async ({ rounds, quick, say }) => {
    const credits = creditsOf(CREDITS);
    const passes = quick ? 1 : PASSES;
    const kinds = Object.entries(credits);
    const recorder = new Recorder();
    // Once for the compiler.
    for (const [, inputs] of kinds) for (const input of inputs) assess(input, defaultTaxPolicy);
    for (let round = 0; round < rounds; round++) {
      for (const [kind, inputs] of kinds) {
        const { subject, reference } = await sideBySide(round, {
          subject: () => perSecond(inputs, { passes, taxOn: taxOf }),
          reference: () => perSecond(inputs, { passes, taxOn: bareTaxOf }),
        });
        recorder.add(kind, "assessments/s", subject);
        recorder.add(`${kind} bare`, "/s", reference);
      }
      say(`round ${round + 1} of ${rounds}`);
    }
    return [
      {
        heading: "Assessments a second, one thread",
        rows: kinds.map(([kind]) => ({
          measured: recorder.measurement(kind),
          against: { ...recorder.measurement(`${kind} bare`), name: BARE },
          target: { of: "value", atLeast: TARGET_PER_SECOND },
        })),
      },
    ];
  },
};

/** By the process's own time on the processor, which other processes do not take from. */
function perSecond(
  inputs: readonly AssessmentInput[],
  { passes, taxOn }: { passes: number; taxOn: (input: AssessmentInput) => bigint },
): number {
  let sum = 0n;
  const from = process.cpuUsage();
  for (let pass = 0; pass < passes; pass++) {
    for (const input of inputs) sum += taxOn(input);
  }
  const { user, system } = process.cpuUsage(from);
  // Of use to somebody, so that no compiler leaves it out.
  if (sum < 0n) throw new Error("a sum of taxes is not negative");
  return (1e6 * inputs.length * passes) / (user + system);
}

function taxOf(input: AssessmentInput): bigint {
  const assessment = assess(input, defaultTaxPolicy);
  if (assessment.error) throw new Error(assessment.error.message);
  return assessment.taxPaise;
}

/** The arithmetic alone that no engine on exact amounts can do without. */
function bareTaxOf({ grossPaise }: AssessmentInput): bigint {
  const tax = ((grossPaise * 10n + 500_000n) / 1_000_000n) * 100n;
  return tax < grossPaise ? tax : grossPaise;
}
