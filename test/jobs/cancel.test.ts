import { describe, expect, it, onTestFinished, vi } from "vitest";
import { lockKey } from "../../lib/job/lock/index.ts";
import { startSandbox, type Sandbox } from "../../scripts/sandbox/razorpay/index.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import {
  runJob,
  RUNNER_CANCELS,
  startJobAsStep,
  stopJob,
  type JobEnd,
  type RunningJob,
  type StopStep,
} from "../support/job-process.ts";
import { checkMoneyInvariants } from "../support/money-invariants.ts";
import { jobEnv, seedApprovedPayouts } from "../support/payout-world.ts";
import { describeWithRedis, useTestRedis } from "../support/redis.ts";

const PAYOUTS = 60;
const PAYEES = 12;

/** As a supervisor of containers stops one. */
const CONTAINER_STOPS: readonly StopStep[] = [
  { signal: "SIGTERM", afterMs: 0 },
  { signal: "SIGKILL", afterMs: 10_000 },
];
const IMPATIENT: readonly StopStep[] = [
  { signal: "SIGINT", afterMs: 0 },
  { signal: "SIGINT", afterMs: 500 },
  { signal: "SIGTERM", afterMs: 7_500 },
  { signal: "SIGKILL", afterMs: 10_000 },
];

describe("a step of a workflow that runs the payout job, cancelled with a payout in hand", () => {
  it("ends by itself before the runner loses patience, and the next run pays the rest", async () => {
    const world = await openWorld({ lockStore: "postgres" });
    const { end, signalsSent } = await stopWithOneInHand(world, RUNNER_CANCELS);
    expect(signalsSent).toEqual(["SIGINT"]);
    await expectCleanlyStopped(world, end, "SIGINT");
    await expectPostgresLockFree(world);
    await expectNextRunToPayTheRest(world);
  });

  it("ends the same way on SIGTERM", async () => {
    const world = await openWorld({ lockStore: "postgres" });
    const { end, signalsSent } = await stopWithOneInHand(world, CONTAINER_STOPS);
    expect(signalsSent).toEqual(["SIGTERM"]);
    await expectCleanlyStopped(world, end, "SIGTERM");
    await expectPostgresLockFree(world);
    await expectNextRunToPayTheRest(world);
  });

  it("is not disturbed by a second SIGINT while it stops", async () => {
    const world = await openWorld({ lockStore: "postgres" });
    const { end, signalsSent } = await stopWithOneInHand(world, IMPATIENT);
    expect(signalsSent).toEqual(["SIGINT", "SIGINT"]);
    await expectCleanlyStopped(world, end, "SIGINT");
    await expectPostgresLockFree(world);
    await expectNextRunToPayTheRest(world);
  });

  it("claims nothing when it is told to stop while it asks whether the provider is there", async () => {
    const world = await openWorld({ lockStore: "postgres" });
    world.sandbox.addFaults({ on: "GET /payouts", hang: true });
    const { end, signalsSent } = await stopOnceHanging(world, RUNNER_CANCELS);
    expect(signalsSent).toEqual(["SIGINT"]);
    expect(end).toMatchObject({
      exitCode: 130,
      outputs: { outcome: "interrupted", reason: "SIGINT", processed: "0" },
    });
    expect(await statuses(world.database)).toEqual({ APPROVED: PAYOUTS });
    expect(world.sandbox.calls().filter(({ mutating }) => mutating)).toEqual([]);
    await expectPostgresLockFree(world);
  });
});

describeWithRedis("a cancelled step with a payout in hand and its lock in Redis", () => {
  it("ends by itself and deletes the lock's key", async () => {
    const redis = useTestRedis();
    const world = await openWorld({ lockStore: "redis", redisUrl: redis.url });
    const key = lockKey({
      environment: world.database.environment,
      job: "payouts/process-payouts",
    });
    onTestFinished(async () => {
      await redis.client.del(`{${key}}:lock`, `{${key}}:fence`);
      await redis.close();
    });
    const { end, signalsSent } = await stopWithOneInHand(world, RUNNER_CANCELS, async () =>
      expect(await redis.client.exists(`{${key}}:lock`)).toBe(1),
    );
    expect(signalsSent).toEqual(["SIGINT"]);
    await expectCleanlyStopped(world, end, "SIGINT");
    expect(await redis.client.exists(`{${key}}:lock`)).toBe(0);
    await expectNextRunToPayTheRest(world);
  });
});

/** The fifth payout is accepted and never answered; the stop comes while the run waits for it. */
async function stopWithOneInHand(
  world: World,
  steps: readonly StopStep[],
  whileRunning: () => Promise<void> = () => Promise.resolve(),
): Promise<{ end: JobEnd; signalsSent: NodeJS.Signals[] }> {
  world.sandbox.addFaults({ on: "POST /payouts", skip: 4, hang: true, accept: true });
  return stopOnceHanging(world, steps, whileRunning);
}

async function stopOnceHanging(
  { sandbox, env }: World,
  steps: readonly StopStep[],
  whileRunning: () => Promise<void> = () => Promise.resolve(),
): Promise<{ end: JobEnd; signalsSent: NodeJS.Signals[] }> {
  const job: RunningJob = startJobAsStep({ env });
  await vi.waitFor(() => expect(sandbox.faults()).toEqual([]), { timeout: 30_000, interval: 2 });
  await whileRunning();
  return stopJob(job, steps);
}

async function expectCleanlyStopped(
  { database, sandbox }: World,
  end: JobEnd,
  reason: "SIGINT" | "SIGTERM",
): Promise<void> {
  expect(end, end.stdout).toMatchObject({
    exitCode: 130,
    outputs: { outcome: "interrupted", reason, success: "false" },
  });
  expect(
    await database.query(
      "SELECT id, outcome, reason, exit_code, finished_at IS NOT NULL AS finished FROM job_runs",
    ),
  ).toEqual([
    {
      id: end.outputs["run_id"],
      outcome: "interrupted",
      reason,
      exit_code: 130,
      finished: true,
    },
  ]);

  const unanswered = sandbox.calls().filter(({ status }) => status === "dropped");
  expect(unanswered).toHaveLength(1);
  expect(
    await database.query(
      "SELECT idempotency_key FROM payout_attempts WHERE state IN ('PREPARED', 'UNKNOWN')",
    ),
  ).toEqual([{ idempotency_key: unanswered[0]?.idempotency_key }]);

  const { APPROVED = 0, PROCESSING = 0, COMPLETED = 0, ...others } = await statuses(database);
  expect(others).toEqual({});
  expect(APPROVED + PROCESSING + COMPLETED).toBe(PAYOUTS);
  expect(APPROVED).toBeGreaterThan(0);
  expect(PROCESSING + COMPLETED).toBe(sandbox.payouts().length);
  expect(Number(end.outputs["succeeded"])).toBe(PROCESSING + COMPLETED - 1);
  expect(end.outputs["unknown"]).toBe("1");
  await checkMoneyInvariants(database, sandbox);
}

async function expectPostgresLockFree({ database }: World): Promise<void> {
  expect(await database.query("SELECT owner, expires_at FROM job_leases")).toEqual([
    { owner: null, expires_at: null },
  ]);
}

async function expectNextRunToPayTheRest({ database, sandbox, env }: World): Promise<void> {
  const next = await runJob({ env: { ...env, RAZORPAY_REQUESTS_PER_SECOND: "100" } });
  expect(next, next.stdout).toMatchObject({
    exitCode: 0,
    outputs: { outcome: "completed", in_doubt_before: "1" },
  });
  expect(sandbox.payouts().filter(({ live }) => live)).toHaveLength(PAYOUTS);
  expect((await statuses(database))["APPROVED"]).toBeUndefined();
  await checkMoneyInvariants(database, sandbox);
}

interface World {
  database: TestDatabase;
  sandbox: Sandbox;
  env: Record<string, string>;
}

async function openWorld(options: {
  lockStore: "postgres" | "redis";
  redisUrl?: string;
}): Promise<World> {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  const sandbox = await startSandbox();
  onTestFinished(() => sandbox.close());
  await seedApprovedPayouts(database, { count: PAYOUTS, payees: PAYEES });
  const env = {
    ...jobEnv({ database, sandbox, ...options }),
    // Longer than anybody waits for a cancelled step.
    RAZORPAY_TIMEOUT_MS: "60000",
    RAZORPAY_REQUESTS_PER_SECOND: "30",
  };
  return { database, sandbox, env };
}

async function statuses(database: TestDatabase): Promise<Record<string, number>> {
  const rows = await database.query<{ status: string; count: bigint }>(
    "SELECT status::text, count(*) FROM payouts GROUP BY status",
  );
  return Object.fromEntries(rows.map(({ status, count }) => [status, Number(count)]));
}
