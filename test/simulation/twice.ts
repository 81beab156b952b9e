import type { JobOptions } from "./jobs.ts";
import { chooseJob, runTogether, type FinishedRun } from "./moments.ts";
import { digests, type World } from "./world.ts";

/** M10: a dry run of any job, at any time, changes nothing here and asks for no change at the provider. */
export async function dryMoment(world: World): Promise<FinishedRun[]> {
  const changing = (): number =>
    world.arena.sandbox.calls().filter(({ mutating }) => mutating).length;
  const before = { rows: await digests(world), calls: changing() };
  const runs = await runTogether(world, [{ job: chooseJob(world), options: { dryRun: true } }]);
  const after = { rows: await digests(world), calls: changing() };
  for (const table of changed(before.rows, after.rows)) {
    world.violations.push(`M10: a dry run has changed ${table}`);
  }
  if (before.calls !== after.calls)
    world.violations.push("M10: a dry run asked the provider for a change");
  return runs;
}

/** M11: the same job twice, nothing else in between and nothing wrong: the second run changes nothing. */
export async function twiceMoment(world: World): Promise<FinishedRun[]> {
  const job = chooseJob(world);
  const options: JobOptions = { locked: world.chance.happens(0.5) };
  const { faultRate } = world;
  world.faultRate = 0;
  const first = await runTogether(world, [{ job, options }]);
  const before = {
    rows: await digests(world, { settled: true }),
    payouts: world.arena.sandbox.payouts().length,
  };
  await runTogether(world, [{ job, options }]);
  const after = {
    rows: await digests(world, { settled: true }),
    payouts: world.arena.sandbox.payouts().length,
  };
  world.faultRate = faultRate;
  for (const table of changed(before.rows, after.rows)) {
    world.violations.push(`M11: a second run of ${job} has changed ${table}`);
  }
  if (before.payouts !== after.payouts)
    world.violations.push(`M11: a second run of ${job} has paid`);
  return first;
}

function changed(before: Record<string, string>, after: Record<string, string>): string[] {
  return Object.keys(before).filter((table) => before[table] !== after[table]);
}
