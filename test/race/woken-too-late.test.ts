import { execFile } from "node:child_process";
import { createServer, request, type IncomingMessage, type ServerResponse } from "node:http";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { startSandbox, type Sandbox } from "../../scripts/sandbox/razorpay/index.ts";
import { sleep } from "../../lib/support/clock.ts";
import { paid, viewOf } from "../lib/payouts/rows.ts";
import { snapshot } from "../lib/payouts/snapshot.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { runJob, startJob, type JobEnd, type RunningJob } from "../support/job-process.ts";
import { checkMoneyInvariants } from "../support/money-invariants.ts";
import { jobEnv, seedApprovedPayouts } from "../support/payout-world.ts";
import { describeWithRedis, useTestRedis } from "../support/redis.ts";

const TIMEOUT_MS = 240_000;
const STUCK = "jobs/payouts/handle-stuck-payouts.ts";

/**
 * A process is stopped at a call of the provider, its lease ends, others pay what it held, and it goes on
 * without knowing: by its own clock the lease has long to live. So nothing but the rows can stop it.
 */
interface Sleeper {
  /** The call at which it is stopped, and whether the provider gets it. */
  at: Hold;
  /** Makes the others sure that they may take over. */
  ripen: (database: TestDatabase) => Promise<unknown>;
  /** What the payout's attempts are in the end, made by the others. */
  attempts: string[];
}

const ageAttempts = (database: TestDatabase): Promise<unknown> =>
  database.query("UPDATE payout_attempts SET created_at = created_at - interval '2 hours'");
const nothingToAge = (): Promise<void> => Promise.resolve();

const sleepers: [string, Sleeper][] = [
  [
    "between its claim and its attempt",
    {
      at: { call: "POST /fund_accounts", reaches: true },
      ripen: nothingToAge,
      attempts: ["PROCESSED"],
    },
  ],
  [
    "with its request in hand, which never arrives",
    {
      at: { call: "POST /payouts", reaches: false },
      ripen: ageAttempts,
      attempts: ["REFUSED NEVER_ACCEPTED", "PROCESSED"],
    },
  ],
  [
    "between the provider's answer and its record",
    { at: { call: "POST /payouts", reaches: true }, ripen: ageAttempts, attempts: ["PROCESSED"] },
  ],
];

describe("a payout process that wakes up after its lease, kept in PostgreSQL,", () => {
  it.each(sleepers)(
    "changes nothing when it slept %s",
    async (_, sleeper) => {
      const world = await openWorld({ lockStore: "postgres" });
      await wakesTooLate(world, sleeper, () =>
        world.database.query("UPDATE job_leases SET expires_at = now() - interval '1 second'"),
      );
      // Whoever comes next finds the lock free.
      expect(await world.database.query("SELECT DISTINCT owner FROM job_leases")).toEqual([
        { owner: null },
      ]);
    },
    TIMEOUT_MS,
  );
});

describeWithRedis("a payout process that wakes up after its lease, kept in Redis,", () => {
  it.each(sleepers)(
    "changes nothing when it slept %s",
    async (_, sleeper) => {
      const redis = useTestRedis();
      const world = await openWorld({ lockStore: "redis", redisUrl: redis.url });
      const ownKeys = (): Promise<string[]> => redis.client.keys(`*${world.database.environment}*`);
      onTestFinished(async () => {
        const keys = await ownKeys();
        if (keys.length > 0) await redis.client.del(...keys);
        await redis.close();
      });
      await wakesTooLate(world, sleeper, async () => {
        const locks = (await ownKeys()).filter((key) => key.endsWith(":lock"));
        expect(locks).toHaveLength(1);
        for (const key of locks) await redis.client.pexpire(key, 0);
      });
      expect((await ownKeys()).filter((key) => key.endsWith(":lock"))).toEqual([]);
    },
    TIMEOUT_MS,
  );
});

async function wakesTooLate(
  world: World,
  sleeper: Sleeper,
  endLease: () => Promise<unknown>,
): Promise<void> {
  const { database, sandbox, gate, env, payoutId } = world;
  gate.hold(sleeper.at);
  const asleep = startJob({ env });
  await Promise.race([gate.holds, endedEarly(asleep)]);
  await stop(asleep);
  gate.answer();

  await endLease();
  await sleeper.ripen(database);
  expect(await runJob({ file: STUCK, env })).toMatchObject({ exitCode: 0 });
  expect(await runJob({ env })).toMatchObject({ exitCode: 0 });
  const settled = { ...paid, attempts: sleeper.attempts };
  expect(await viewOf(database, payoutId)).toMatchObject({
    ...settled,
    deductions: expect.arrayContaining(["FINAL"]) as string[],
  });
  const tables = await snapshot(database);
  const theirs = paymentsOf(sandbox);
  expect(theirs).toHaveLength(1);

  asleep.kill("SIGCONT");
  const end = await asleep.ended;

  expect(await snapshot(database)).toEqual(tables);
  expect(paymentsOf(sandbox)).toEqual(theirs);
  expect(end, end.stdout).toMatchObject({
    exitCode: 130,
    outputs: { outcome: "interrupted", reason: "lease-lost", succeeded: "0", skipped: "1" },
  });
  expect(end.stdout).toContain("Its lock could not be renewed or was lost.");
  expect(end.stderr).toContain("CLAIMED_ELSEWHERE");
  await checkMoneyInvariants(database, sandbox);
}

interface World {
  database: TestDatabase;
  sandbox: Sandbox;
  gate: Gate;
  env: Record<string, string>;
  payoutId: string;
}

async function openWorld(options: {
  lockStore: "postgres" | "redis";
  redisUrl?: string;
}): Promise<World> {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  const sandbox = await startSandbox();
  onTestFinished(() => sandbox.close());
  const [payout] = await seedApprovedPayouts(database, { count: 1 });
  const gate = await startGate(sandbox);
  const env = {
    ...jobEnv({ database, sandbox, ...options }),
    RAZORPAY_BASE_URL: gate.url,
    RAZORPAY_TIMEOUT_MS: "120000",
  };
  return { database, sandbox, gate, env, payoutId: payout?.id ?? "" };
}

/** All that the provider has, whatever became of it. */
function paymentsOf(sandbox: Sandbox): unknown[] {
  return sandbox.payouts().map(({ id, status, amount }) => ({ id, status, amount }));
}

async function endedEarly({ ended }: RunningJob): Promise<JobEnd> {
  const end = await ended;
  throw new Error(`the run ended before it was stopped:\n${end.stderr}`);
}

/** Resolves once every thread of the process stands still. */
async function stop(job: RunningJob): Promise<void> {
  job.kill("SIGSTOP");
  for (;;) {
    const { stdout } = await promisify(execFile)("ps", ["-o", "stat=", "-p", String(job.pid)]);
    if (stdout.trim().startsWith("T")) return;
    await sleep(5);
  }
}

interface Hold {
  call: string;
  reaches: boolean;
}

interface Gate {
  url: string;
  /** The next call of this kind gets no answer until `answer`. */
  hold: (hold: Hold) => void;
  /** Resolves once the call is held: the provider has handled it, or will never see it. */
  holds: Promise<void>;
  /** Sends the provider's answer; a call that did not reach the provider is broken off. */
  answer: () => void;
}

/** Stands between the jobs and the provider. */
async function startGate(sandbox: Sandbox): Promise<Gate> {
  let wanted: Hold | undefined;
  let answer = (): void => undefined;
  let held = (): void => undefined;
  const holds = new Promise<void>((resolve) => (held = resolve));
  const server = createServer((incoming, outgoing) => {
    const path = (incoming.url ?? "").replace(/^\/v1|\?.*$/g, "");
    const hold = wanted?.call === `${incoming.method} ${path}` ? wanted : undefined;
    if (!hold) {
      forward(sandbox.port, incoming, outgoing, (send) => send());
      return;
    }
    wanted = undefined;
    const keep = (send: () => void): void => {
      answer = send;
      held();
    };
    if (hold.reaches) forward(sandbox.port, incoming, outgoing, keep);
    else keep(() => outgoing.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the gate has no port");
  return {
    url: `http://127.0.0.1:${address.port}/v1`,
    hold: (hold) => void (wanted = hold),
    holds,
    answer: () => answer(),
  };
}

function forward(
  port: number,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  onAnswer: (send: () => void) => void,
): void {
  const { url = "/", method = "GET", headers } = incoming;
  const onward = request({ host: "127.0.0.1", port, path: url, method, headers }, (answer) => {
    onAnswer(() => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
  });
  onward.on("error", () => outgoing.destroy());
  incoming.pipe(onward);
}
