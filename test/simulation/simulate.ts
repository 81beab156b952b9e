import type { Arena } from "./arena.ts";
import { comeToAnEnd } from "./end.ts";
import { checkInvariants, emptyMemory } from "./invariants.ts";
import { busyMoment, runTogether, type FinishedRun } from "./moments.ts";
import { approveAll, operate } from "./operator.ts";
import { SimulatedProcess } from "./process.ts";
import { addMoney, moveAtProvider, returnOldMoney } from "./provider.ts";
import { dryMoment, twiceMoment } from "./twice.ts";
import {
  letTimePass,
  MOST_AGED_IN_ALL_MINUTES,
  moreEarnings,
  openWorld,
  type World,
} from "./world.ts";

const STEPS = {
  busy: 9,
  payday: 8,
  time: 3,
  provider: 1.5,
  operator: 1.5,
  earn: 1,
  dry: 1.5,
  twice: 1,
  money: 0.5,
  weeks: 1,
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
    await checkInvariants(world, memory, await payday(world));
    for (let left = world.chance.between(4, 8); left > 0; left--) {
      world.reconcileAwaySteps = Math.max(0, world.reconcileAwaySteps - 1);
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
  return `The same story again: SIMULATION_SEED=${seed} npm test -- test/simulation/replay.test.ts`;
}

/** Whatever is due is put into payouts, most of the time approved, and a pay run begins. */
async function payday(world: World): Promise<readonly FinishedRun[]> {
  await runTogether(world, [{ job: "batch" }]);
  if (world.chance.happens(0.7)) await approveAll(world, world.arena.sessions.A);
  return busyMoment(world, { first: "pay" });
}

/** Weeks or months in which nothing runs; then money of old payouts comes back, perhaps while nobody compares. */
async function weeks(world: World): Promise<readonly FinishedRun[]> {
  const { chance } = world;
  moveAtProvider(world);
  if (chance.happens(0.7)) await runTogether(world, [{ job: "reconcile" }]);
  const days = chance.pick([15, 21, 40, 200]);
  await letTimePass(world, days * 24 * 60, { most: MOST_AGED_IN_ALL_MINUTES });
  returnOldMoney(world);
  world.reconcileAwaySteps = chance.pick([0, 1, 3]);
  return [];
}

async function step(world: World): Promise<readonly FinishedRun[]> {
  const { chance } = world;
  switch (chance.weighted(STEPS)) {
    case "busy":
      return busyMoment(world);
    case "payday":
      for (let left = chance.between(1, 3); left > 0; left--) await moreEarnings(world);
      return payday(world);
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
    case "weeks":
      return weeks(world);
  }
}
