import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { migrate } from "../../scripts/dev/migrate/apply.ts";
import { startPostgres, type RunningPostgres } from "../../scripts/dev/services/postgres.ts";
import { createTestDatabase } from "../support/database.ts";
import { runJob } from "../support/job-process.ts";
import type { Passing } from "../support/tcp-proxy.ts";
import {
  expectAllPaidOnceMended,
  expectNothingWrong,
  openFaultWorld,
  PAYOUTS,
  type FaultWorld,
} from "./world.ts";

const RECONCILE_JOB = "jobs/payouts/reconcile-payout-status.ts";

const DONE = { exitCode: 0, outcome: "completed", reason: "", says: [] };
const UNREACHABLE = {
  exitCode: 1,
  outcome: "failed",
  reason: "db-unreachable",
  says: ["cannot be reached", "Check that it is up"],
};

let server: RunningPostgres;
beforeAll(async () => void (server = await startPostgres()));
afterAll(() => server.stop());

describe("a PostgreSQL that stops at once and starts again on the same data, in the middle of", () => {
  it("process-payouts while an answer is recorded: the answer is recorded, everybody is paid", async () => {
    const world = await openWorld();
    const restarted = restartAt(world, { text: "UPDATE payout_attempts", time: 2 });
    const end = await runJob({ env: world.env });
    await restarted;
    await expectNothingWrong(world, end, DONE);
    expect(end.outputs).toMatchObject({ processed: String(PAYOUTS), unknown: "0" });
    expect(await world.database.query("SELECT outcome FROM job_runs")).toEqual([
      { outcome: "completed" },
    ]);
    await expectAllPaidOnceMended(world);
  });

  it("process-payouts while an attempt is committed: the run ends, the next ones pay the rest", async () => {
    const world = await openWorld();
    const restarted = restartAt(world, { text: "INSERT INTO payout_attempts", time: 2 });
    const end = await runJob({ env: world.env });
    await restarted;
    await expectNothingWrong(world, end, UNREACHABLE);
    expect(await world.database.query("SELECT outcome, reason FROM job_runs")).toEqual([
      { outcome: "failed", reason: "db-unreachable" },
    ]);
    await expectAllPaidOnceMended(world);
  });

  it("reconcile-payout-status: the run ends, and the next one does all of it", async () => {
    const world = await openWorld();
    await expectNothingWrong(world, await runJob({ env: world.env }), DONE);
    const restarted = restartAt(world, { text: "FROM payout_attempts" });
    const end = await runJob({ file: RECONCILE_JOB, env: world.env });
    await restarted;
    await expectNothingWrong(world, end, UNREACHABLE);
    await expectNothingWrong(world, await runJob({ file: RECONCILE_JOB, env: world.env }), DONE);
    await expectAllPaidOnceMended(world);
  });
});

/**
 * An immediate shutdown, as a machine that loses its power. The line is held meanwhile, so that it is always
 * the same statement that is lost, with the sessions.
 */
async function restartAt({ lines: { postgres } }: FaultWorld, passing: Passing): Promise<void> {
  await postgres.when(passing, () => postgres.hold());
  await server.kill("SIGQUIT");
  await server.restart();
  postgres.drop();
  postgres.restore();
}

async function openWorld(): Promise<FaultWorld> {
  const database = await createTestDatabase({ serverUrl: server.url, template: "template1" });
  onTestFinished(() => database.drop());
  await migrate({ url: database.url });
  return openFaultWorld({ database });
}
