import { describe, expect, it } from "vitest";
import { runJob, RUNNER_CANCELS, startJobAsStep, stopJob } from "../support/job-process.ts";
import { expectAllPaidOnceMended, expectNothingWrong, openFaultWorld } from "./world.ts";

/** Each job of the money cycle but process-payouts, which lines.test.ts is about, and a statement of its work. */
const JOBS = [
  { file: "jobs/payouts/create-payout-batch.ts", text: "FROM earnings" },
  { file: "jobs/payouts/handle-stuck-payouts.ts", text: "FROM payout_attempts" },
  { file: "jobs/payouts/reconcile-payout-status.ts", text: "FROM payout_attempts" },
  { file: "jobs/ledger/reconcile-ledger.ts", text: "FROM ledger_entries" },
] as const;

const UNREACHABLE = {
  exitCode: 1,
  outcome: "failed",
  reason: "db-unreachable",
  says: ["cannot be reached", "Check that it is up"],
};

describe.each(JOBS)("$file, with a line to PostgreSQL", ({ file, text }) => {
  it("that is dropped for good: says so, and does its work once it is mended", async () => {
    const world = await openFaultWorld();
    const { postgres } = world.lines;
    void postgres.when({ text }, () => postgres.cut());
    const end = await runJob({ file, env: world.env });
    await expectNothingWrong(world, end, UNREACHABLE);
    expect(end.stderr).toContain("the run record failed; the run itself is not changed by this");
    postgres.restore();
    await world.database.query("UPDATE job_leases SET expires_at = now()");
    await expectNothingWrong(world, await runJob({ file, env: world.env }), {
      exitCode: 0,
      outcome: "completed",
      reason: "",
      says: [": completed"],
    });
    await expectAllPaidOnceMended(world);
  });
});

describe("a line to PostgreSQL that goes while a run is settled", () => {
  it.each([
    ["the run record is written", "UPDATE job_runs", ["the run record failed"]],
    ["the lock is freed", "UPDATE job_leases SET owner = NULL", ["the lock may stay for up to"]],
  ])(
    "dropped for good when %s: exit code and report are the run's own",
    async (_when, text, logged) => {
      const world = await openFaultWorld();
      const { postgres } = world.lines;
      void postgres.when({ text }, () => postgres.cut());
      const end = await runJob({ env: world.env });
      await expectNothingWrong(world, end, DONE);
      for (const line of logged) expect(end.stderr).toContain(line);
      await expectAllPaidOnceMended(world);
    },
  );

  it.each([
    ["the run record is written", "UPDATE job_runs"],
    ["the lock is freed", "UPDATE job_leases SET owner = NULL"],
  ])(
    "half-open when %s: a run that is cancelled ends before the runner kills it",
    async (_when, text) => {
      const world = await openFaultWorld();
      const job = startJobAsStep({ env: world.env });
      await world.lines.postgres.when({ text }, () => world.lines.postgres.silence());
      const { end, signalsSent } = await stopJob(job, RUNNER_CANCELS);
      expect(signalsSent, end.stderr).not.toContain("SIGKILL");
      await expectNothingWrong(world, end, DONE);
      world.lines.postgres.drop();
      await expectAllPaidOnceMended(world);
    },
  );
});

const DONE = {
  exitCode: 0,
  outcome: "completed",
  reason: "",
  says: [": completed"],
};
