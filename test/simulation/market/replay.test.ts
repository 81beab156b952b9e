import { expect, it, onTestFinished, vi } from "vitest";
import { wholeNumber } from "../seeds.ts";
import { openMarketArena } from "./arena.ts";
import { simulateMarket } from "./simulate.ts";

vi.mock(import("../../../lib/support/clock.ts"), async (original) => {
  const { simulatedSleep } = await import("../scheduler.ts");
  const clock = await original();
  return { ...clock, sleep: simulatedSleep(clock.sleep) };
});

const GIVEN = wholeNumber("SIMULATION_MARKET_SEED");

it.each(GIVEN === undefined ? [3, 4] : [GIVEN])(
  "tells the same story of the marketplace for seed %i again",
  async (seed) => {
    const arena = await openMarketArena();
    onTestFinished(() => arena.close());
    const story = await simulateMarket(arena, seed);
    if (GIVEN !== undefined) process.stdout.write(`${story.join("\n")}\n`);
    expect(await simulateMarket(arena, seed)).toEqual(story);
  },
);
