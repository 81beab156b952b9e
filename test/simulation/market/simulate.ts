import type { JobOptions } from "../jobs.ts";
import type { Start } from "../moments.ts";
import { approveAll, replaceAccount } from "../operator.ts";
import { chooseTrouble } from "../process.ts";
import { moveAtProvider } from "../provider.ts";
import type { Actor } from "../scheduler.ts";
import { digests } from "../world.ts";
import type { MarketArena } from "./arena.ts";
import { comeToAnEnd } from "./end.ts";
import { cancelEvent, newOperator } from "./events.ts";
import { MARKET_JOBS, type MarketJob } from "./jobs.ts";
import { trade } from "./marketplace.ts";
import { actOutside } from "./outside.ts";
import { moveRefunds } from "./provider.ts";
import { checkMarket, emptyMarketMemory } from "./rules.ts";
import { newClerk, runMarket } from "./runs.ts";
import { letMarketTimePass, openMarket, type Market } from "./world.ts";

/** So often the marketplace trades before anything else happens. */
const OPENING = 3;

const STEPS = {
  trade: 8,
  busy: 14,
  time: 2,
  provider: 2,
  outside: 3,
  cancel: 1,
  outage: 1,
  payday: 1.5,
  dry: 0.7,
};

/** These jobs make a call or two for each thing that they have to do, and a few things at a time. */
const LATEST_CALLS = { any: 8, ofKind: 3 };

/** How often each job is among those that run. */
const WEIGHTS: Record<MarketJob, number> = {
  expire: 4,
  remind: 3,
  cleanup: 5,
  cancel: 3,
  late: 5,
  refunds: 6,
  events: 6,
  deliver: 4,
  batch: 2,
  pay: 1,
  stuck: 0.5,
  reconcile: 0.5,
  ledger: 0.5,
};

/**
 * Lives one seed's marketplace from its first day to its end, and checks the rules after every step. Returns
 * the story.
 *
 * @throws with the seed, what was broken, the story until then, and the command that tells it again
 */
export async function simulateMarket(arena: MarketArena, seed: number): Promise<readonly string[]> {
  const market = await openMarket(arena, seed);
  const memory = emptyMarketMemory();
  const check = (): Promise<void> => checkMarket(market, memory);
  try {
    for (let left = OPENING; left > 0; left--) {
      await tradeAlone(market);
      await check();
    }
    await payday(market);
    await check();
    for (let left = market.chance.between(9, 16); left > 0; left--) {
      await step(market);
      await check();
    }
    await comeToAnEnd(market, check);
    return market.story;
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    throw new Error([what, "", ...market.story, "", replay(seed)].join("\n"), { cause: error });
  }
}

function replay(seed: number): string {
  return `The same story again: SIMULATION_MARKET_SEED=${seed} npm test -- test/simulation/market/replay.test.ts`;
}

async function step(market: Market): Promise<void> {
  const { chance, story } = market;
  switch (chance.weighted(STEPS)) {
    case "trade":
      return tradeAlone(market);
    case "busy":
      return busy(market);
    case "time":
      return letMarketTimePass(market, chance.pick([5, 40, 70, 13 * 60, 24 * 60 + 1, 24 * 60 + 1]));
    case "provider":
      story.push("the provider goes on");
      moveRefunds(market);
      moveAtProvider(market);
      return;
    case "outside":
      story.push("outside");
      for (let left = chance.between(1, 3); left > 0; left--) actOutside(market);
      return;
    case "cancel":
      return cancelAlone(market);
    case "outage":
      market.mailAwayMinutes = 60 * chance.pick([3, 13, 26, 30]);
      story.push(`the mail server is away for ${market.mailAwayMinutes / 60} hours`);
      return;
    case "payday":
      return payday(market);
    case "dry":
      return dry(market);
  }
}

/** Earnings become payouts, which are approved and paid: what is refunded later has to be recovered. */
async function payday(market: Market): Promise<void> {
  await runMarket(market, [{ job: "batch" }]);
  await approveAll(market, market.arena.sessions.A);
  if (market.chance.happens(0.3)) await changeAnAccount(market);
  await runMarket(market, [{ job: "pay" }]);
  moveAtProvider(market);
}

/** After a person has approved what goes there. */
async function changeAnAccount(market: Market): Promise<void> {
  const clerk = newClerk(market);
  const act = async (): Promise<void> => {
    market.story.push(`  ${await replaceAccount(market, clerk)}`);
  };
  await market.scheduler.run([{ actor: clerk, act }]);
}

async function cancelAlone(market: Market): Promise<void> {
  const operator = newOperator(market);
  market.story.push("an event is cancelled");
  await market.scheduler.run([{ actor: operator, act: () => cancelEvent(market, operator) }]);
  if (operator.dead) market.story.push("  operator: dead");
  judgeRefused(market);
}

/** What the marketplace could not do although the database was there. */
function judgeRefused(market: Market): void {
  for (const what of market.refused.splice(0))
    market.violations.push(`the marketplace was refused: ${what}`);
}

async function tradeAlone(market: Market): Promise<void> {
  const clerk = newClerk(market);
  market.story.push("marketplace");
  await market.scheduler.run([{ actor: clerk, act: () => trade(market, clerk) }]);
  judgeRefused(market);
}

/** One to three runs at once, perhaps with the marketplace and the provider going on meanwhile. */
async function busy(market: Market): Promise<void> {
  const { chance } = market;
  // Work comes with time: offers and holds end, and what is in doubt has waited long enough.
  if (chance.happens(0.4)) await letMarketTimePass(market, chance.pick([70, 13 * 60, 24 * 60 + 1]));
  const count = chance.pick([1, 1, 2, 2, 3]);
  const first = chance.weighted(WEIGHTS);
  const starts = Array.from({ length: count }, (_, index): Start<MarketJob> => {
    // Often the same job twice.
    const job = index === 0 || chance.happens(0.4) ? first : chance.weighted(WEIGHTS);
    const options: JobOptions = { locked: chance.happens(0.6) };
    if (chance.happens(0.1)) options.limit = chance.between(1, 2);
    return { job, options, trouble: chooseTrouble(chance, LATEST_CALLS) };
  });
  const others: { actor: Actor; act: () => Promise<void> }[] = [];
  if (count < 3 && chance.happens(0.5)) {
    const operator = chance.happens(0.15) ? newOperator(market) : undefined;
    const clerk = newClerk(market);
    others.push(
      operator
        ? { actor: operator, act: () => cancelEvent(market, operator) }
        : { actor: clerk, act: () => trade(market, clerk) },
    );
  }
  if (chance.happens(0.3)) {
    const provider = { name: "provider", dead: false };
    const move = (): Promise<void> => {
      moveRefunds(market);
      if (chance.happens(0.5)) actOutside(market);
      return Promise.resolve();
    };
    others.push({ actor: provider, act: () => market.scheduler.turn(provider, move) });
  }
  await runMarket(market, starts, others);
}

/** A dry run of any job, at any time, changes nothing here, at the provider, or at the mail server. */
async function dry(market: Market): Promise<void> {
  const { arena, chance } = market;
  const outside = (): number =>
    arena.sandbox.calls().filter(({ mutating }) => mutating).length + arena.mail.mails().length;
  const before = { rows: await digests(market), outside: outside() };
  await runMarket(market, [{ job: chance.pick(MARKET_JOBS), options: { dryRun: true } }]);
  const after = { rows: await digests(market), outside: outside() };
  for (const [table, digest] of Object.entries(after.rows))
    if (before.rows[table] !== digest)
      market.violations.push(`a dry run changes nothing: it has changed ${table}`);
  if (before.outside !== after.outside)
    market.violations.push("a dry run changes nothing: it has asked the provider for a change");
}
