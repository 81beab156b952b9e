import { describe, expect, it } from "vitest";
import { jobs } from "../../jobs/registry.ts";
import { RUNNER_CANCELS, stopJob } from "../support/job-process.ts";
import {
  openWorld,
  scenarios,
  whileHeld,
  type CancelWorld,
  type Scenario,
} from "./cancel-scenarios.ts";
import { startWorkflowStep, type Event, type WorkflowStep } from "./runner.ts";

/** Two runs of a job, the first of them held until the database is given up. */
const TIMEOUT_MS = 120_000;

it("every job of the registry is cancelled in the middle of its work below", () => {
  const cancelled = scenarios.map(({ job }) => job);
  const names = jobs.map(({ name }) => name);
  expect(names.filter((name) => !cancelled.includes(name))).toEqual([]);
});

/**
 * The runner sends SIGINT to bash alone, SIGTERM after 7.5 s, and kills 2.5 s later. The script's last line
 * has put the job in bash's place.
 */
describe("a workflow cancelled in the middle of its job's work", { timeout: TIMEOUT_MS }, () => {
  it.each(scenarios.map((scenario) => [scenario.job, scenario] as const))(
    "%s stops by itself, frees its lock, says so, and its next run ends what it left",
    async (_, scenario) => {
      const world = await openWorld(scenario);
      await scenario.seed(world);
      const inputs = await scenario.inputs?.(world);
      const event: Event =
        inputs === undefined ? { name: "schedule" } : { name: "workflow_dispatch", inputs };
      const start = (): WorkflowStep =>
        startWorkflowStep(scenario.job, { event, settings: settingsOf(world) });

      let step: WorkflowStep | undefined;
      await whileHeld(
        world,
        scenario,
        () => (step = start()),
        async () => {
          if (step) await expectCleanlyCancelled(world, scenario, step);
        },
      );
      await scenario.left(world);

      await scenario.later?.(world);
      const next = await start().ended;
      expect(next, next.stdout + next.stderr).toMatchObject(
        scenario.ends ?? { exitCode: 0, outputs: { outcome: "completed" } },
      );
      await scenario.done(world);
    },
  );
});

async function expectCleanlyCancelled(
  { database }: CancelWorld,
  { job }: Scenario,
  step: WorkflowStep,
): Promise<void> {
  const { end, signalsSent } = await stopJob(step, RUNNER_CANCELS);
  expect(signalsSent).not.toContain("SIGKILL");
  expect(end, end.stdout + end.stderr).toMatchObject({
    exitCode: 130,
    outputs: { outcome: "interrupted", reason: "SIGINT", success: "false" },
  });
  expect(end.summary).toContain("interrupted");
  expect(step.report()).toMatchObject({ job, outcome: "interrupted", exitCode: 130 });
  expect(
    await database.query(
      "SELECT id, job, outcome, reason, exit_code FROM job_runs WHERE job = $1",
      [job],
    ),
  ).toEqual([
    { id: end.outputs["run_id"], job, outcome: "interrupted", reason: "SIGINT", exit_code: 130 },
  ]);
  expect(await database.query("SELECT 1 FROM job_leases WHERE owner IS NOT NULL")).toEqual([]);
}

/** Calls wait longer than any runner does. */
function settingsOf({ database, sandbox, mail }: CancelWorld): Record<string, string> {
  return {
    DATABASE_URL: database.url,
    RAZORPAY_TIMEOUT_MS: "60000",
    RAZORPAY_REQUESTS_PER_SECOND: "100",
    ...sandbox.env,
    ...mail.env,
    SMTP_TIMEOUT_MS: "60000",
    MAIL_HELD_SINCE: "2026-01-01",
  };
}
