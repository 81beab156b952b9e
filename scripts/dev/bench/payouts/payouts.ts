import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { startBenchServer, type BenchServer } from "../databases.ts";
import type { Bench, Measurement, Row } from "../figure.ts";
import { Recorder } from "../spread.ts";
import { runOnce, type RunRequest } from "./run.ts";
import { startBenchSandbox } from "./sandbox.ts";
import { seedPayouts } from "./seed.ts";

/** The plain way is measured on fewer payouts: its cost for each does not change. */
const SIZE = { sizes: [1000, 10_000, 100_000], plainMost: 500 };
const QUICK = { sizes: [200], plainMost: 50 };
/** A round takes minutes, most of them at the largest size. */
const MOST_ROUNDS = 3;
const WAYS = ["bare", "plain", "pipeline"] as const;
const ROOT = fileURLToPath(new URL("../../../..", import.meta.url));

/**
 * Payouts a second of the whole pipeline, of the plain way and of the bare limit, side by side in each
 * round. Each run has a database of its own on one server with `fsync` on, and a process of its own.
 */
export const payoutsBench: Bench = {
  name: "payouts",
  title: "Payouts a second",
  run: async ({ rounds, quick, say }) => {
    const { sizes, plainMost } = quick ? QUICK : SIZE;
    const recorder = new Recorder();
    execFileSync(process.execPath, ["scripts/dev/generate.mjs"], { cwd: ROOT });
    const server = await startBenchServer();
    const sandbox = await startBenchSandbox();
    try {
      for (let round = 0; round < Math.min(rounds, MOST_ROUNDS); round++) {
        for (const size of sizes) {
          await sandbox.ask("reset");
          const seeded = `bench_${size}`;
          const payees = await sandbox.ask("register", size);
          await seedPayouts(await server.create(seeded), { payees });
          for (const way of WAYS) {
            const most = way === "plain" ? Math.min(plainMost, size) : size;
            const run = await runOnCopy(server, seeded, { way, env: sandbox.env, most });
            const perSecond = (1000 * run.completed) / run.ms;
            const peakMb = run.peakBytes / 2 ** 20;
            say(
              `${way} ${size}: ${perSecond.toFixed(1)}/s, ${(run.cpuMs / run.completed).toFixed(3)} ms CPU each, peak ${peakMb.toFixed(0)} MB`,
            );
            recorder.add(`payouts ${size}, ${way}`, "payouts/s", perSecond);
            if (way === "pipeline") recorder.add(`payouts ${size}, peak memory`, "MB", peakMb);
          }
          await server.drop(seeded);
        }
      }
    } finally {
      await sandbox.close();
      await server.stop();
    }
    const of = (size: number, what: string): Measurement =>
      recorder.measurement(`payouts ${size}, ${what}`);
    const costs = sizes.map((size) => costOf(size, of(size, "pipeline")));
    return [
      ...sizes.map((size) => {
        const measured = of(size, "pipeline");
        const rows: Row[] = [
          { measured, against: of(size, "plain"), target: { of: "ratio", atLeast: 10 } },
          { measured, against: of(size, "bare"), target: { of: "ratio", atLeast: 0.1 } },
          { measured: of(size, "peak memory"), target: { of: "value", atMost: 250 } },
        ];
        return { heading: `${size} approved payouts`, rows };
      }),
      { heading: "Cost of one payout", rows: costs.map((cost) => growthOf(cost, costs[0])) },
    ];
  },
};

async function runOnCopy(
  server: BenchServer,
  seeded: string,
  request: Omit<RunRequest, "url">,
): ReturnType<typeof runOnce> {
  const name = `${seeded}_${request.way}`;
  const url = await server.create(name, seeded);
  try {
    return await runOnce({ ...request, url });
  } finally {
    await server.drop(name);
  }
}

function costOf(size: number, { values }: Measurement): Measurement {
  return { name: `one of ${size}`, unit: "ms", values: values.map((each) => 1000 / each) };
}

function growthOf(measured: Measurement, smallest: Measurement | undefined): Row {
  if (smallest === undefined || measured === smallest) return { measured };
  return { measured, against: smallest, target: { of: "ratio", atMost: 1.2 } };
}
