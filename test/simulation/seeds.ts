import { afterAll, beforeAll, describe, it } from "vitest";
import { SEEDS } from "../tiers.ts";
import { openArena, type Arena } from "./arena.ts";
import { simulate } from "./simulate.ts";

/** Test files that share the seeds, so that each may have a processor. */
const PARTS = 4;

/** How many seeds, and from which one on. */
const COUNT = wholeNumber("SIMULATION_SEEDS") ?? SEEDS.cycle;
const FIRST = wholeNumber("SIMULATION_FIRST_SEED") ?? 1;

/** One test for each of this file's share of the seeds. */
export function describeSeeds({ part }: { part: number }): void {
  const seeds = Array.from({ length: COUNT }, (_, index) => FIRST + index);
  const own = seeds.filter((_, index) => index % PARTS === part - 1);
  describe(`the simulation, part ${part} of ${PARTS}`, () => {
    let arena: Arena;
    beforeAll(async () => {
      arena = await openArena();
    });
    afterAll(() => arena.close());
    it.each(own)("keeps M1 to M15 with seed %i", async (seed) => {
      await simulate(arena, seed);
    });
  });
}

/** Undefined where it is not set. */
export function wholeNumber(variable: string): number | undefined {
  const text = process.env[variable];
  if (text === undefined || text === "") return undefined;
  if (!/^[0-9]{1,9}$/.test(text)) throw new Error(`${variable} must be a whole number`);
  return Number(text);
}
