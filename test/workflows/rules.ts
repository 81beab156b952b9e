import { parseDocument } from "yaml";
import {
  command,
  expressionsIn,
  get,
  isSame,
  leaves,
  list,
  mentions,
  record,
  textOf,
  uses,
  type Node,
} from "./nodes.ts";
import { noRepositoryVariables } from "./variables.ts";

/**
 * Labels of runners. A job with secrets may also run on one of your own: write its label into `OWN_RUNNERS` and
 * into `runs-on` of the workflows. It is no variable, because another runner would get the secrets.
 */
const GITHUB_RUNNERS = ["ubuntu-24.04"];
const OWN_RUNNERS: readonly string[] = [];

/** A workflow or an action, as text and as read; nothing is taken for granted about its shape. */
export interface Scanned {
  file: string;
  text: string;
  /** The actions of this repository, by the name under which a step uses them. */
  actions: ReadonlyMap<string, string>;
}

/** What must hold of each workflow and action. Each says what is wrong, and nothing when nothing is. */
export interface Rule {
  name: string;
  problems: (scan: Scan) => string[];
}

interface Scan {
  isAction: boolean;
  text: string;
  root: Node;
  jobs: Job[];
  /** All steps, those of an action too. */
  steps: Node[];
  actions: ReadonlyMap<string, string>;
}

interface Job {
  id: string;
  node: Node;
  steps: Node[];
  hasSecrets: boolean;
}

/** Name of each rule that the file breaks, with what is wrong. */
export function brokenRules(scanned: Scanned): Record<string, string[]> {
  const scan = read(scanned);
  const found = rules.map(({ name, problems }): [string, string[]] => [name, problems(scan)]);
  return Object.fromEntries(found.filter(([, problems]) => problems.length > 0));
}

function read({ text, actions }: Scanned): Scan {
  const root: Node = parseDocument(text, { uniqueKeys: true }).toJS();
  const isAction = get(root, "runs") !== undefined;
  const jobs = Object.entries(record(get(root, "jobs"))).map(([id, node]): Job => {
    const hasSecrets = mentions(node, SECRETS) || get(node, "environment") !== undefined;
    return { id, node, steps: list(get(node, "steps")), hasSecrets };
  });
  const steps = isAction ? list(get(get(root, "runs"), "steps")) : jobs.flatMap((job) => job.steps);
  return { isAction, text, root, jobs, steps, actions };
}

/** Of the audit, so that whoever has the secrets of the jobs has not its login, and the other way round. */
const ENVIRONMENTS = ["production", "audit"];
const SECRETS = /\bsecrets\b/;
const EXPRESSION = "${{";

const withSecrets = (scan: Scan): Job[] => scan.jobs.filter(({ hasSecrets }) => hasSecrets);

export const rules: readonly Rule[] = [
  {
    name: "triggers",
    // Any other trigger can be one that hands code of strangers the rights of this repository.
    problems: (scan) => {
      if (scan.isAction) return [];
      const on = get(scan.root, "on");
      const names =
        typeof on === "string"
          ? [on]
          : Array.isArray(on)
            ? on.map(String)
            : Object.keys(record(on));
      const allowed = ["schedule", "workflow_dispatch"];
      if (withSecrets(scan).length === 0) allowed.push("pull_request", "push");
      const branches = list(get(get(on, "push"), "branches"));
      return [
        ...names.filter((name) => !allowed.includes(name)).map((name) => `starts by ${name}`),
        ...problem(names.includes("push") && branches.join() !== "main", "push of more than main"),
      ];
    },
  },
  {
    name: "pinned",
    problems: ({ text, steps, jobs }) => [
      ...[...text.matchAll(/^\s*(?:- )?uses: *(.*)$/gm)]
        .map(([, used = ""]) => used)
        .filter((used) => !/^\.\/\.github\/actions\/[a-z-]+$/.test(used))
        .filter((used) => !/^actions\/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(used)),
      // What the lines above did not show: a flow mapping, a text in quotes, a workflow that is called.
      ...problem(
        [...steps, ...jobs.map(({ node }) => node)].filter((node) => get(node, "uses")).length !==
          [...text.matchAll(/^\s*(?:- )?uses: /gm)].length,
        "uses something in another notation",
      ),
      ...jobs.filter(({ node }) => get(node, "uses")).map(({ id }) => `${id} calls a workflow`),
    ],
  },
  {
    name: "permissions",
    problems: ({ isAction, root, jobs }) =>
      isAction
        ? []
        : [
            ...problem(!isSame(get(root, "permissions"), {}), "the workflow's are not {}"),
            ...jobs
              .filter(({ node }) => !isSame(get(node, "permissions"), { contents: "read" }))
              .map(({ id }) => `those of ${id} are not contents: read`),
          ],
  },
  {
    name: "checkout",
    // Neither a token that stays, nor another branch's code.
    problems: ({ steps }) =>
      steps
        .filter((step) => uses(step).startsWith("actions/checkout@"))
        .filter((step) => !isSame(get(step, "with"), { "persist-credentials": false }))
        .map((step) => JSON.stringify(get(step, "with") ?? null)),
  },
  {
    name: "injection",
    problems: ({ steps }) =>
      steps
        .filter((step) => `${textOf(step, "run")}${textOf(step, "shell")}`.includes(EXPRESSION))
        .map((step) => textOf(step, "run")),
  },
  {
    name: "secrets",
    // One at a time, in the environment of one step of a job of a protected environment.
    problems: (scan) => {
      const outside = leaves(scan.root).filter(
        ({ path, value }) =>
          SECRETS.test(expressionsIn(value)) && !/^jobs\.[^.]+\.steps\.\d+\.env\./.test(path),
      );
      const whole = leaves(scan.root).filter(({ value }) =>
        /\bsecrets\b(?!\.[A-Z])/.test(expressionsIn(value)),
      );
      const readers = scan.jobs.filter(
        ({ steps }) => steps.filter((step) => mentions(get(step, "env"), SECRETS)).length > 1,
      );
      const elsewhere = withSecrets(scan).filter(
        ({ node }) => !ENVIRONMENTS.some((each) => each === get(node, "environment")),
      );
      return [
        ...[...outside, ...whole].map(({ path, value }) => `${path}: ${value}`),
        ...readers.map(({ id }) => `${id} has several steps with secrets`),
        ...elsewhere.map(
          ({ id }) => `${id} is not of the environment ${ENVIRONMENTS.join(" or ")}`,
        ),
        ...scan.jobs
          .filter(({ node }) => get(node, "secrets"))
          .map(({ id }) => `${id} hands them on`),
        ...problem(mentions(scan.root, /\bgithub\.token\b/), "takes the token of GitHub"),
      ];
    },
  },
  {
    name: "company of secrets",
    // Code of others never runs in a step that has secrets.
    problems: (scan) =>
      withSecrets(scan).flatMap(({ id, steps }) =>
        steps
          .filter((step) => mentions(get(step, "env"), SECRETS))
          .flatMap((step) => {
            if (/^exec node dist\/[a-z-]+\.js$/.test(command(step).trim())) return [];
            const action = scan.actions.get(uses(step));
            if (action === undefined) return [`${id} gives them to ${uses(step) || "a script"}`];
            return stepsOfAction(action)
              .filter(
                (inner) =>
                  uses(inner) || /\b(npm (ci|i|install)|npx|curl|wget|pip)\b/.test(command(inner)),
              )
              .map(() => `${uses(step)} uses or downloads something`);
          }),
      ),
  },
  {
    name: "caches",
    // Every job on main can write the cache of GitHub Actions, and so feed one that restores it.
    problems: (scan) =>
      withSecrets(scan).flatMap(({ steps }) =>
        steps
          .flatMap((step) => [step, ...stepsOfAction(scan.actions.get(uses(step)))])
          .filter((step) => isFedByOthers(step))
          .map((step) => uses(step)),
      ),
  },
  {
    name: "runner",
    problems: ({ jobs }) =>
      jobs.flatMap(({ id, node, hasSecrets }) => {
        const label = get(node, "runs-on");
        const allowed = hasSecrets ? [...GITHUB_RUNNERS, ...OWN_RUNNERS] : GITHUB_RUNNERS;
        return [
          ...problem(!allowed.some((each) => each === label), `${id}: ${JSON.stringify(label)}`),
          ...problem(
            hasSecrets && ["container", "services"].some((key) => get(node, key) !== undefined),
            `${id} runs beside an image`,
          ),
        ];
      }),
  },
  {
    name: "variables",
    // A variable gives a setting its value. It chooses no host, no runner and no program.
    problems: ({ root }) => [
      ...leaves(root)
        .filter(({ value }) => /\bvars\b/.test(expressionsIn(value)))
        .filter(({ path, value }) => {
          const [, key = ""] = /^jobs\.[^.]+\.steps\.\d+\.env\.([A-Z0-9_]+)$/.exec(path) ?? [];
          return value !== `\${{ vars.${key} }}` || choosesAHost(key);
        })
        .map(({ path, value }) => `${path}: ${value}`),
      ...leaves(root)
        .filter(({ path }) => STEERS_A_PROGRAM.test(path))
        .map(({ path }) => path),
    ],
  },
  {
    name: "time-out",
    problems: ({ jobs }) =>
      jobs
        .filter(({ node }) => {
          const minutes = get(node, "timeout-minutes");
          return !(typeof minutes === "number" && minutes >= 1 && minutes <= 60);
        })
        .map(({ id }) => id),
  },
  {
    name: "concurrency",
    problems: (scan) => {
      if (scan.isAction) return [];
      const { group, "cancel-in-progress": cancels } = record(get(scan.root, "concurrency"));
      return [
        ...problem(typeof group !== "string" || group === "", "there is no group"),
        ...problem(
          withSecrets(scan).length > 0 && cancels !== false,
          "it cancels a run with secrets",
        ),
      ];
    },
  },
  {
    name: "shows and hides",
    // Nothing prints what it has, and no failure stays green.
    problems: ({ root, steps, jobs }) => [
      ...leaves(root)
        .filter(({ path, value }) =>
          /ACTIONS_(STEP|RUNNER)_DEBUG|ACTIONS_ALLOW_/.test(path + value),
        )
        .map(({ path }) => path),
      ...steps.map(command).filter((run) => /\bset -\w*x|\bprintenv\b|^\s*env\s*$/m.test(run)),
      ...[...steps, ...jobs.map(({ node }) => node)]
        .filter((node) => get(node, "continue-on-error") !== undefined)
        .map(() => "continue-on-error"),
    ],
  },
  {
    name: "installs",
    // What is run comes from the lock file, and no package runs a script of its own at its installation.
    problems: ({ steps }) =>
      steps
        .map(command)
        .filter((run) =>
          /\bnpx\b|\bnpm (i|install|exec|add|update)\b|\|\s*(ba|z)?sh\b|\bnpm ci\b(?!.*--ignore-scripts)/.test(
            run,
          ),
        ),
  },
];

const STEERS_A_PROGRAM =
  /\.env\.(NODE_.*|LD_.*|DYLD_.*|BASH_ENV|ENV|PATH|SHELL|IFS|(.*_)?(HTTPS?|NO|ALL)_PROXY|.*_proxy|npm_config_.*|GIT_.*)$/i;

function choosesAHost(variable: string): boolean {
  return (
    noRepositoryVariables().has(variable) || /_(URL|HOST|PORT|ENDPOINT)$|RUNNER/.test(variable)
  );
}

function isFedByOthers(step: Node): boolean {
  const used = uses(step);
  const inputs = record(get(step, "with"));
  if (used.startsWith("actions/setup-node@"))
    return inputs["cache"] !== undefined || inputs["package-manager-cache"] !== false;
  const known = /^(\.\/|actions\/(checkout|upload-artifact)@|$)/;
  return !known.test(used);
}

function stepsOfAction(text: string | undefined): Node[] {
  if (text === undefined) return [];
  return list(get(get(parseDocument(text).toJS(), "runs"), "steps"));
}

function problem(isOne: boolean, says: string): string[] {
  return isOne ? [says] : [];
}
