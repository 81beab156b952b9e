import { isDeepStrictEqual } from "node:util";
import { newUuid } from "../../../lib/support/random.ts";
import type { Verdict } from "../../../lib/support/verdict.ts";
import { snapshot } from "../../lib/payouts/snapshot.ts";
import { checkMoneyInvariants } from "../../support/money-invariants.ts";
import { JOBS, type JobName } from "./cycle.ts";
import { readEnd, readNeverAccepted, type NeverAccepted, type WorldEnd } from "./end.ts";
import { createNaming } from "./naming.ts";
import { startProcess, type FakeProcess, type Side, type Watch } from "./process.ts";
import { openWorld, type MatrixWorld } from "./world.ts";

/** Where to stop a process dead: at the n-th time that this step is met. */
export interface Stop {
  readonly step: string;
  readonly occurrence: number;
  readonly side: Side;
}

export interface WorldRun {
  /** How often each step was met, in the order of the first times. */
  readonly steps: ReadonlyMap<string, number>;
  /** The run that was stopped. */
  readonly stoppedRun: string | undefined;
  readonly end: WorldEnd;
  readonly neverAccepted: NeverAccepted;
  readonly rounds: number;
}

/** Names of databases that a world begins as a copy of. */
export interface Templates {
  readonly seeded: string;
  /** The same, with the first payouts made and approved. */
  readonly approved: string;
}

const BEFORE_APPROVAL: readonly JobName[] = ["create-payout-batch", "operator"];

/** The unstopped world is quiet after five rounds. */
const MOST_ROUNDS = 12;

/**
 * Plays the scripted world until it is quiet: round after round of all jobs, until one changes nothing.
 * Where told to, the process of a job is stopped dead; the next thing that happens is a new round.
 *
 * @throws {Error} when the world does not come to rest, or a stop was never reached
 */
export async function playWorld(templates: Templates, stop?: Stop): Promise<WorldRun> {
  const isApproved =
    stop !== undefined && !BEFORE_APPROVAL.some((job) => stop.step.startsWith(`${job}: `));
  const world = await openWorld(isApproved ? templates.approved : templates.seeded);
  const met = { before: new Map<string, number>(), after: new Map<string, number>() };
  const play: Play = {
    world,
    stop,
    met,
    dead: [],
    isApproved,
    hasStopped: false,
    hasDiedBefore: false,
  };
  try {
    const rounds = await playToQuiet(play);
    if (stop !== undefined && play.stoppedRun === undefined)
      throw new Error(`never reached: ${stop.step}, time ${stop.occurrence}`);
    await checkMoneyInvariants(world.database, world.sandbox);
    return {
      rounds: rounds.length,
      steps: met.before,
      stoppedRun: play.stoppedRun,
      end: { ...(await readEnd(world)), verdicts: rounds.at(-1)?.toSorted() ?? [] },
      neverAccepted: await readNeverAccepted(world),
    };
  } finally {
    for (const process of play.dead) await process.close();
    await world.close();
  }
}

interface Play {
  readonly world: MatrixWorld;
  /** Whether the first batch has been played and approved before this world began. */
  readonly isApproved: boolean;
  readonly stop: Stop | undefined;
  readonly met: Record<Side, Map<string, number>>;
  readonly dead: FakeProcess[];
  hasStopped: boolean;
  stoppedRun?: string;
  /** Whether the script's own run that dies after its claim has been. */
  hasDiedBefore: boolean;
}

/** Returns what the jobs said of themselves, round by round. */
async function playToQuiet(play: Play): Promise<string[][]> {
  const { world } = play;
  const said: string[][] = [];
  let before: Awaited<ReturnType<typeof snapshot>> | undefined;
  while (said.length < MOST_ROUNDS) {
    const hasHappened = await world.liveOn();
    const verdicts = await playRound(play, said.length - (play.hasStopped ? 1 : 0));
    said.push(verdicts ?? ["stopped"]);
    if (verdicts === undefined) await checkMoneyInvariants(world.database, world.sandbox);
    const after = await snapshot(world.database);
    if (verdicts !== undefined && !hasHappened && isDeepStrictEqual(before, after)) return said;
    before = after;
  }
  throw new Error(`still not quiet after ${MOST_ROUNDS} rounds: ${said.at(-1)?.join(", ")}`);
}

/** One run of each job; undefined when it was stopped. */
async function playRound(play: Play, round: number): Promise<string[] | undefined> {
  const said: string[] = [];
  for (const job of jobsOf(round)) {
    if (play.isApproved && round === 0 && !play.hasStopped && BEFORE_APPROVAL.includes(job))
      continue;
    await play.world.letTimePass();
    if (job === "process-payouts" && !play.hasDiedBefore) {
      play.hasDiedBefore = true;
      const hadStopped = play.hasStopped;
      await dieAfterClaim(play);
      if (play.hasStopped && !hadStopped) return undefined;
      await play.world.letTimePass();
    }
    const verdict = await runJob(play, job, { watch: watchOf(play) });
    if (verdict === "stopped") return undefined;
    said.push(`${job}: ${verdict.kind}${"code" in verdict ? ` ${verdict.code}` : ""}`);
  }
  return said;
}

/**
 * Payouts in doubt are settled by whichever of two jobs comes first; each comes first in turn. After a stop
 * it is the same one again.
 */
function jobsOf(round: number): JobName[] {
  const settlers = ["handle-stuck-payouts", "reconcile-payout-status"] as const;
  return [
    "create-payout-batch",
    "operator",
    "process-payouts",
    ...(round % 2 === 0 ? settlers : settlers.toReversed()),
    "reconcile-ledger",
  ];
}

/** Part of every world: a run that died between claim and attempt, whose claim another one takes over. */
async function dieAfterClaim(play: Play): Promise<void> {
  const watch = watchOf(play);
  await runJob(play, "process-payouts", {
    limit: 1,
    watch: (step, side) =>
      watch(step, side) || (step.endsWith(": commit of claim") && side === "after"),
  });
}

/** Counts the steps, each side for itself since several are under way at once, and says where the stop is. */
function watchOf(play: Play): Watch {
  const { met, stop } = play;
  return (step, side) => {
    const counts = met[side];
    const count = (counts.get(step) ?? 0) + 1;
    counts.set(step, count);
    const stops = stop?.step === step && stop.side === side && stop.occurrence === count;
    if (stops) play.hasStopped = true;
    return stops;
  };
}

async function runJob(
  play: Play,
  job: JobName,
  { watch, limit }: { watch: Watch; limit?: number },
): Promise<Verdict | "stopped"> {
  const { world, hasStopped: hadStopped } = play;
  const runId = newUuid();
  const naming = createNaming(job, world.book);
  const process = await startProcess(world.database, { naming, watch });
  const running = JOBS[job]({
    runId,
    database: process.database,
    sandbox: world.sandbox,
    wrapGateway: (gateway) => process.wrapGateway(gateway),
    ...(limit === undefined ? {} : { limit }),
  });
  // Once it is dead nobody listens to it any more.
  running.catch(() => undefined);
  const verdict = await Promise.race([running, process.stopped.then((): "stopped" => "stopped")]);
  if (verdict !== "stopped") {
    await process.close();
    return verdict;
  }
  if (play.hasStopped && !hadStopped) play.stoppedRun = runId;
  play.dead.push(process);
  await process.arrived();
  await endSessions(world);
  return "stopped";
}

/** Resolves once the server has noticed that the process is gone. */
async function endSessions({ database }: MatrixWorld): Promise<void> {
  await database.query(`
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()`);
}
