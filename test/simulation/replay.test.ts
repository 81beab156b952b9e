import { expect, it, onTestFinished, vi } from "vitest";
import { openArena } from "./arena.ts";
import { wholeNumber } from "./seeds.ts";
import { simulate } from "./simulate.ts";

vi.mock(import("../../lib/support/clock.ts"), async (original) => {
  const { simulatedSleep } = await import("./scheduler.ts");
  const clock = await original();
  return { ...clock, sleep: simulatedSleep(clock.sleep) };
});

const GIVEN = wholeNumber("SIMULATION_SEED");

it.each(GIVEN === undefined ? [7, 8, 9] : [GIVEN])(
  "tells the same story for seed %i again",
  async (seed) => {
    const arena = await openArena();
    onTestFinished(() => arena.close());
    const story = await simulate(arena, seed);
    if (GIVEN !== undefined) process.stdout.write(`${story.join("\n")}\n`);
    expect(await simulate(arena, seed)).toEqual(story);
  },
);
