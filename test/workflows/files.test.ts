import { readFileSync } from "node:fs";
import { join } from "node:path";
import { validateAction, validateWorkflow } from "@action-validator/core";
import { describe, expect, it } from "vitest";
import { ROOT, actionFiles, workflowFiles, type Step } from "./files.ts";

const files = workflowFiles();
const actions = actionFiles();
const everyStep: [string, Step][] = [
  ...files.flatMap(({ file, workflow }) =>
    Object.values(workflow.jobs).flatMap(({ steps }) =>
      steps.map((step): [string, Step] => [file, step]),
    ),
  ),
  ...actions.flatMap(({ path, action }) =>
    action.runs.steps.map((step): [string, Step] => [path, step]),
  ),
];

describe("the schema of GitHub Actions", () => {
  it.each(files.map(({ file, text }) => [file, text]))("accepts %s", (_, text) => {
    expect(validateWorkflow(text).errors).toEqual([]);
  });

  it.each(actions.map(({ path, text }) => [path, text]))("accepts %s", (_, text) => {
    expect(validateAction(text).errors).toEqual([]);
    expect(validateAction(text.replace("using: composite", "using: hope")).errors).not.toEqual([]);
  });

  it("refuses what is no workflow", () => {
    const [first] = files;
    expect(validateWorkflow(first?.text.replace("runs-on", "runs") ?? "").errors).not.toEqual([]);
  });
});

describe("every workflow", () => {
  it("uses one version of each action in all files", () => {
    const pins = new Map<string, Set<string>>();
    for (const { text } of [...files, ...actions]) {
      for (const [, used = ""] of text.matchAll(/uses: (.*)$/gm)) {
        if (used.startsWith("./")) continue;
        const [name = ""] = used.split("@");
        pins.set(name, (pins.get(name) ?? new Set()).add(used));
      }
    }
    expect([...pins.values()].map(({ size }) => size)).toEqual(Array(pins.size).fill(1));
    expect([...pins.keys()].sort()).toEqual([
      "actions/checkout",
      "actions/setup-node",
      "actions/upload-artifact",
    ]);
  });

  it("states the shell of each script", () => {
    const scripts = everyStep.filter(([, { run }]) => run !== undefined);
    expect(scripts.length).toBeGreaterThan(5);
    for (const [file, { shell }] of scripts) {
      const byDefault = files.find((each) => each.file === file)?.workflow.defaults?.run?.shell;
      expect(shell ?? byDefault, file).toBe("bash");
    }
  });

  it("ends each script of the actions with an exec of node", () => {
    for (const { run } of actions.flatMap(({ action }) => action.runs.steps)) {
      if (run === undefined) continue;
      expect(run.trim().split("\n").at(-1)).toMatch(/^exec node /);
    }
  });
});

describe("ci.yml", () => {
  const ci = files.find(({ file }) => file === "ci.yml")?.workflow;

  it("tests each pull request on one version of Node, and main whole on 20, 22 and 24", () => {
    expect(Object.keys(ci?.on ?? {}).sort()).toEqual(["pull_request", "push"]);
    expect(ci?.jobs["tests"]?.strategy).toBeUndefined();
    expect(ci?.jobs["deep-tests"]?.strategy?.matrix).toEqual({ node: [20, 22, 24] });
    for (const name of ["tests", "deep-tests"]) {
      expect(Object.keys(ci?.jobs[name]?.services ?? {}).sort()).toEqual(["postgres", "redis"]);
    }
  });

  it("has no environment and no secret: a pull request brings code of anybody", () => {
    const text = files.find(({ file }) => file === "ci.yml")?.text ?? "";
    expect(text).not.toContain("secrets.");
    expect(Object.values(ci?.jobs ?? {}).map(({ environment }) => environment)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  it("runs scripts that exist, and all that guard main", () => {
    const scripts = Object.keys(
      (
        JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
          scripts: Record<string, string>;
        }
      ).scripts,
    );
    const lines = Object.values(ci?.jobs ?? {}).flatMap(({ steps }) =>
      steps.flatMap(({ run }) => run ?? []),
    );
    const run = lines.map(
      (line) => /^npm (?:run )?(?:--silent )?([a-z:-]+)$/.exec(line)?.[1] ?? line,
    );
    const signatures = "npm audit signatures";
    expect(run).toContain(signatures);
    expect(scripts).toEqual(expect.arrayContaining(run.filter((line) => line !== signatures)));
    expect(run).toEqual(
      expect.arrayContaining([
        "format:check",
        "typecheck",
        "lint",
        "lint:imports",
        "lint:words",
        "db:check",
        "test",
        "test:deep",
        "jobs:dry-run",
      ]),
    );
  });
});

describe("ledger-audit.yml", () => {
  it("has an environment of its own, whose one secret no job has", () => {
    const secretsOf = (text: string): string[] =>
      [...text.matchAll(/secrets\.(\w+)/g)].map(([, name = ""]) => name);
    const audit = files.find(({ file }) => file === "ledger-audit.yml");
    expect(secretsOf(audit?.text ?? "")).toEqual(["AUDIT_DATABASE_URL"]);
    expect(Object.values(audit?.workflow.jobs ?? {}).map((job) => job.environment)).toEqual([
      "audit",
    ]);
    // Every morning.
    expect(audit?.workflow.on.schedule?.map(({ cron }) => cron)).toEqual([
      expect.stringMatching(/^\d+ [0-6] \* \* \*$/),
    ]);
    const others = files.filter((each) => each !== audit);
    expect(others.flatMap(({ text }) => secretsOf(text))).not.toContain("AUDIT_DATABASE_URL");
    const elsewhere = others.flatMap(({ workflow }) => Object.values(workflow.jobs));
    expect(elsewhere.map(({ environment }) => environment)).not.toContain("audit");
  });
});
