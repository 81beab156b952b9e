import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isMap, isScalar, isSeq, parseDocument } from "yaml";

/** What our workflows and our action use of the format. */
export interface Step {
  id?: string;
  name?: string;
  if?: string;
  uses?: string;
  run?: string;
  shell?: string;
  with?: Record<string, string | number | boolean>;
  env?: Record<string, string>;
}

export interface WorkflowJob {
  "runs-on": string;
  "timeout-minutes"?: number;
  environment?: string;
  permissions?: Record<string, string>;
  env?: Record<string, string>;
  strategy?: { matrix: Record<string, unknown[]> };
  services?: Record<string, { image: string }>;
  steps: Step[];
}

export interface DispatchInput {
  description?: string;
  required?: boolean;
  type: "string" | "boolean" | "choice";
  default?: string | boolean;
  options?: string[];
}

export interface Workflow {
  name: string;
  "run-name"?: string;
  on: {
    schedule?: { cron: string }[];
    workflow_dispatch?: { inputs?: Record<string, DispatchInput> };
    pull_request?: unknown;
    push?: unknown;
  };
  permissions?: Record<string, string>;
  defaults?: { run?: { shell?: string } };
  concurrency: { group: string; "cancel-in-progress": boolean | string };
  jobs: Record<string, WorkflowJob>;
}

export interface CompositeAction {
  inputs?: Record<string, { required?: boolean; default?: string }>;
  outputs?: Record<string, { value: string }>;
  runs: { using: string; steps: Step[] };
}

export interface WorkflowFile {
  /** Without its folder. */
  file: string;
  text: string;
  workflow: Workflow;
  /** What stands behind each cron, as a comment. */
  cronComments: string[];
}

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));
export const ACTION = "./.github/actions/run-job";
export const BUILD_ACTION = "./.github/actions/build-jobs";
const WORKFLOWS = join(ROOT, ".github/workflows");

/** A job's workflow is named after it: `payouts/process-payouts` has `payouts-process-payouts.yml`. */
export function slugOf(job: string): string {
  return job.replace("/", "-");
}

export function workflowFiles(): WorkflowFile[] {
  return readdirSync(WORKFLOWS).sort().map(readWorkflow);
}

/** @throws when there is no such file, or it is no YAML */
export function readWorkflow(file: string): WorkflowFile {
  const text = readFileSync(join(WORKFLOWS, file), "utf8");
  const document = parseDocument(text, { uniqueKeys: true });
  if (document.errors.length > 0) throw new Error(`${file}: ${String(document.errors[0])}`);
  const crons = document.getIn(["on", "schedule"]);
  const cronComments = !isSeq(crons)
    ? []
    : crons.items.map((item) => {
        const cron = isMap(item) ? item.get("cron", true) : undefined;
        return isScalar(cron) ? (cron.comment ?? "").trim() : "";
      });
  return { file, text, workflow: document.toJS() as Workflow, cronComments };
}

export interface ActionFile {
  /** As a step names it: `./.github/actions/run-job`. */
  path: string;
  text: string;
  action: CompositeAction;
}

export function actionFiles(): ActionFile[] {
  return readdirSync(join(ROOT, ".github/actions"))
    .sort()
    .map((name) => readAction(`./.github/actions/${name}`));
}

export function readAction(path: string): ActionFile {
  const text = readFileSync(join(ROOT, path, "action.yml"), "utf8");
  const action = parseDocument(text, { uniqueKeys: true }).toJS() as CompositeAction;
  return { path, text, action };
}

/** The one job of a workflow that runs one of ours, and its step that does. */
export function jobStepOf({ file, workflow }: WorkflowFile): {
  id: string;
  job: WorkflowJob;
  step: Step;
} {
  const [[id, job] = [], ...others] = Object.entries(workflow.jobs);
  const step = job?.steps.find(({ uses }) => uses === ACTION);
  if (id === undefined || job === undefined || step === undefined || others.length > 0)
    throw new Error(`${file} must have one job, with one step that uses ${ACTION}`);
  return { id, job, step };
}
