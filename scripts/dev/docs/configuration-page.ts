import { format } from "prettier";
import type { AnyJob } from "../../../lib/job/index.ts";
import { harnessVariables, heartbeatVariable } from "../../../lib/job/environment.ts";
import { approvalVariable } from "../../../lib/payouts/operate/index.ts";
import { allowedInWords, type EnvironmentVariable } from "../../../lib/support/environment.ts";
import { markdownTable } from "../../../lib/support/markdown-table.ts";

/** Where the page is kept. */
export const CONFIGURATION_PAGE = "docs/configuration.md";

const INTRODUCTION = `# Configuration

<!-- Made by \`npm run docs:generate\` from the declarations of the jobs. Change those, not this page. -->

Every variable that a job reads. An empty variable counts as missing. A run checks all of them before it starts anything, and
says all that is wrong at once, naming variables and never their values; it ends then as \`misconfigured\`, exit code 2.
\`npm run jobs -- check NAME\` does the same without a run, and \`--help\` of a job lists what it reads.

How addresses hold passwords and ask for TLS is told in [connections](connections.md).

What is marked secret belongs where secrets are kept; the rest may be read by everybody. On GitHub Actions they are secrets
and variables of the environment \`production\` ([how to set that up](github-actions.md)); what is marked "no variable" decides
where secrets go, so that no workflow takes it from there.`;

/**
 * The configuration reference, from the jobs' declarations: the variables of each job, and for each variable its
 * readers, default, meaning, unit and allowed values. Formatted as the repository's Markdown is.
 */
export async function configurationPage(jobs: readonly AnyJob[]): Promise<string> {
  const parts = [
    INTRODUCTION,
    "## What each job needs",
    "Every job needs `DATABASE_URL`, too. An older name that is read when the first is missing stands behind a stroke.",
    needs(jobs),
    "## Every job",
    variableTable(
      harnessVariables.map((variable) => ({ variable, required: variable.required ? "all" : "" })),
    ),
    `\`HEARTBEAT_URL_<JOB>\` ends with the name of a job in capitals, with underscores: \`${heartbeatVariable("payouts/process-payouts")}\`.
How much is logged is no variable: the flag is \`--log-level\`. On GitHub Actions a step gets its flags from \`FLAG_LIMIT\`,
\`FLAG_LOG_LEVEL\` and so on, which the workflows fill from their inputs.`,
    ...groups(jobs).flatMap(({ readers, variables }) => [
      `## ${readers.map((job) => job.split("/")[1] ?? job).join(", ")}`,
      `Read by ${readers.map(linked).join(", ")}.`,
      variableTable(variables),
    ]),
    COMMANDS,
    variableTable([{ variable: approvalVariable, required: "" }]),
    ON_GITHUB,
  ];
  return format(parts.join("\n\n"), { parser: "markdown", printWidth: 100 });
}

const COMMANDS = `## Commands

Read by \`payouts\` and \`import:earnings\`, by no job ([two people](operating-payouts.md#two-people)).`;

const ON_GITHUB = `## Read by the workflows alone

| name | kept as | default | meaning |
| --- | --- | --- | --- |
| \`HEARTBEAT_BASE_URL\` | secret | | address of a monitor; a job's \`HEARTBEAT_URL\` is this with \`/<domain>-<job>\` behind it |
| \`HEARTBEAT_URL_<JOB>\` | secret | | comes before it for one job, as \`${heartbeatVariable("payouts/process-payouts")}\` |`;

function linked(job: string): string {
  return `[${job}](jobs/${job.split("/")[1] ?? job}.md)`;
}

function needs(jobs: readonly AnyJob[]): string {
  const names = (variables: readonly EnvironmentVariable[]): string =>
    variables
      .map(({ name, fallback }) => [name, ...(fallback === undefined ? [] : [fallback])])
      .map((all) => all.map((name) => `\`${name}\``).join("/"))
      .join(" ");
  const rows = jobs.map(({ name, environment: { variables } }) => {
    const required = variables.filter((variable) => variable.required);
    return [
      linked(name),
      names(required.filter(({ secret }) => secret === true)),
      names(required.filter(({ secret }) => secret !== true)),
      names(variables.filter((variable) => !variable.required)),
    ];
  });
  return markdownTable(["job", "secrets", "variables", "optional"], rows).join("\n");
}

interface Row {
  variable: EnvironmentVariable;
  /** The readers that require it: `all`, none, or these. */
  required: string;
}

interface Group {
  readers: readonly string[];
  variables: readonly Row[];
}

/** The variables of the jobs, those together that the same jobs read. */
function groups(jobs: readonly AnyJob[]): Group[] {
  const readers = new Map<string, { job: string; variable: EnvironmentVariable }[]>();
  for (const { name: job, environment } of jobs) {
    for (const variable of environment.variables) {
      readers.set(variable.name, [...(readers.get(variable.name) ?? []), { job, variable }]);
    }
  }
  const byReaders = new Map<string, { readers: string[]; variables: Row[] }>();
  for (const read of readers.values()) {
    const names = read.map(({ job }) => job);
    const group = byReaders.get(names.join()) ?? { readers: names, variables: [] };
    byReaders.set(names.join(), group);
    const needing = read.filter(({ variable }) => variable.required).map(({ job }) => job);
    const first = read[0];
    if (!first) continue;
    const required =
      needing.length === read.length
        ? "all"
        : needing.map((job) => job.split("/")[1] ?? job).join(", ");
    group.variables.push({ variable: first.variable, required });
  }
  return [...byReaders.values()];
}

function variableTable(rows: readonly Row[]): string {
  return markdownTable(
    ["variable", "default", "meaning", "unit", "allowed"],
    rows.map(({ variable, required }) => [
      `\`${variable.name}\`${noteOf(variable)}`,
      required === "all"
        ? "required"
        : required === ""
          ? defaultOf(variable)
          : `required for ${required}`,
      escaped(variable.description),
      variable.unit ?? "",
      allowedCell(variable),
    ]),
  ).join("\n");
}

function noteOf({ secret, noRepositoryVariable }: EnvironmentVariable): string {
  if (secret === true) return " (secret)";
  return noRepositoryVariable === true ? " (no variable)" : "";
}

/** A value as code, a sentence as it is. */
function defaultOf({ default: value, allowed }: EnvironmentVariable): string {
  if (value === undefined) return "";
  const isSentence = "oneOf" in allowed && !allowed.oneOf.includes(value);
  return isSentence ? value : `\`${value}\``;
}

function allowedCell({ allowed }: EnvironmentVariable): string {
  if ("oneOf" in allowed) return allowed.oneOf.map((value) => `\`${value}\``).join(", ");
  const words = allowedInWords({ allowed });
  return "example" in allowed ? `${escaped(words)}, such as \`${allowed.example}\`` : words;
}

function escaped(text: string): string {
  return text.replace(/[<>|*]/g, "\\$&");
}
