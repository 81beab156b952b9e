import type { Arena } from "./arena.ts";
import { comeToAnEnd } from "./end.ts";
import { checkInvariants, emptyMemory } from "./invariants.ts";
import { busyMoment, runTogether, type FinishedRun } from "./moments.ts";
import { approveAll, operate } from "./operator.ts";
import { SimulatedProcess } from "./process.ts";
import { addMoney, moveAtProvider } from "./provider.ts";
import { dryMoment, twiceMoment } from "./twice.ts";
import { letTimePass, moreEarnings, openWorld, type World } from "./world.ts";

const STEPS = {
  busy: 10,
  time: 3,
  provider: 2,
  operator: 2,
  earn: 1,
  dry: 2,
  twice: 1,
  money: 0.5,
};

/**
 * Lives one seed's world from its first day to its end, and checks the invariants after every step. Returns the
 * story.
 *
 * @throws with the seed, what was broken, the story until then, and the command that tells it again
 */
export async function simulate(arena: Arena, seed: number): Promise<readonly string[]> {
  const world = await openWorld(arena, seed);
  const memory = emptyMemory();
  try {
    await firstBatch(world);
    for (let left = world.chance.between(5, 10); left > 0; left--) {
      const runs = await step(world);
      await checkInvariants(world, memory, runs);
    }
    await comeToAnEnd(world, memory);
    return world.story;
  } catch (error) {
    const broken = error instanceof Error ? error.message : String(error);
    throw new Error([broken, "", ...world.story, "", replay(seed)].join("\n"), { cause: error });
  }
}

function replay(seed: number): string {
  return `The same story again: SIMULATION_SEED=${seed} npx vitest run --config test/vitest.config.ts test/simulation/replay.test.ts`;
}

/** Something is due from the start, most of the time approved. */
async function firstBatch(world: World): Promise<void> {
  await runTogether(world, [{ job: "batch" }]);
  if (world.chance.happens(0.7)) {
    await approveAll(world, world.arena.sessions.A);
  }
}

async function step(world: World): Promise<readonly FinishedRun[]> {
  const { chance } = world;
  switch (chance.weighted(STEPS)) {
    case "busy":
      return busyMoment(world);
    case "dry":
      return dryMoment(world);
    case "twice":
      return twiceMoment(world);
    case "time":
      await letTimePass(world, chance.pick([5, 50, 70, 300, 24 * 60, 3 * 24 * 60]));
      return [];
    case "provider":
      world.story.push("the provider goes on");
      moveAtProvider(world);
      return [];
    case "operator": {
      const operator = new SimulatedProcess(chance, {
        name: "operator",
        slot: "C",
        trouble: undefined,
      });
      await world.scheduler.run([{ actor: operator, act: () => operate(world, operator) }]);
      return [];
    }
    case "earn":
      await moreEarnings(world);
      return [];
    case "money":
      addMoney(world);
      return [];
  }
}
