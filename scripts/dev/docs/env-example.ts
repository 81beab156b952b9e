import type { AnyJob } from "../../../lib/job/index.ts";
import { harnessVariables } from "../../../lib/job/environment.ts";
import { approvalVariable } from "../../../lib/payouts/operate/index.ts";
import { allowedInWords, type EnvironmentVariable } from "../../../lib/support/environment.ts";
import { wrapText } from "../../../lib/support/wrap-text.ts";

/** Where the example is kept. */
export const ENV_EXAMPLE = ".env.example";

const INTRODUCTION = `Made by \`npm run docs:generate\` from the declarations of the jobs. Change those, not this file.

Every variable that a job reads. Copy the file to .env, which git ignores, and fill in the copy. No program reads .env on its own: \
\`set -a; . ./.env; set +a\` exports the variables to all commands of this terminal.

An empty variable counts as missing. A line that begins with # holds the default or an example. \
Secrets are empty here: keep the real ones where your other secrets are.`;

interface Described {
  variable: EnvironmentVariable;
  /** Jobs that do not start without the variable; `every job` for the harness. */
  requiredBy: readonly string[];
}

/** All variables of the jobs, harness and commands as a file for a shell, each once, grouped by the part of the product. */
export function envExample(jobs: readonly AnyJob[]): string {
  const groups = new Map<string, Described[]>();
  const harness = new Set(harnessVariables.map(({ name }) => name));
  for (const described of describedOnce(jobs)) {
    const { name } = described.variable;
    const title = harness.has(name) ? "Every job" : groupOf(name);
    groups.set(title, [...(groups.get(title) ?? []), described]);
  }
  const sections = [...groups].map(([title, variables]) =>
    [`# ----- ${title} -----`, ...variables.map(entry)].join("\n\n"),
  );
  return `${[comment(INTRODUCTION), ...sections].join("\n\n")}\n`;
}

function describedOnce(jobs: readonly AnyJob[]): Described[] {
  const readers = [
    { reader: "every job", variables: harnessVariables },
    ...jobs.map(({ name, environment }) => ({
      reader: name.split("/")[1] ?? name,
      variables: environment.variables,
    })),
    { reader: "commands", variables: [approvalVariable] },
  ];
  const byName = new Map<string, Described>();
  for (const { reader, variables } of readers) {
    for (const variable of variables) {
      const requiredBy = byName.get(variable.name)?.requiredBy ?? [];
      byName.set(variable.name, {
        variable,
        requiredBy: variable.required ? [...requiredBy, reader] : requiredBy,
      });
    }
  }
  return [...byName.values()];
}

const GROUPS: readonly (readonly [prefix: RegExp, title: string])[] = [
  [/^RAZORPAY/, "Provider"],
  [/^PAYOUTS_/, "Payouts"],
  [/^TDS_/, "Tax"],
  [/^(SMTP|MAIL|OPERATORS)_/, "Mail"],
  [
    /^(WAITLIST|TENTATIVE|CHECKOUT|AUTHORIZED|OPEN|LATE|REFUNDS|PAYMENT)_/,
    "Checkouts, refunds and waitlist",
  ],
  [/^CHECKS_/, "Checks of the records"],
  [/^RETENTION_/, "Keeping and deleting"],
];

/** @throws when a variable belongs to no group: each new family gets a title here */
function groupOf(name: string): string {
  const found = GROUPS.find(([prefix]) => prefix.test(name));
  if (found === undefined) throw new Error(`no group of ${ENV_EXAMPLE} takes ${name}`);
  return found[1];
}

function entry({ variable, requiredBy }: Described): string {
  const { description, secret, default: standard, unit, allowed } = variable;
  const words = allowedInWords("form" in allowed ? { allowed } : variable);
  const facts = [
    requiredBy.length > 0 ? `Required by ${requiredBy.join(", ")}.` : "",
    secret === true ? "Secret." : "",
    `Allowed: ${words}${exampleOf(variable)}.`,
    "form" in allowed && unit !== undefined ? `Unit: ${unit}.` : "",
    standard === undefined ? "" : `Default: ${standard}.`,
  ].filter((fact) => fact !== "");
  return [
    comment(`${description}.`),
    comment(facts.join(" ")),
    assignment(variable, requiredBy.length > 0),
  ].join("\n");
}

function assignment(
  { name, secret, allowed, default: standard }: EnvironmentVariable,
  isRequired: boolean,
): string {
  if (secret === true) return `${isRequired ? "" : "# "}${name}=`;
  const example = "example" in allowed ? allowed.example : "";
  if (isRequired) return `${name}=${quoted(example)}`;
  const isSentence = "oneOf" in allowed && !allowed.oneOf.includes(standard ?? "");
  return `# ${name}=${quoted(isSentence ? "" : (standard ?? example))}`;
}

/** Quoted where a shell needs quotes; Node's own reader of such files takes both forms. */
function quoted(value: string): string {
  return /^[\w.,:/@%+-]*$/.test(value) ? value : `'${value}'`;
}

function exampleOf({ allowed }: EnvironmentVariable): string {
  return "example" in allowed ? `, such as ${allowed.example}` : "";
}

function comment(text: string): string {
  return wrapText(text, { width: 98 })
    .split("\n")
    .map((line) => `# ${line}`.trimEnd())
    .join("\n");
}
