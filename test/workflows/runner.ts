import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { jobs } from "../../jobs/registry.ts";
import { harnessVariables, heartbeatVariable } from "../../lib/job/environment.ts";
import { startStep, type RunningJob } from "../support/job-process.ts";
import { interpolate, type Contexts } from "./expressions.ts";
import {
  ACTION,
  actionFiles,
  jobStepOf,
  readWorkflow,
  ROOT,
  slugOf,
  type DispatchInput,
  type Step,
} from "./files.ts";
import { noRepositoryVariables } from "./variables.ts";

export type Event =
  | { name: "schedule" }
  | { name: "workflow_dispatch"; inputs?: Readonly<Record<string, string | boolean>> };

export interface StepOptions {
  /** Default: by its schedule, which is never a dry run. */
  event?: Event;
  /** What a repository has configured; each value stands where the job's declaration says that it belongs. */
  settings: Readonly<Record<string, string>>;
  /** Default: that of the step which runs the job. */
  step?: "Bundle the jobs" | "Run the job";
  /** Put in front of the runner's own PATH. */
  path?: string;
  /** Default: the checkout. */
  cwd?: string;
}

export interface WorkflowStep extends RunningJob {
  /** What would be uploaded, once it has ended. */
  report(): unknown;
}

/**
 * Starts a step of the action as the workflow of a job brings it about: inputs with their defaults, secrets and
 * variables through the workflow's own mapping, the runner's own variables, and the script as it stands.
 */
export function startWorkflowStep(
  job: string,
  { event = { name: "schedule" }, settings, step = "Run the job", path, cwd }: StepOptions,
): WorkflowStep {
  const temp = mkdtempSync(join(tmpdir(), "afterhours-runner-"));
  onTestFinished(() => rmSync(temp, { recursive: true, force: true }));

  const file = readWorkflow(`${slugOf(job)}.yml`);
  const { workflow } = file;
  const { id, job: workflowJob, step: caller } = jobStepOf(file);
  const github = {
    job: id,
    workflow: workflow.name,
    run_id: "1658821493",
    run_attempt: "1",
    event_name: event.name,
  };
  const outer: Contexts = {
    github,
    inputs: inputsOf(event, workflow.on.workflow_dispatch?.inputs ?? {}),
    ...configured(job, settings),
  };
  const inner: Contexts = {
    github,
    inputs: valuesOf(caller.with ?? {}, outer),
    runner: { temp },
  };
  const [action, script] = scriptOf(step);
  // The step that builds is one of its own, and is given nothing of the step that runs the job.
  const given = action === ACTION ? valuesOf(caller.env ?? {}, outer) : {};

  const running = startStep({
    script: script.run,
    ...(cwd === undefined ? {} : { cwd }),
    env: {
      ...runnerVariables(github, temp),
      ...sandboxAddress(settings),
      ...(path === undefined ? {} : { PATH: `${path}:${process.env["PATH"] ?? ""}` }),
      ...valuesOf(workflowJob.env ?? {}, outer),
      ...given,
      ...valuesOf(script.env ?? {}, inner),
    },
  });
  return {
    ...running,
    report: () => JSON.parse(readFileSync(join(temp, "report.json"), "utf8")) as unknown,
  };
}

/** A script of our actions, with the action that it is of. */
function scriptOf(name: string): [action: string, script: Step & { run: string }] {
  for (const { path, action } of actionFiles()) {
    const script = action.runs.steps.find((each) => each.name === name);
    if (script?.run !== undefined) return [path, { ...script, run: script.run }];
  }
  throw new Error(`no action has a script "${name}"`);
}

/** A run that a schedule starts has no inputs at all, not even defaults. */
function inputsOf(
  event: Event,
  declared: Readonly<Record<string, DispatchInput>>,
): Record<string, string | boolean> {
  if (event.name === "schedule") return {};
  const given = event.inputs ?? {};
  const unknown = Object.keys(given).filter((name) => declared[name] === undefined);
  if (unknown.length > 0) throw new Error(`the workflow has no input ${unknown.join(", ")}`);
  return Object.fromEntries(
    Object.entries(declared).map(([name, { type, default: fallback }]) => [
      name,
      given[name] ?? fallback ?? (type === "boolean" ? false : ""),
    ]),
  );
}

/** Secrets where the job says that a variable is one, and variables of the environment for all others. */
function configured(job: string, settings: Readonly<Record<string, string>>): Contexts {
  const variables = [
    ...harnessVariables,
    ...(jobs.find(({ name }) => name === job)?.environment.variables ?? []),
  ];
  const secret = new Set(
    variables.flatMap(({ name, fallback, secret }) => (secret === true ? [name, fallback] : [])),
  )
    .add("HEARTBEAT_BASE_URL")
    .add(heartbeatVariable(job));
  const where = (isSecret: boolean): Record<string, string> =>
    Object.fromEntries(Object.entries(settings).filter(([name]) => secret.has(name) === isSecret));
  return { secrets: where(true), vars: where(false) };
}

/** No workflow says where secrets go. The sandbox is found as if the runner's own environment told it. */
function sandboxAddress(settings: Readonly<Record<string, string>>): Record<string, string> {
  const untold = noRepositoryVariables();
  return Object.fromEntries(Object.entries(settings).filter(([name]) => untold.has(name)));
}

function valuesOf(
  templates: Readonly<Record<string, string | number | boolean>>,
  contexts: Contexts,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(templates).map(([name, text]) => [name, interpolate(String(text), contexts)]),
  );
}

/** As the runner sets them for every step. */
function runnerVariables(
  github: Readonly<Record<string, string>>,
  temp: string,
): Record<string, string> {
  return {
    CI: "true",
    GITHUB_ACTIONS: "true",
    GITHUB_ACTION: "__run_2",
    GITHUB_API_URL: "https://api.github.example",
    GITHUB_EVENT_NAME: github["event_name"] ?? "",
    GITHUB_JOB: github["job"] ?? "",
    GITHUB_REF: "refs/heads/main",
    GITHUB_REPOSITORY: "acme/afterhours",
    GITHUB_RUN_ATTEMPT: github["run_attempt"] ?? "",
    GITHUB_RUN_ID: github["run_id"] ?? "",
    GITHUB_SERVER_URL: "https://github.example",
    GITHUB_SHA: "0123456789abcdef0123456789abcdef01234567",
    GITHUB_WORKFLOW: github["workflow"] ?? "",
    GITHUB_WORKSPACE: ROOT,
    RUNNER_ARCH: "X64",
    RUNNER_OS: "Linux",
    RUNNER_TEMP: temp,
  };
}
