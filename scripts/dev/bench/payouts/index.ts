import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { migrate } from "../../migrate/apply.ts";
import { startPostgres } from "../../services/postgres.ts";
import { runOnce, type RunAnswer, type Way } from "./run.ts";
import { startBenchSandbox, type BenchSandbox } from "./sandbox.ts";
import { seedPayouts } from "./seed.ts";

export interface PayoutBenchOptions {
  /** How many approved payouts there are, one measurement for each. */
  sizes: readonly number[];
  rounds: number;
  /** The plain way is measured on no more than so many of them: its cost for each does not change. */
  plainMost?: number;
  ways?: readonly Way[];
  /** Flags of Node for the process that pays, such as `--max-old-space-size=128` or `--cpu-prof`. */
  nodeFlags?: readonly string[];
  say?: (line: string) => void;
}

/** One number of each round, in the order of the rounds. */
export interface Measurement {
  name: string;
  unit: string;
  values: number[];
}

const PLAIN_MOST = 500;
const ROOT = fileURLToPath(new URL("../../../..", import.meta.url));

/**
 * Payouts a second of the whole pipeline, of the plain way and of the bare limit, side by side in each
 * round. Each run has a database of its own on one server with `fsync` on, and a process of its own.
 */
export async function measurePayouts(options: PayoutBenchOptions): Promise<Measurement[]> {
  const {
    sizes,
    rounds,
    plainMost = PLAIN_MOST,
    ways = ["bare", "plain", "pipeline"],
    nodeFlags = [],
    say = () => undefined,
  } = options;
  const measurements = new Map<string, Measurement>();
  const record = (name: string, unit: string, value: number): void => {
    const measurement = measurements.get(name) ?? { name, unit, values: [] };
    measurements.set(name, measurement);
    measurement.values.push(value);
  };
  if (ways.includes("plain"))
    execFileSync(process.execPath, ["scripts/dev/generate.mjs"], { cwd: ROOT });
  const postgres = await startPostgres({ durability: "full" });
  const sandbox = await startBenchSandbox();
  try {
    await inAdmin(postgres.url, "CREATE DATABASE bench_migrated");
    await migrate({ url: postgres.urlOf("bench_migrated") });
    for (let round = 0; round < rounds; round++) {
      for (const size of sizes) {
        await sandbox.reset();
        const seeded = `bench_${size}`;
        await inAdmin(postgres.url, `CREATE DATABASE ${seeded} TEMPLATE bench_migrated`);
        const payees = await sandbox.register(size);
        await seedPayouts(postgres.urlOf(seeded), { payees });
        for (const way of ways) {
          const most = way === "plain" ? Math.min(plainMost, size) : size;
          const run = await measure({ postgres, sandbox, seeded, way, most, nodeFlags });
          const perSecond = (1000 * run.completed) / run.ms;
          say(
            `${way} ${size}: ${perSecond.toFixed(1)}/s, ${(run.cpuMs / run.completed).toFixed(3)} ms CPU each, peak ${(run.peakBytes / 2 ** 20).toFixed(0)} MB`,
          );
          record(`payouts ${size}, ${way}`, "payouts/s", perSecond);
          if (way === "pipeline")
            record(`payouts ${size}, peak memory`, "MB", run.peakBytes / 2 ** 20);
        }
        await inAdmin(postgres.url, `DROP DATABASE ${seeded} WITH (FORCE)`);
      }
    }
    return [...measurements.values()];
  } finally {
    await sandbox.close();
    await postgres.stop();
  }
}

async function measure({
  postgres,
  sandbox,
  seeded,
  way,
  most,
  nodeFlags,
}: {
  postgres: { url: string; urlOf: (database: string) => string };
  sandbox: BenchSandbox;
  seeded: string;
  way: Way;
  most: number;
  nodeFlags: readonly string[];
}): Promise<RunAnswer> {
  const name = `${seeded}_${way}`;
  await inAdmin(postgres.url, `CREATE DATABASE ${name} TEMPLATE ${seeded}`);
  try {
    await inAdmin(postgres.url, "CHECKPOINT");
    const request = { way, url: postgres.urlOf(name), env: sandbox.env, most };
    const run = await runOnce(request, { nodeFlags });
    if (run.completed !== most)
      throw new Error(`${way}: ${run.completed} of ${most} payouts were completed`);
    return run;
  } finally {
    await inAdmin(postgres.url, `DROP DATABASE ${name} WITH (FORCE)`);
  }
}

async function inAdmin(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
