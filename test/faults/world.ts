import { expect, onTestFinished } from "vitest";
import { newUuid } from "../../lib/support/random.ts";
import { startSandbox, type Sandbox } from "../../scripts/sandbox/razorpay/index.ts";
import { JOBS } from "../crash/matrix/cycle.ts";
import { letClaimsAge } from "../support/claims-age.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import type { JobEnd } from "../support/job-process.ts";
import { checkMoneyInvariants } from "../support/money-invariants.ts";
import { jobEnv, seedApprovedPayouts } from "../support/payout-world.ts";
import { openTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";

export const PAYOUTS = 12;
const PAYEES = 6;

/** Approved payouts, and a job's lines to the database and to the provider, each through a proxy. */
export interface FaultWorld {
  /** The test's own line: nothing happens to it. */
  readonly database: Pick<TestDatabase, "url" | "name" | "environment" | "query">;
  readonly sandbox: Sandbox;
  readonly lines: { readonly postgres: TcpProxy; readonly sandbox: TcpProxy };
  /** For the real job, over the proxies. */
  readonly env: Readonly<Record<string, string>>;
}

export async function openFaultWorld(
  options: {
    /** Default: one of its own on the run's server. */
    database?: FaultWorld["database"];
    redisUrl?: string;
  } = {},
): Promise<FaultWorld> {
  const database = options.database ?? (await ownDatabase());
  const sandbox = await startSandbox();
  onTestFinished(() => sandbox.close());
  await seedApprovedPayouts(database, { count: PAYOUTS, payees: PAYEES });
  const lines = {
    postgres: await openTcpProxy(database.url),
    sandbox: await openTcpProxy(sandbox.url),
  };
  onTestFinished(async () => {
    await lines.postgres.close();
    await lines.sandbox.close();
  });
  const { redisUrl } = options;
  return {
    database,
    sandbox,
    lines,
    env: {
      ...jobEnv({
        database,
        sandbox,
        ...(redisUrl === undefined ? { lockStore: "postgres" } : { lockStore: "redis", redisUrl }),
      }),
      DATABASE_URL: lines.postgres.through(database.url),
      RAZORPAY_BASE_URL: lines.sandbox.through(sandbox.env.RAZORPAY_BASE_URL),
      // One after the other: payouts are still due when a fault comes.
      RAZORPAY_REQUESTS_PER_SECOND: "20",
    },
  };
}

async function ownDatabase(): Promise<TestDatabase> {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  return database;
}

/** Whatever happened, no money may be wrong, and what the run said of itself must be the same everywhere. */
export async function expectNothingWrong(
  { database, sandbox }: FaultWorld,
  end: JobEnd,
  expected: { exitCode: number; outcome: string; reason: string; says: readonly string[] },
): Promise<void> {
  const { exitCode, outcome, reason, says } = expected;
  expect(end, end.stdout + end.stderr).toMatchObject({ exitCode, outputs: { outcome, reason } });
  for (const part of says) expect(end.stdout).toContain(part);
  await checkMoneyInvariants(database, sandbox);
}

const MOST_ROUNDS = 6;

/** Runs the jobs, over lines that are whole, until everybody is paid: exactly once, and the books agree. */
export async function expectAllPaidOnceMended({ database, sandbox }: FaultWorld): Promise<void> {
  const run = (job: keyof typeof JOBS) =>
    JOBS[job]({ runId: newUuid(), database, sandbox, wrapGateway: (gateway) => gateway });
  for (let round = 0; (await countUnpaid(database)) > 0; round++) {
    if (round === MOST_ROUNDS) throw new Error(`not everybody is paid after ${round} rounds`);
    await letClaimsAge(database);
    await run("process-payouts");
    await run("handle-stuck-payouts");
    await run("reconcile-payout-status");
  }
  await checkMoneyInvariants(database, sandbox);
  expect(sandbox.payouts().filter(({ live }) => live)).toHaveLength(PAYOUTS);
  for (const job of ["process-payouts", "reconcile-payout-status", "reconcile-ledger"] as const)
    expect(await run(job)).toEqual({ kind: "completed" });
}

async function countUnpaid(database: FaultWorld["database"]): Promise<bigint> {
  const [row] = await database.query<{ count: bigint }>(
    "SELECT count(*) FROM payouts WHERE status <> 'COMPLETED'",
  );
  return row?.count ?? 0n;
}
