import { afterAll, beforeAll, describe, it } from "vitest";
import { SEEDS } from "../../tiers.ts";
import { wholeNumber } from "../seeds.ts";
import { openMarketArena, type MarketArena } from "./arena.ts";
import { simulateMarket } from "./simulate.ts";

/** Test files that share the seeds, so that each may have a processor. */
const PARTS = 2;

const COUNT = wholeNumber("SIMULATION_MARKET_SEEDS") ?? SEEDS.market;
const FIRST = wholeNumber("SIMULATION_MARKET_FIRST_SEED") ?? 1;

/** One test for each of this file's share of the seeds. */
export function describeMarketSeeds({ part }: { part: number }): void {
  const seeds = Array.from({ length: COUNT }, (_, index) => FIRST + index);
  const own = seeds.filter((_, index) => index % PARTS === part - 1);
  describe(`the simulation of the marketplace, part ${part} of ${PARTS}`, () => {
    let arena: MarketArena;
    beforeAll(async () => {
      arena = await openMarketArena();
    });
    afterAll(() => arena.close());
    it.each(own)("keeps its rules with seed %i", async (seed) => {
      await simulateMarket(arena, seed);
    });
  });
}
