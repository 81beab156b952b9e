import { randomInt } from "node:crypto";
import fc from "fast-check";
import { it } from "vitest";
import { share } from "./share.ts";

/** Cases of each property where nobody asks for more. */
const FEW = share(300);
/** Cases between two looks at the clock. */
const ROUND = 500;

const { FUZZ_SEED, FUZZ_MINUTES, FUZZ_PATH } = process.env;
const MINUTES = Number(FUZZ_MINUTES ?? 0);

/**
 * A test for each property, with random cases. Without settings each has a few hundred. `FUZZ_MINUTES=10` gives the file so
 * many minutes, its properties in equal shares. The seed is printed: `FUZZ_SEED` begins at the same place, and
 * `FUZZ_PATH`, which a failure prints, at the very case.
 */
export function fuzz(properties: Record<string, fc.IRawProperty<unknown>>): void {
  const entries = Object.entries(properties);
  const shareMs = (MINUTES * 60_000) / entries.length;
  for (const [name, property] of entries) {
    it(name, { timeout: shareMs + 120_000 }, async () => {
      const first = FUZZ_SEED === undefined ? randomInt(2 ** 31) : Number(FUZZ_SEED);
      console.log(`FUZZ_SEED=${first}: ${name}`);
      const until = Date.now() + shareMs;
      for (let seed = first; ; seed++) {
        await assertRound(property, seed);
        if (Date.now() >= until) {
          if (MINUTES > 0) console.log(`${(seed - first + 1) * ROUND} cases: ${name}`);
          return;
        }
      }
    });
  }
}

async function assertRound(property: fc.IRawProperty<unknown>, seed: number): Promise<void> {
  try {
    await fc.assert(property, {
      seed,
      numRuns: MINUTES > 0 ? ROUND : FEW,
      ...(FUZZ_PATH === undefined ? {} : { path: FUZZ_PATH }),
    });
  } catch (error) {
    throw new Error(`the seed is ${seed}`, { cause: error });
  }
}
