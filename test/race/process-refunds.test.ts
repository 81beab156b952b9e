import { describe, expect, it, onTestFinished } from "vitest";
import { startSandbox, type Sandbox } from "../../scripts/sandbox/razorpay/index.ts";
import { runJob, startJob, type JobEnd } from "../support/job-process.ts";
import { jobEnv } from "../support/payout-world.ts";
import { drifts, legRows, letTimePass, seedCaptured } from "../support/refund-run.ts";
import { createRefundWorld, type RefundWorld } from "../support/refund-world.ts";

const FILE = "jobs/payments/process-refunds.ts";
const REFUNDS = 40;
const TIMEOUT_MS = 180_000;

interface World extends RefundWorld {
  sandbox: Sandbox;
  env: (lockStore: "postgres" | "off") => Record<string, string>;
}

async function openWorld(onCall?: () => void): Promise<World> {
  const world = await createRefundWorld();
  onTestFinished(() => world.end());
  const sandbox = await startSandbox(onCall === undefined ? {} : { onCall });
  onTestFinished(() => sandbox.close());
  sandbox.addFaults([{ on: "POST /payments/:id/refund", times: -1, delayMs: 20 }]);
  for (let count = 0; count < REFUNDS; count++) {
    const { paymentId } = await seedCaptured(
      { database: world.database, sandbox },
      { cardPaise: 60_000n, walletPaise: count % 4 === 0 ? 30_000n : 0n },
    );
    await world.request({ paymentId });
  }
  return {
    ...world,
    sandbox,
    env: (lockStore) => jobEnv({ database: world.database, sandbox, lockStore }),
  };
}

/** Runs on until nothing is open. */
async function toTheEnd({ database, env }: World): Promise<void> {
  for (let runs = 0; runs < 6; runs++) {
    await database.query(
      "UPDATE job_leases SET expires_at = now() - interval '1 second' WHERE owner IS NOT NULL",
    );
    await letTimePass(database, 2);
    const { outputs, stdout } = await runJob({ file: FILE, env: env("postgres") });
    expect(outputs["outcome"], stdout).toBe("completed");
    if (outputs["found"] === "0") return;
  }
  throw new Error("still open after six runs");
}

async function expectEachOnce({ database, sandbox }: World): Promise<void> {
  expect((await legRows(database)).every(({ state }) => state === "PROCESSED")).toBe(true);
  const receipts = sandbox.refunds().map(({ receipt }) => receipt);
  expect(receipts).toHaveLength(REFUNDS);
  expect(new Set(receipts).size).toBe(REFUNDS);
  expect(
    await database.query("SELECT sum(balance_paise)::bigint AS paise FROM wallet_accounts"),
  ).toEqual([{ paise: BigInt(REFUNDS / 4) * 30_000n }]);
  expect(await database.query("SELECT count(*)::int AS mails FROM outbox_mails")).toEqual([
    { mails: REFUNDS },
  ]);
  expect(await drifts(database)).toEqual([]);
}

describe("the refund job as processes of its own", { timeout: TIMEOUT_MS }, () => {
  it("gives everything back once when two of them run at once without any lock", async () => {
    const world = await openWorld();
    const jobs = [1, 2].map(() => startJob({ file: FILE, env: world.env("off") }));
    const ends: JobEnd[] = await Promise.all(jobs.map(({ ended }) => ended));
    for (const end of ends) expect(end, end.stdout).toMatchObject({ exitCode: 0 });

    await toTheEnd(world);
    await expectEachOnce(world);
  });

  it("comes to the same end when it is killed again and again, and run again", async () => {
    let calls = 0;
    let kill: (() => void) | undefined;
    const world = await openWorld(() => {
      if (++calls === 8) kill?.();
    });
    for (let kills = 0; kills < 4; kills++) {
      calls = 0;
      const job = startJob({ file: FILE, env: world.env(kills % 2 === 0 ? "postgres" : "off") });
      kill = () => job.kill("SIGKILL");
      expect(await job.ended).toMatchObject({ exitCode: null, signal: "SIGKILL" });
      await world.database.query(
        "UPDATE job_leases SET expires_at = now() - interval '1 second' WHERE owner IS NOT NULL",
      );
    }
    kill = undefined;

    await toTheEnd(world);
    await expectEachOnce(world);
  });

  it("shows no address, key or name in log, output or summary", async () => {
    const world = await openWorld();
    const end = await runJob({ file: FILE, args: ["--log-level", "debug"], env: world.env("off") });
    const users = await world.database.query<{ email: string }>("SELECT email FROM users");
    const said = [end.stdout, end.stderr, end.summary, JSON.stringify(end.outputs)].join("\n");
    for (const secret of [
      ...users.map(({ email }) => email),
      world.sandbox.env.RAZORPAY_KEY_SECRET,
      world.sandbox.env.RAZORPAY_KEY_ID,
    ]) {
      expect(said).not.toContain(secret);
    }
    expect(users).toHaveLength(REFUNDS);
  });
});
