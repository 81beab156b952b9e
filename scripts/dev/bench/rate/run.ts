import { startBenchServer, withClient } from "../databases.ts";
import { runOnce } from "../payouts/run.ts";
import { startBenchSandbox } from "../payouts/sandbox.ts";
import { seedPayouts } from "../payouts/seed.ts";
import { ANSWERS } from "./answers.ts";

/** Whole runs of `process-payouts`, each in a database and a process of its own. */
export interface PayoutRuns {
  /** When each request of a run of so many payouts arrived, in ms: its look before, the payouts, the lists after. */
  arrivalsMs(payouts: number): Promise<number[]>;
  close: () => Promise<void>;
}

export async function startPayoutRuns(requestsPerSecond: number): Promise<PayoutRuns> {
  const server = await startBenchServer();
  const sandbox = await startBenchSandbox();
  sandbox.prefer();
  return {
    arrivalsMs: async (payouts) => {
      await sandbox.reset();
      const payees = await sandbox.register(payouts);
      // More than there will be requests.
      await sandbox.delay({ count: 2 * payouts, ...ANSWERS });
      const url = await server.create(NAME);
      try {
        await seedPayouts(url, { payees });
        await sandbox.arrivalsMs();
        const { env } = sandbox;
        const run = await runOnce({ way: "pipeline", url, env, most: payouts, requestsPerSecond });
        if (run.completed !== payouts)
          throw new Error(`${run.completed} of ${payouts} payouts were completed`);
        return await sandbox.arrivalsMs();
      } finally {
        await withClient(server.url, (admin) => admin.query(`DROP DATABASE ${NAME} WITH (FORCE)`));
      }
    },
    close: async () => {
      await sandbox.close();
      await server.stop();
    },
  };
}

const NAME = "bench_rate";
