import {
  OF_THE_DATABASE,
  playRuns,
  prepareRuns,
  type FinishedRun,
  type Start,
} from "../moments.ts";
import { SimulatedProcess } from "../process.ts";
import type { Actor } from "../scheduler.ts";
import { runMarketJob, type MarketJob } from "./jobs.ts";
import type { Market } from "./world.ts";

/** Runs these at the same time until all have ended. */
export async function runMarket(
  market: Market,
  starts: readonly Start<MarketJob>[],
  others: readonly { actor: Actor; act: () => Promise<void> }[] = [],
): Promise<FinishedRun<MarketJob>[]> {
  const runs = await playRuns(market, prepareRuns(market, starts), {
    run: (_, process, job, options) => runMarketJob(market, process, job, options),
    others,
  });
  const failed = runs.some(
    ({ process }) => process.isTroubled && OF_THE_DATABASE.test(process.trouble?.kind ?? ""),
  );
  for (const { process } of runs) if (failed || process.dead) market.shaken.add(process);
  const refused = market.refused.splice(0);
  if (!failed)
    for (const what of refused) market.violations.push(`the marketplace was refused: ${what}`);
  return runs;
}

/** Somebody through whom the marketplace acts. */
export function newClerk({ chance }: Market): SimulatedProcess {
  return new SimulatedProcess(chance, { name: "marketplace", slot: "C", trouble: undefined });
}
