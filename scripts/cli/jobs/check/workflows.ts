import { agreeing, counted } from "../../../../lib/support/counted.ts";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import type { AnyJob } from "../../../../lib/job/index.ts";
import { toError } from "../../../../lib/support/errors.ts";
import { notChecked, ok, wrong, type CheckFinding } from "./finding.ts";

const PART = "workflows";

interface Workflow {
  file: string;
  crons: string[];
  /** Names of jobs that it mentions, whether there are such jobs or not. */
  names: ReadonlySet<string>;
}

/**
 * The registry against the workflows: every job with a schedule is run by a workflow that fires at its times,
 * no workflow fires at others, and none names a job that there is not.
 *
 * @param all every job, to tell the times of one job from those of another
 */
export function checkWorkflows({
  folder,
  all,
  chosen,
}: {
  folder: string;
  all: readonly AnyJob[];
  chosen: readonly AnyJob[];
}): CheckFinding[] {
  const files = existsSync(folder)
    ? readdirSync(folder).filter((name) => /\.ya?ml$/.test(name))
    : [];
  if (files.length === 0) return [notChecked(PART, "no workflows in .github/workflows")];
  const workflows: Workflow[] = [];
  const problems: string[] = [];
  for (const file of files.sort()) {
    try {
      workflows.push(readWorkflow(file, readFileSync(join(folder, file), "utf8"), all));
    } catch (error) {
      problems.push(`${file} can not be read: ${toError(error).message.split("\n")[0] ?? ""}`);
    }
  }
  for (const job of chosen) problems.push(...problemsOf(job, workflows));
  for (const workflow of workflows) problems.push(...strayIn(workflow, all));
  if (problems.length > 0) return problems.map((problem) => wrong(PART, problem));
  return [
    ok(
      PART,
      `${counted(chosen.length, "job")} ${agreeing(chosen.length, "agrees", "agree")} with ${counted(workflows.length, "workflow")}`,
    ),
  ];
}

function problemsOf({ name, schedule }: AnyJob, workflows: readonly Workflow[]): string[] {
  if (schedule === "by-hand") return [];
  const running = workflows.filter(({ names, crons }) => names.has(name) && crons.length > 0);
  if (running.length === 0) return [`no workflow with a schedule runs ${name}`];
  const files = running.map(({ file }) => file).join(", ");
  const times = running.flatMap(({ crons }) => crons).filter((cron) => cron === schedule.cron);
  if (times.length === 1) return [];
  return times.length === 0
    ? [`${name} is due at "${schedule.cron}", and ${files} does not fire then`]
    : [`${name} is started more than once at "${schedule.cron}": ${files}`];
}

/** Times and names in a workflow that belong to no job. */
function strayIn({ file, crons, names }: Workflow, all: readonly AnyJob[]): string[] {
  const known = new Map(all.map((job) => [job.name, job]));
  const unknown = [...names].filter((name) => !known.has(name));
  const ours = [...names].flatMap((name) => known.get(name) ?? []);
  const times = new Set(
    ours.flatMap(({ schedule }) => (schedule === "by-hand" ? [] : [schedule.cron])),
  );
  return [
    ...unknown.map((name) => `${file} names jobs/${name}.ts, which is no job of the registry`),
    ...(ours.length === 0 ? [] : crons)
      .filter((cron) => !times.has(cron))
      .map((cron) => `${file} fires at "${cron}", which is the time of no job it runs`),
  ];
}

function readWorkflow(file: string, text: string, all: readonly AnyJob[]): Workflow {
  const document: unknown = parse(text);
  if (!isRecord(document)) throw new TypeError("it is no mapping");
  const { on } = document;
  const schedule: unknown = isRecord(on) ? on["schedule"] : undefined;
  const crons = (Array.isArray(schedule) ? schedule : []).flatMap((entry: unknown) =>
    isRecord(entry) && typeof entry["cron"] === "string" ? [entry["cron"]] : [],
  );
  const said = [...textsOf(document["jobs"])];
  const names = said.flatMap((each) => [
    ...[...each.matchAll(/\bjobs\/([a-z-]+\/[a-z-]+)\.ts\b/g)].map(([, name]) => name ?? ""),
    ...all.map(({ name }) => name).filter((name) => mentions(each, name)),
  ]);
  return { file, crons, names: new Set(names) };
}

/** The name as a word of its own: `payouts/process-payouts-old` is another one. */
function mentions(text: string, name: string): boolean {
  return new RegExp(`(?<![\\w-])${name}(?![\\w-])`).test(text);
}

function* textsOf(value: unknown): Generator<string> {
  if (typeof value === "string") yield value;
  else if (Array.isArray(value)) for (const each of value as unknown[]) yield* textsOf(each);
  else if (isRecord(value)) for (const each of Object.values(value)) yield* textsOf(each);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
