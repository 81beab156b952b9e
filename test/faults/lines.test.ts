import { describe, expect, it, onTestFinished } from "vitest";
import { lockKey } from "../../lib/job/lock/index.ts";
import { runJob, RUNNER_CANCELS, startJobAsStep, stopJob } from "../support/job-process.ts";
import { describeWithRedis, useTestRedis, type TestRedis } from "../support/redis.ts";
import { openTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";
import {
  expectAllPaidOnceMended,
  expectNothingWrong,
  openFaultWorld,
  PAYOUTS,
  type FaultWorld,
} from "./world.ts";

/** Where in the run of a payout job a fault comes: well after the first payout and before the last. */
const CLAIM = { text: "SET status = 'PROCESSING'", time: 2 };
const ATTEMPT = { text: "INSERT INTO payout_attempts", time: 2 };
const ANSWER = { text: "UPDATE payout_attempts", time: 2 };
const REQUEST = { text: "POST /v1/payouts ", time: 5 };
/** Long enough to be noticed, and no matter to anybody. */
const A_WHILE_MS = 1_000;

const aWhile = (line: TcpProxy): void => {
  line.hold();
  setTimeout(() => line.restore(), A_WHILE_MS);
};

describe("the line to PostgreSQL, in the middle of process-payouts", () => {
  it.each([
    ["a payout is claimed", CLAIM],
    ["an attempt is committed", ATTEMPT],
  ])("dropped and back while %s: the run ends, and says where to look", async (_when, moment) => {
    const world = await openFaultWorld();
    void world.lines.postgres.when(moment, () => world.lines.postgres.drop());
    const end = await runJob({ env: world.env });
    await expectNothingWrong(world, end, {
      exitCode: 1,
      outcome: "failed",
      reason: "db-unreachable",
      says: ["cannot be reached", "Check that it is up"],
    });
    expect(await recordOf(world)).toEqual([{ outcome: "failed", owner: null }]);
    await expectAllPaidOnceMended(world);
  });

  it("dropped and back while an answer is recorded: it is recorded in the next try", async () => {
    const world = await openFaultWorld();
    void world.lines.postgres.when(ANSWER, () => world.lines.postgres.drop());
    const end = await runJob({ env: world.env });
    await expectNothingWrong(world, end, {
      exitCode: 0,
      outcome: "completed",
      reason: "",
      says: ["Everything that was due is done."],
    });
    expect(end.outputs).toMatchObject({ processed: String(PAYOUTS), unknown: "0" });
    expect(end.stderr).toContain("answer not recorded yet");
    await expectAllPaidOnceMended(world);
  });

  it("dropped for good: what was accepted stays in processing, and nothing more is sent", async () => {
    const world = await openFaultWorld();
    void world.lines.postgres.when(ANSWER, () => world.lines.postgres.cut());
    const end = await runJob({ env: world.env });
    await expectNothingWrong(world, end, {
      exitCode: 1,
      outcome: "failed",
      reason: "answer-not-recorded",
      says: ["could not be written to the database", "Look at the database"],
    });
    expect(end.stderr).toContain("the run record failed");
    expect(end.stderr).toContain("releasing the lock failed");
    world.lines.postgres.restore();
    await expectAllPaidOnceMended(world);
  });

  it("delayed: the run waits for it and pays everybody", async () => {
    const world = await openFaultWorld();
    void world.lines.postgres.when(ATTEMPT, () => aWhile(world.lines.postgres));
    const end = await runJob({ env: world.env });
    await expectNothingWrong(world, end, {
      exitCode: 0,
      outcome: "completed",
      reason: "",
      says: ["Everything that was due is done."],
    });
    await expectAllPaidOnceMended(world);
  });

  it.each([
    // The first ones: later, answers to those before would be lost as well.
    ["payouts are claimed", { ...CLAIM, time: 1 }, "interrupted", 130],
    ["an answer is recorded", ANSWER, "failed", 1],
  ])(
    "half-open while %s: a run that is cancelled ends before the runner kills it",
    async (_when, moment, outcome, exitCode) => {
      const world = await openFaultWorld();
      const job = startJobAsStep({ env: world.env });
      await world.lines.postgres.when(moment, () => world.lines.postgres.silence());
      const { end, signalsSent } = await stopJob(job, RUNNER_CANCELS);
      expect(signalsSent, end.stderr).not.toContain("SIGKILL");
      await expectNothingWrong(world, end, {
        exitCode,
        outcome,
        reason: outcome === "failed" ? "answer-not-recorded" : "SIGINT",
        says: ["Look at the database"],
      });
      // As the server does with a session that has been idle in its transaction for too long.
      world.lines.postgres.drop();
      await expectAllPaidOnceMended(world);
    },
  );
});

describeWithRedis("the line to Redis, in the middle of process-payouts", () => {
  it("whose answer to the lock is lost: the lock is ours and not somebody else's", async () => {
    const { world, line, redis } = await openRedisWorld();
    line.loseNextAnswerTo("'NX'");
    const end = await runJob({ env: world.env });
    await expectNothingWrong(world, end, DONE);
    expect(await redis.client.exists(lockOf(world))).toBe(0);
    await expectAllPaidOnceMended(world);
  });

  it.each([
    ["dropped and back", "drop"],
    ["delayed", "delay"],
  ] as const)("%s: the run pays everybody and frees its lock", async (_title, fault) => {
    const { world, line, redis } = await openRedisWorld();
    void world.lines.sandbox.when(REQUEST, () => (fault === "drop" ? line.drop() : aWhile(line)));
    const end = await runJob({ env: world.env });
    await expectNothingWrong(world, end, DONE);
    expect(end.stderr).not.toContain("releasing the lock failed");
    expect(await redis.client.exists(lockOf(world))).toBe(0);
    await expectAllPaidOnceMended(world);
  });

  it.each([
    ["dropped for good", "cut"],
    ["half-open", "silence"],
  ] as const)(
    "%s: the run pays everybody, and says that its lock stays for a while",
    async (_title, fault) => {
      const { world, line, redis } = await openRedisWorld();
      void world.lines.sandbox.when(REQUEST, () => line[fault]());
      const end = await runJob({ env: world.env });
      await expectNothingWrong(world, end, DONE);
      expect(end.stderr).toContain("releasing the lock failed; the run itself is not changed");
      expect(end.stderr).toContain("the lock may stay for up to 35 minutes");
      expect(await recordOf(world)).toMatchObject([{ outcome: "completed" }]);
      expect(await redis.client.exists(lockOf(world))).toBe(1);
      await expectAllPaidOnceMended(world);
    },
  );

  it("half-open when a run that is cancelled frees its lock: it ends before the runner kills it", async () => {
    const { world, line } = await openRedisWorld();
    world.sandbox.addFaults({ on: "POST /payouts", skip: 4, hang: true, accept: true });
    const job = startJobAsStep({ env: { ...world.env, RAZORPAY_TIMEOUT_MS: "60000" } });
    await world.lines.sandbox.when(REQUEST, () => line.silence());
    const { end, signalsSent } = await stopJob(job, RUNNER_CANCELS);
    expect(signalsSent, end.stderr).not.toContain("SIGKILL");
    await expectNothingWrong(world, end, {
      exitCode: 130,
      outcome: "interrupted",
      reason: "SIGINT",
      says: ["It was told to stop (SIGINT)"],
    });
    await expectAllPaidOnceMended(world);
  });
});

describe("the line to the provider, in the middle of process-payouts", () => {
  it("dropped and back: answers that were lost are unknown, and nothing is sent twice", async () => {
    const world = await openFaultWorld();
    const { sandbox } = world.lines;
    void sandbox.when({ ...REQUEST, side: "after" }, () => sandbox.drop());
    const end = await runJob({ env: world.env });
    await expectNothingWrong(world, end, {
      exitCode: 1,
      outcome: "partial",
      reason: "outcome-unknown",
      says: ["an unknown outcome", "stay in processing"],
    });
    await expectAllPaidOnceMended(world);
  });

  it("dropped for good: the run stops, and says which payouts are in doubt", async () => {
    const world = await openFaultWorld();
    void world.lines.sandbox.when(REQUEST, () => world.lines.sandbox.cut());
    const end = await runJob({ env: world.env });
    await expectNothingWrong(world, end, GATEWAY_DOWN);
    await expectAllPaidOnceMended(world);
  });

  it("delayed: the run waits for it and pays everybody", async () => {
    const world = await openFaultWorld();
    void world.lines.sandbox.when(REQUEST, () => aWhile(world.lines.sandbox));
    const end = await runJob({ env: world.env });
    await expectNothingWrong(world, end, DONE);
    await expectAllPaidOnceMended(world);
  });

  it("delayed until nobody waits any more: what arrives late is found and not sent again", async () => {
    const world = await openFaultWorld();
    void world.lines.sandbox.when(REQUEST, () => world.lines.sandbox.hold());
    const end = await runJob({ env: { ...world.env, RAZORPAY_TIMEOUT_MS: "1000" } });
    world.lines.sandbox.restore();
    await expectNothingWrong(world, end, GATEWAY_DOWN);
    await expectAllPaidOnceMended(world);
  });

  it("half-open: calls end by their timeout, and the run stops", async () => {
    const world = await openFaultWorld();
    void world.lines.sandbox.when(REQUEST, () => world.lines.sandbox.silence());
    const end = await runJob({ env: { ...world.env, RAZORPAY_TIMEOUT_MS: "1000" } });
    await expectNothingWrong(world, end, GATEWAY_DOWN);
    await expectAllPaidOnceMended(world);
  });
});

const DONE = {
  exitCode: 0,
  outcome: "completed",
  reason: "",
  says: ["Everything that was due is done."],
};
const GATEWAY_DOWN = {
  exitCode: 1,
  outcome: "failed",
  reason: "gateway-down",
  says: ["The provider gives no usable answer", "stay in processing"],
};

async function openRedisWorld(): Promise<{ world: FaultWorld; line: TcpProxy; redis: TestRedis }> {
  const redis = useTestRedis();
  const line = await openTcpProxy(redis.url);
  const world = await openFaultWorld({ redisUrl: line.through(redis.url) });
  onTestFinished(async () => {
    await line.close();
    const lock = lockOf(world);
    await redis.client.del(lock, lock.replace(/:lock$/, ":fence"));
    await redis.close();
  });
  return { world, line, redis };
}

function lockOf({ database }: FaultWorld): string {
  return `{${lockKey({ environment: database.environment, job: "payouts/process-payouts" })}}:lock`;
}

/** How the run is recorded, and who holds its lock in the database. */
async function recordOf({ database }: FaultWorld): Promise<Record<string, unknown>[]> {
  return database.query(
    "SELECT outcome, (SELECT owner FROM job_leases) AS owner FROM job_runs ORDER BY started_at",
  );
}
