import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { jobs } from "../../../jobs/registry.ts";
import { harnessVariables, heartbeatVariable } from "../../../lib/job/environment.ts";
import { benches } from "../../../scripts/dev/bench/benches.ts";
import { ROOT } from "./blocks.ts";

/** A command that no test machine can or should run, why, and what is wrong with it all the same. */
export interface Listed {
  name: string;
  matches: RegExp;
  why: string;
  /** What a reader would run into; none: it is as far as can be seen right. */
  problems: (command: string) => string[];
}

export const LISTED: readonly Listed[] = [
  {
    name: "npm test",
    matches: /^npm test$/,
    why: "it is this suite",
    problems: () => absent(scripts()["test"]?.includes("test/run.ts"), "npm test runs no tests"),
  },
  {
    name: "some of the tests",
    matches: /^([A-Z_]+=\S+ )*npm (test|run test:unit|run test:deep) -- /,
    why: "these files are in the suite, and with more seeds or steps they run for minutes to hours",
    problems: vitestProblems,
  },
  {
    name: "npm run demo",
    matches: /^npm run demo( -- --all)?$/,
    why: "it runs for half a minute with servers of its own; .ci/run executes all of it in each check",
    problems: () =>
      absent(/npm run --silent demo -- --all$/m.test(read(".ci/run")), ".ci/run has no demo"),
  },
  {
    name: "the mutation check",
    matches: /^npm run mutation:claims -- --only \S+$/,
    why: "it runs tests of the suite for each condition, for minutes; with --list it is executed",
    problems: (command) => {
      const [, only = ""] = /--only (\S+)$/.exec(command) ?? [];
      return absent(existsSync(join(ROOT, `${only}.ts`)), `there is no ${only}.ts`);
    },
  },
  {
    name: "npm run bench",
    matches: /^npm run bench( -- (?!.*--quick).*)?$/,
    why: "it measures for minutes; with --quick it is executed",
    problems: (command) => {
      const names = command
        .split(" ")
        .slice(4)
        .filter((word) => /^[a-z]+$/.test(word));
      return names.flatMap((name) =>
        absent(
          benches.some((bench) => bench.name === name),
          `there is no figure ${name}`,
        ),
      );
    },
  },
  {
    name: "gh workflow run",
    matches: /^gh workflow run /,
    why: "GitHub would run it; the workflows' steps are executed by test/workflows",
    problems: workflowRunProblems,
  },
  {
    name: "gh workflow enable or disable",
    matches: /^gh workflow (enable|disable) /,
    why: "GitHub would do it",
    problems: (command) => workflowOf(command).problems,
  },
  {
    name: "gh run",
    matches: /^gh run (watch|list|view)\b/,
    why: "GitHub would have to be asked",
    problems: (command) => {
      const [, file] = /--workflow[ =](\S+)/.exec(command) ?? [];
      return file === undefined ? [] : workflowOf(`gh workflow run ${file}`).problems;
    },
  },
  {
    name: "gh secret set, gh variable set",
    matches: /^gh (secret|variable) set /,
    why: "it writes to GitHub",
    problems: settingProblems,
  },
  {
    name: "the runner of the workflows",
    matches: /^sed -i 's\/runs-on: .*\/runs-on: .*\/' \.github\/workflows\//,
    why: "it changes this checkout",
    problems: (command) => {
      const [, label = ""] = /'s\/(.*?)\/runs-on: /.exec(command) ?? [];
      const files = command.split(" ").slice(3);
      const changed = readdirSync(join(ROOT, ".github/workflows")).filter((file) =>
        files.some((glob) => matchesGlob(`.github/workflows/${file}`, glob)),
      );
      return [
        ...absent(changed.length > 0, "no workflow has such a name"),
        ...changed
          .filter((file) => !read(`.github/workflows/${file}`).includes(label))
          .map((file) => `${file} has no ${label}`),
        ...changed
          .filter((file) => /^(ci|claims)/.test(file))
          .map((file) => `${file} runs anybody's code`),
      ];
    },
  },
  {
    name: "gh repo, gh api",
    matches: /^gh (repo|api) /,
    why: "it talks to GitHub",
    problems: () => [],
  },
  {
    name: "git clone, push, remote",
    matches: /^git (clone|push|remote) /,
    why: "it talks to another repository",
    problems: () => [],
  },
  {
    name: "entering the clone",
    matches: /^cd \S+$/,
    why: "the commands run in this checkout",
    problems: () => [],
  },
];

export function listedFor(command: string): Listed | undefined {
  return LISTED.find(({ matches }) => matches.test(command));
}

/** Names that a workflow maps, as secret or as variable of the environment. */
export function settingNames(kind: "secret" | "variable"): Set<string> {
  const names = new Set<string>();
  const pattern = kind === "secret" ? /\bsecrets\.([A-Z0-9_]+)/g : /\bvars\.([A-Z0-9_]+)/g;
  for (const file of readdirSync(join(ROOT, ".github/workflows"))) {
    for (const [, name = ""] of read(`.github/workflows/${file}`).matchAll(pattern))
      names.add(name);
  }
  return names;
}

/** Every variable that a job reads, by any of its names. */
export function knownVariables(): Set<string> {
  const all = [...harnessVariables, ...jobs.flatMap(({ environment }) => environment.variables)];
  return new Set([
    ...all.flatMap(({ name, fallback }) => [name, fallback ?? name]),
    ...jobs.map(({ name }) => heartbeatVariable(name)),
  ]);
}

export function scripts(): Record<string, string> {
  return (JSON.parse(read("package.json")) as { scripts: Record<string, string> }).scripts;
}

function vitestProblems(command: string): string[] {
  // A name of a test stands in quotes and may have spaces.
  const words: readonly string[] = command.match(/(?:"[^"]*"|[^\s"])+/g) ?? [];
  const filters = words.slice(words.indexOf("--") + 1);
  const named = filters.filter(
    (word, index) => /^[a-z]/.test(word) && !/^-/.test(filters[index - 1] ?? ""),
  );
  const settings = words.filter((word) => /^[A-Z_]+=/.test(word)).map((word) => word.split("=")[0]);
  const files = readdirSync(join(ROOT, "test"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => `test/${name}`);
  const sources = files.map(read);
  const isThere = (pattern: string): boolean => {
    const shape = new RegExp(pattern.replaceAll(".", "\\.").replaceAll("*", "[^/]*"));
    return files.some((file) => shape.test(file));
  };
  return [
    ...named.filter((pattern) => !isThere(pattern)).map((pattern) => `there is no ${pattern}`),
    ...absent(named.length > 0 || filters.includes("--part"), "names no test"),
    ...settings
      .filter((name) => !sources.some((source) => source.includes(name ?? "")))
      .map((name) => `no test reads ${name}`),
  ];
}

interface Workflow {
  on?: { workflow_dispatch?: { inputs?: Record<string, { type?: string; options?: string[] }> } };
}

function workflowOf(command: string): { workflow: Workflow | undefined; problems: string[] } {
  const [, file = ""] = /^gh workflow \w+ (\S+)/.exec(command) ?? [];
  const path = join(ROOT, ".github/workflows", file);
  if (!existsSync(path)) return { workflow: undefined, problems: [`there is no workflow ${file}`] };
  return { workflow: parse(readFileSync(path, "utf8")) as Workflow, problems: [] };
}

function workflowRunProblems(command: string): string[] {
  const { workflow, problems } = workflowOf(command);
  if (workflow === undefined) return problems;
  const dispatch = workflow.on?.workflow_dispatch;
  if (dispatch === undefined) return ["the workflow can not be started by hand"];
  const given = [...command.matchAll(/ -f ([a-z_]+)=(\S+)/g)];
  return given.flatMap(([, name = "", value = ""]) => {
    const input = dispatch.inputs?.[name];
    if (input === undefined) return [`the workflow has no input ${name}`];
    if (input.type === "boolean" && !["true", "false"].includes(value)) return [`${name}=${value}`];
    if (input.options && !input.options.includes(value)) return [`${name} can not be ${value}`];
    return [];
  });
}

function settingProblems(command: string): string[] {
  const [, kind, name = ""] = /^gh (secret|variable) set ([A-Z0-9_]+)/.exec(command) ?? [];
  const isSecret = kind === "secret";
  const names = settingNames(isSecret ? "secret" : "variable");
  return [
    ...absent(names.has(name), `no workflow reads ${name} as a ${kind}`),
    ...absent(
      command.includes("--env production"),
      `${name} belongs to the environment production`,
    ),
  ];
}

function absent(isThere: boolean | undefined, problem: string): string[] {
  return isThere === true ? [] : [problem];
}

function read(file: string): string {
  return readFileSync(join(ROOT, file), "utf8");
}

function matchesGlob(path: string, glob: string): boolean {
  return new RegExp(`^${glob.replaceAll(".", "\\.").replaceAll("*", "[^/]*")}$`).test(path);
}
