import { toError } from "../../lib/support/errors.ts";
import { SLOTS, type Slot } from "./arena.ts";
import { JOBS, runJob, type JobEnd, type JobName, type JobOptions } from "./jobs.ts";
import { operate } from "./operator.ts";
import { chooseTrouble, SimulatedProcess, type Trouble } from "./process.ts";
import { moveAtProvider } from "./provider.ts";
import type { Actor } from "./scheduler.ts";
import type { World } from "./world.ts";

/** A run that was started, and how it ended. */
export interface FinishedRun<Job extends string = JobName> {
  process: SimulatedProcess;
  job: Job;
  options: JobOptions;
  end: JobEnd | undefined;
}

export interface Start<Job extends string = JobName> {
  job: Job;
  options?: JobOptions;
  trouble?: Trouble | undefined;
}

/** One to three at once: runs of jobs, perhaps a person's commands, perhaps the provider going on with its work. */
export async function busyMoment(
  world: World,
  { first }: { first?: JobName } = {},
): Promise<FinishedRun[]> {
  const { chance } = world;
  const weights = {
    batch: 3,
    pay: 7,
    stuck: 5,
    reconcile: world.reconcileAwaySteps > 0 ? 0 : 3,
    ledger: 1,
  } satisfies Record<JobName, number>;
  const starts = Array.from({ length: chance.pick([1, 1, 2, 2, 3]) }, (_, index): Start => {
    const job = index === 0 && first !== undefined ? first : chance.weighted(weights);
    return { job, options: chooseOptions(world, job), trouble: chooseTrouble(chance) };
  });
  return runTogether(world, starts, {
    operator: chance.happens(0.25),
    provider: chance.happens(0.25),
  });
}

function chooseOptions({ chance }: World, job: JobName): JobOptions {
  const options: JobOptions = { locked: chance.happens(0.7) };
  if (job !== "pay") return options;
  options.inHand = chance.pick([1, 2, 4]);
  if (chance.happens(0.1)) options.limit = chance.between(1, 3);
  if (chance.happens(0.1)) {
    options.caps = {
      singlePaise: BigInt(chance.pick([300_000, 100_000_000])),
      runPaise: BigInt(chance.pick([800_000, 10_000_000_000])),
      runCount: chance.pick([1, 2, 10_000]),
    };
  }
  return options;
}

/** Runs these at the same time, each with a database session of its own, until all have ended. */
export async function runTogether(
  world: World,
  starts: readonly Start[],
  { operator = false, provider = false }: { operator?: boolean; provider?: boolean } = {},
): Promise<FinishedRun[]> {
  const runs = prepareRuns(world, starts);
  const person = new SimulatedProcess(world.chance, {
    name: "operator",
    slot: "C",
    trouble: undefined,
  });
  const atProvider = { name: "provider", dead: false };
  return playRuns(world, runs, {
    run: runJob,
    others: [
      ...(operator && runs.length < SLOTS.length
        ? [{ actor: person, act: () => operate(world, person) }]
        : []),
      ...(provider ? [{ actor: atProvider, act: () => letProviderMove(world, atProvider) }] : []),
    ],
  });
}

/** A process for each run that is to begin. */
export function prepareRuns<Job extends string>(
  world: World,
  starts: readonly Start<Job>[],
): FinishedRun<Job>[] {
  return starts.map(({ job, options = {}, trouble }, index) => {
    const name = `${job} ${world.processes.length + 1}`;
    const process = new SimulatedProcess(world.chance, { name, slot: slotOf(index), trouble });
    world.processes.push(process);
    return { process, job, options, end: undefined };
  });
}

/** Lets these runs, and whoever else acts meanwhile, come to their ends. */
export async function playRuns<Job extends string>(
  world: World,
  runs: FinishedRun<Job>[],
  {
    run,
    others,
  }: {
    run: (
      world: World,
      process: SimulatedProcess,
      job: Job,
      options: JobOptions,
    ) => Promise<JobEnd>;
    others: readonly { actor: Actor; act: () => Promise<void> }[];
  },
): Promise<FinishedRun<Job>[]> {
  const { scheduler, story } = world;
  story.push([...runs.map(nameOf), ...others.map(({ actor }) => actor.name)].join(" || "));
  await scheduler.run([
    ...runs.map((each) => ({
      actor: each.process,
      act: () => runOne(world, runs, each, () => run(world, each.process, each.job, each.options)),
    })),
    ...others,
  ]);
  for (const { process } of runs) {
    await process.retire();
    if (process.dead) story.push(`  ${process.name}: dead`);
  }
  return runs;
}

async function letProviderMove(world: World, actor: Actor): Promise<void> {
  await world.scheduler.turn(actor, () => {
    moveAtProvider(world);
    return Promise.resolve();
  });
}

async function runOne(
  world: World,
  all: readonly FinishedRun<string>[],
  run: FinishedRun<string>,
  play: () => Promise<JobEnd>,
): Promise<void> {
  const { process } = run;
  try {
    run.end = await play();
    world.story.push(`  ${process.name}: ${run.end.said}`);
    if (run.end.verdict?.kind === "broken")
      expectDatabaseTrouble(world, all, process, run.end.verdict.error);
  } catch (error) {
    world.story.push(`  ${process.name}: ended with an error`);
    expectDatabaseTrouble(world, all, process, error);
  }
}

/** Trouble with which a run may end in an error. */
export const OF_THE_DATABASE = /^(database|commit|killed inside)/;
const OF_THE_LEASE = /LEASE_LOST/;

/** A run ends with an error when the database fails it, or its lease does, and for no other reason. */
function expectDatabaseTrouble(
  world: World,
  all: readonly FinishedRun<string>[],
  process: SimulatedProcess,
  thrown: unknown,
): void {
  const hadTrouble = all.some(
    ({ process: each }) => each.isTroubled && OF_THE_DATABASE.test(each.trouble?.kind ?? ""),
  );
  const error = toError(thrown);
  const code = "code" in error ? String(error.code) : "";
  if (hadTrouble || (process.leaseLost && OF_THE_LEASE.test(code))) return;
  world.violations.push(
    `M14: ${process.name} ended with an error: ${error.stack ?? error.message}`,
  );
}

function nameOf({ process, options }: FinishedRun<string>): string {
  const said = [
    options.dryRun ? "dry" : undefined,
    options.locked === false ? "without lock" : undefined,
    (options.inHand ?? 1) > 1 ? `${options.inHand} in hand` : undefined,
    options.limit === undefined ? undefined : `limit ${options.limit}`,
    options.caps ? `caps ${Object.values(options.caps).join(" ")}` : undefined,
  ].filter(Boolean);
  return said.length === 0 ? process.name : `${process.name} (${said.join(", ")})`;
}

function slotOf(index: number): Slot {
  const slot = SLOTS[index];
  if (slot === undefined) throw new Error("more runs at once than there are sessions");
  return slot;
}

export function chooseJob({ chance, reconcileAwaySteps }: World): JobName {
  return chance.pick(JOBS.filter((job) => job !== "reconcile" || reconcileAwaySteps === 0));
}
