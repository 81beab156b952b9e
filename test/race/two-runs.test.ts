import { createServer, request, type RequestListener } from "node:http";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { startSandbox, type Sandbox } from "../../scripts/sandbox/razorpay/index.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { startJob, type JobEnd, type RunningJob } from "../support/job-process.ts";
import { checkMoneyInvariants } from "../support/money-invariants.ts";
import { jobEnv, seedApprovedPayouts, type SeededPayout } from "../support/payout-world.ts";
import { describeWithRedis, useTestRedis } from "../support/redis.ts";

const PAYOUTS = 500;
const PAYEES = 50;
/** Worlds that are tried when one of two runs left nothing for the other. */
const MOST_WORLDS = 3;
const TIMEOUT_MS = 240_000;

describe("two runs of the payout job that start together", { timeout: TIMEOUT_MS }, () => {
  it("pay each payout once with locks in PostgreSQL: one run pays, the other steps back", async () => {
    await onlyOneRunPays(await openWorld({ lockStore: "postgres" }));
  });

  it("pay each payout once without any lock, sharing the work", async () => {
    for (let tried = 1; ; tried++) {
      const world = await openWorld({ lockStore: "off" });
      const jobs = startTwo(world);
      await world.gate.waitedForBy(2);
      world.gate.open();
      const ends = await bothEnds(jobs);
      expect(ends.map(codeAndOutcome)).toEqual([
        [0, "completed"],
        [0, "completed"],
      ]);
      await expectPaidOnceAndCountedOnce(world, ends);
      if (ends.every(({ outputs }) => Number(outputs["succeeded"]) > 0)) return;
      if (tried === MOST_WORLDS) throw new Error(`in ${tried} worlds the runs did not overlap`);
    }
  });
});

describeWithRedis("two runs that start together, with Redis", { timeout: TIMEOUT_MS }, () => {
  it("pay each payout once: one run pays, the other steps back", async () => {
    const redis = useTestRedis();
    const world = await openWorld({ lockStore: "redis", redisUrl: redis.url });
    onTestFinished(async () => {
      const keys = await redis.client.keys(`*${world.database.environment}*`);
      if (keys.length > 0) await redis.client.del(...keys);
      await redis.close();
    });
    await onlyOneRunPays(world);
  });
});

async function onlyOneRunPays(world: World): Promise<void> {
  const jobs = startTwo(world);
  // The one with the lock can't go on before the other has ended, so the two do meet.
  await Promise.race(jobs.map(({ ended }) => ended));
  await world.gate.waitedForBy(1);
  world.gate.open();
  const ends = await bothEnds(jobs);

  const [payer, stoodBack] = ends.toSorted((a, b) => found(b) - found(a));
  expect(payer).toMatchObject({ exitCode: 0, outputs: { outcome: "completed" } });
  expect(stoodBack).toMatchObject({
    exitCode: 0,
    outputs: { outcome: "skipped", reason: "lock-held", success: "true" },
  });
  expect(payer?.outputs["skipped"]).toBe("0");
  await expectPaidOnceAndCountedOnce(world, ends);
}

async function expectPaidOnceAndCountedOnce(
  { database, sandbox, seeded }: World,
  ends: readonly JobEnd[],
): Promise<void> {
  const accepted = sandbox.payouts();
  expect(accepted.filter(({ live }) => live)).toHaveLength(PAYOUTS);
  expect(accepted).toHaveLength(PAYOUTS);
  expect(new Set(accepted.map(({ reference_id }) => payoutIdOf(reference_id)))).toEqual(
    new Set(seeded.map(({ id }) => id)),
  );
  const requests = sandbox.calls().filter(({ path, mutating }) => path === "/payouts" && mutating);
  expect(requests).toHaveLength(PAYOUTS);

  const sent = accepted.reduce((sum, { amount }) => sum + BigInt(amount), 0n);
  const owed = seeded.reduce((sum, { amountPaise }) => sum + amountPaise, 0n);
  expect(total(ends, "succeeded")).toBe(BigInt(PAYOUTS));
  expect(total(ends, "completed")).toBe(BigInt(PAYOUTS));
  expect(total(ends, "net_paise")).toBe(sent);
  expect(total(ends, "gross_paise")).toBe(owed);
  expect(total(ends, "net_paise") + total(ends, "tax_paise")).toBe(owed);

  expect(
    await database.query("SELECT status::text, count(*) FROM payouts GROUP BY status"),
  ).toEqual([{ status: "COMPLETED", count: BigInt(PAYOUTS) }]);
  const runs = await database.query(`
    SELECT id AS run_id, outcome, COALESCE(reason, '') AS reason, exit_code,
           COALESCE(report->>'succeeded', '0') AS succeeded,
           COALESCE(report->>'netPaise', '0') AS net_paise
    FROM job_runs ORDER BY id`);
  expect(runs).toEqual(ends.map(asRecorded).toSorted((a, b) => (a.run_id < b.run_id ? -1 : 1)));
  await checkMoneyInvariants(database, sandbox);
}

interface World {
  database: TestDatabase;
  sandbox: Sandbox;
  seeded: readonly SeededPayout[];
  gate: Gate;
  env: Record<string, string>;
}

async function openWorld(options: {
  lockStore: "postgres" | "redis" | "off";
  redisUrl?: string;
}): Promise<World> {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  const sandbox = await startSandbox();
  onTestFinished(() => sandbox.close());
  const seeded = await seedApprovedPayouts(database, { count: PAYOUTS, payees: PAYEES });
  const gate = await startGate(sandbox);
  const env = {
    ...jobEnv({ database, sandbox, ...options }),
    RAZORPAY_BASE_URL: gate.url,
    RAZORPAY_TIMEOUT_MS: "120000",
  };
  return { database, sandbox, seeded, gate, env };
}

function startTwo({ env }: World): RunningJob[] {
  return [startJob({ env }), startJob({ env })];
}

function bothEnds(jobs: readonly RunningJob[]): Promise<JobEnd[]> {
  return Promise.all(jobs.map(({ ended }) => ended));
}

interface Gate {
  url: string;
  /** Resolves once so many calls stand before it. */
  waitedForBy: (calls: number) => Promise<void>;
  open: () => void;
}

/**
 * Stands before the provider and lets nothing through until it is opened. The first call of a run comes
 * when it knows what is due and has claimed none of it, so those that wait here go on together.
 */
async function startGate(sandbox: Sandbox): Promise<Gate> {
  let waiting = 0;
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  const server = createServer((incoming, outgoing) => {
    waiting++;
    void opened.then(() => forward(sandbox.port, incoming, outgoing));
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
    waitedForBy: (calls) =>
      vi.waitFor(() => expect(waiting).toBe(calls), { timeout: 60_000, interval: 10 }),
    open,
  };
}

function forward(port: number, ...[incoming, outgoing]: Parameters<RequestListener>): void {
  const { url = "/", method = "GET", headers } = incoming;
  const onward = request({ host: "127.0.0.1", port, path: url, method, headers }, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(outgoing);
  });
  onward.on("error", () => outgoing.destroy());
  incoming.pipe(onward);
}

function asRecorded({ outputs, exitCode }: JobEnd) {
  return {
    run_id: outputs["run_id"] ?? "",
    outcome: outputs["outcome"],
    reason: outputs["reason"],
    exit_code: exitCode,
    succeeded: outputs["succeeded"] ?? "0",
    net_paise: outputs["net_paise"] ?? "0",
  };
}

function codeAndOutcome({ exitCode, outputs }: JobEnd): unknown[] {
  return [exitCode, outputs["outcome"]];
}

function found({ outputs }: JobEnd): number {
  return Number(outputs["found"] ?? 0);
}

/** Sum of one output over the runs; a run that did nothing has none. */
function total(ends: readonly JobEnd[], output: string): bigint {
  return ends.reduce((sum, { outputs }) => sum + BigInt(outputs[output] ?? 0), 0n);
}

/** The reference is the payout's id and the number of the attempt. */
function payoutIdOf(reference: string | null): string {
  return (reference ?? "").replace(/-\d+$/, "");
}
