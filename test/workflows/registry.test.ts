import { describe, expect, it } from "vitest";
import { jobs } from "../../jobs/registry.ts";
import type { AnyJob } from "../../lib/job/index.ts";
import { harnessVariables, heartbeatVariable } from "../../lib/job/environment.ts";
import { minutes } from "../../lib/support/clock.ts";
import { evaluate, interpolate, type Value } from "./expressions.ts";
import {
  BUILD_ACTION,
  jobStepOf,
  readWorkflow,
  slugOf,
  workflowFiles,
  type DispatchInput,
} from "./files.ts";
import { indianTimeOf } from "./indian-time.ts";
import { noRepositoryVariables } from "./variables.ts";

const NO_JOB = ["ci.yml", "nightly.yml", "ledger-audit.yml"];

it("there is one workflow for each job of the registry, and none for any other", () => {
  const files = workflowFiles()
    .map(({ file }) => file)
    .filter((file) => !NO_JOB.includes(file));
  const wanted = jobs.map(({ name }) => `${slugOf(name)}.yml`).sort();
  expect({
    "jobs without a workflow": wanted.filter((file) => !files.includes(file)),
    "workflows without a job": files.filter((file) => !wanted.includes(file)),
  }).toEqual({ "jobs without a workflow": [], "workflows without a job": [] });
});

const withWorkflow = jobs.filter(({ name }) =>
  workflowFiles().some(({ file }) => file === `${slugOf(name)}.yml`),
);

describe.each(withWorkflow.map((job) => [job.name, job] as const))(
  "the workflow of %s",
  (name, job) => {
    const file = readWorkflow(`${slugOf(name)}.yml`);
    const { workflow, cronComments } = file;
    const { id, job: workflowJob, step } = jobStepOf(file);
    const inputs = workflow.on.workflow_dispatch?.inputs ?? {};
    const concurrencyGroup = (given: Record<string, string | boolean>, runId: string): string =>
      interpolate(workflow.concurrency.group, { inputs: given, github: { run_id: runId } });

    it("runs that job and bears its name", () => {
      expect(step.with).toEqual({ job: name });
      expect(workflow.name).toBe(name);
      expect(id).toBe(name.split("/")[1]);
      expect(interpolate(workflow["run-name"] ?? "", { inputs: {} })).toBe(name);
      expect(interpolate(workflow["run-name"] ?? "", { inputs: { dry_run: true } })).toBe(
        `${name} (dry run)`,
      );
    });

    it("has the job's schedule, on odd minutes, with the Indian time beside it", () => {
      const crons = (workflow.on.schedule ?? []).map(({ cron }) => cron);
      expect(crons).toEqual(job.schedule === "by-hand" ? [] : [job.schedule.cron]);
      for (const [index, cron] of crons.entries()) {
        const { minutesUtc, says } = indianTimeOf(cron);
        expect(minutesUtc.filter((minute) => minute % 2 === 0)).toEqual([]);
        expect(cronComments[index]).toContain("in India");
        for (const text of says) expect(cronComments[index]).toContain(text);
      }
    });

    it("is cancelled after the job's own deadline, and before its lock could end", () => {
      const timeoutMs = minutes(workflowJob["timeout-minutes"] ?? 0);
      expect(timeoutMs).toBeGreaterThan(job.deadlineMs);
      if (job.lock !== "none") expect(timeoutMs).toBeLessThan(job.lock.ttlMs);
    });

    it("has an input for each flag, and no other; a job that moves money is dry unless told", () => {
      const { dry_run, ...others } = inputs;
      expect(dry_run).toMatchObject({ type: "boolean", default: job.movesMoney });
      expect(Object.keys(others).sort()).toEqual(
        [
          ...(job.schedule === "by-hand" ? [] : ["limit"]),
          "log_level",
          ...(job.flags ?? []).map((flag) => flag.name.replaceAll("-", "_")),
        ].sort(),
      );
      for (const flag of job.flags ?? []) {
        const input: DispatchInput | undefined = inputs[flag.name.replaceAll("-", "_")];
        expect(input).toMatchObject(
          flag.default === undefined
            ? { type: "string", required: true }
            : { type: "string", default: flag.default },
        );
        expect(input?.description?.toLowerCase()).toBe(flag.description.toLowerCase());
      }
    });

    it("maps each variable of the job and of the harness, from a secret only where it is one", () => {
      const mapped = Object.fromEntries(
        Object.entries(step.env ?? {}).filter(
          ([variable, text]) => !isInput(variable) && !isWrittenHere(variable, text),
        ),
      );
      expect(mapped).toEqual(mappingOf(job));
      expect(workflowJob.env).toBeUndefined();
      expect(workflowJob.environment).toBe("production");
    });

    it("hands each input on by the environment, under the name of its flag", () => {
      const given = Object.entries(step.env ?? {}).filter(([variable]) => isInput(variable));
      expect(Object.fromEntries(given)).toEqual(
        Object.fromEntries(
          Object.keys(inputs).map((input) => [
            input === "dry_run" ? "DRY_RUN" : `FLAG_${input.toUpperCase()}`,
            `\${{ inputs.${input} }}`,
          ]),
        ),
      );
    });

    it("has one concurrency group, which no dry run can enter or displace", () => {
      expect(workflow.concurrency["cancel-in-progress"]).toBe(false);
      const own = Object.fromEntries(
        (job.flags ?? []).map(({ name }) => [name.replaceAll("-", "_"), "x"]),
      );
      const live = concurrencyGroup({ ...own, dry_run: false }, "1");
      expect(live.startsWith(slugOf(name))).toBe(true);
      expect(concurrencyGroup({ ...own, dry_run: false }, "2")).toBe(live);
      if (job.schedule !== "by-hand") expect(concurrencyGroup({}, "3")).toBe(live);
      const dry = [concurrencyGroup({ ...own, dry_run: true }, "4")];
      dry.push(concurrencyGroup({ ...own, dry_run: true }, "5"));
      expect(new Set([live, ...dry]).size).toBe(3);
    });
  },
);

it("two runs by hand for two checkouts do not displace each other", () => {
  const { group } = readWorkflow("payments-cancel-pending.yml").workflow.concurrency;
  const groupOf = (payment_id: string): string =>
    interpolate(group, { inputs: { payment_id, dry_run: false }, github: {} });
  expect(groupOf("a")).not.toBe(groupOf("b"));
});

it("a run that a schedule starts is never a dry run", () => {
  for (const { name } of withWorkflow) {
    const { step } = jobStepOf(readWorkflow(`${slugOf(name)}.yml`));
    expect(interpolate(step.env?.["DRY_RUN"] ?? "absent", { inputs: {} }), name).toBe("");
  }
});

it("every job builds its bundles, runs, and keeps its report, also when it was cancelled", () => {
  for (const { name } of withWorkflow) {
    const { job, step } = jobStepOf(readWorkflow(`${slugOf(name)}.yml`));
    const [checkout, build, run, upload, ...more] = job.steps;
    expect(checkout?.uses, name).toMatch(/^actions\/checkout@/);
    expect(build, name).toEqual({ uses: BUILD_ACTION });
    expect(run, name).toBe(step);
    expect(run?.id, name).toBe("job");
    expect(upload?.uses, name).toMatch(/^actions\/upload-artifact@/);
    expect(upload?.with, name).toEqual({
      name: "${{ github.job }}-${{ github.run_id }}-${{ github.run_attempt }}",
      path: "${{ runner.temp }}/report.json",
      "if-no-files-found": "error",
    });
    expect(more, name).toEqual([]);
    const expression = /^\$\{\{(.*)\}\}$/.exec(upload?.if ?? "")?.[1] ?? "";
    const condition = (outcome: string): Value =>
      evaluate(expression, { steps: { job: { outcome } } });
    expect(expression, name).toMatch(/^ always\(\)/);
    expect(["success", "failure", "cancelled"].map(condition)).toEqual([true, true, true]);
    // A run whose bundles could not be made has no report.
    expect(condition("skipped")).toBe(false);
  }
});

function isInput(variable: string): boolean {
  return variable === "DRY_RUN" || variable.startsWith("FLAG_");
}

/** A setting that no variable may decide can be written into the workflow, where a change of it is reviewed. */
function isWrittenHere(variable: string, text: string): boolean {
  return noRepositoryVariables().has(variable) && !text.includes("${{");
}

/**
 * Where each variable must come from; the monitor has one address for all jobs, and a check for each, and a job
 * may have a monitor of its own.
 */
function mappingOf(job: AnyJob): Record<string, string> {
  const mapping: Record<string, string> = {};
  for (const variable of [...harnessVariables, ...job.environment.variables]) {
    const { name, secret, fallback, noRepositoryVariable } = variable;
    if (name === "DRY_RUN" || name === "REPORT_FILE" || noRepositoryVariable) continue;
    for (const each of fallback === undefined ? [name] : [name, fallback])
      mapping[each] = `\${{ ${secret === true ? "secrets" : "vars"}.${each} }}`;
  }
  if (job.schedule === "by-hand") delete mapping["HEARTBEAT_URL"];
  else {
    mapping["HEARTBEAT_URL"] =
      `\${{ secrets.HEARTBEAT_BASE_URL && format('{0}/${slugOf(job.name)}', secrets.HEARTBEAT_BASE_URL) || '' }}`;
    const own = heartbeatVariable(job.name);
    mapping[own] = `\${{ secrets.${own} }}`;
  }
  return mapping;
}
