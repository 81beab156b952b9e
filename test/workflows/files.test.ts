import { readFileSync } from "node:fs";
import { join } from "node:path";
import { validateAction, validateWorkflow } from "@action-validator/core";
import { describe, expect, it } from "vitest";
import { ROOT, readAction, workflowFiles, type Step } from "./files.ts";

const files = workflowFiles();
const { text: actionText, action } = readAction();
const everyStep: [string, Step][] = [
  ...files.flatMap(({ file, workflow }) =>
    Object.values(workflow.jobs).flatMap(({ steps }) =>
      steps.map((step): [string, Step] => [file, step]),
    ),
  ),
  ...action.runs.steps.map((step): [string, Step] => ["action.yml", step]),
];

describe("the schema of GitHub Actions", () => {
  it.each(files.map(({ file, text }) => [file, text]))("accepts %s", (_, text) => {
    expect(validateWorkflow(text).errors).toEqual([]);
  });

  it("accepts the action, and refuses what is none", () => {
    expect(validateAction(actionText).errors).toEqual([]);
    expect(
      validateAction(actionText.replace("using: composite", "using: hope")).errors,
    ).not.toEqual([]);
    const [first] = files;
    expect(validateWorkflow(first?.text.replace("runs-on", "runs") ?? "").errors).not.toEqual([]);
  });
});

describe("every workflow", () => {
  it.each(files.map((each) => [each.file, each.workflow] as const))(
    "%s has no permission but to read the code, and each of its jobs a time-out",
    (_, workflow) => {
      expect(workflow.permissions).toEqual({});
      for (const job of Object.values(workflow.jobs)) {
        expect(job.permissions).toEqual({ contents: "read" });
        expect(job["timeout-minutes"]).toBeGreaterThan(0);
      }
    },
  );

  it("pins each action to a full commit, with the version beside it, one of each in all files", () => {
    const pins = new Map<string, Set<string>>();
    for (const { file, text } of [...files, { file: "action.yml", text: actionText }]) {
      for (const [, used = ""] of text.matchAll(/uses: (.*)$/gm)) {
        if (used.startsWith("./")) continue;
        expect(used, file).toMatch(/^actions\/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
        const [name = ""] = used.split("@");
        pins.set(name, (pins.get(name) ?? new Set()).add(used));
      }
    }
    expect([...pins.values()].map(({ size }) => size)).toEqual(Array(pins.size).fill(1));
    expect([...pins.keys()].sort()).toEqual([
      "actions/cache",
      "actions/checkout",
      "actions/setup-node",
      "actions/upload-artifact",
    ]);
  });

  it("keeps no credentials of the checkout", () => {
    const checkouts = everyStep.filter(([, { uses }]) => uses?.startsWith("actions/checkout@"));
    expect(checkouts.length).toBe(
      files.reduce((sum, { workflow }) => sum + Object.keys(workflow.jobs).length, 0),
    );
    for (const [file, step] of checkouts)
      expect(step.with, file).toEqual({ "persist-credentials": false });
  });

  it("gives no line of a script a value but by its environment, and states its shell", () => {
    const scripts = everyStep.filter(([, { run }]) => run !== undefined);
    expect(scripts.length).toBeGreaterThan(5);
    for (const [file, { run, shell }] of scripts) {
      expect(run, file).not.toContain("${{");
      const byDefault = files.find((each) => each.file === file)?.workflow.defaults?.run?.shell;
      expect(shell ?? byDefault, file).toBe("bash");
    }
  });

  it("ends each script of the action with an exec of node", () => {
    for (const { run } of action.runs.steps) {
      if (run === undefined) continue;
      expect(run.trim().split("\n").at(-1)).toMatch(/^exec ("\$\{without_secrets\[@\]\}" )?node /);
    }
  });
});

describe("ci.yml", () => {
  const ci = files.find(({ file }) => file === "ci.yml")?.workflow;

  it("runs for each pull request, on Node 20, 22 and 24, with servers of its own", () => {
    expect(Object.keys(ci?.on ?? {}).sort()).toEqual(["pull_request", "push"]);
    expect(ci?.jobs["tests"]?.strategy?.matrix).toEqual({ node: [20, 22, 24] });
    expect(Object.keys(ci?.jobs["tests"]?.services ?? {}).sort()).toEqual(["postgres", "redis"]);
  });

  it("has no environment and no secret: a pull request brings code of anybody", () => {
    const text = files.find(({ file }) => file === "ci.yml")?.text ?? "";
    expect(text).not.toContain("secrets.");
    expect(Object.values(ci?.jobs ?? {}).map(({ environment }) => environment)).toEqual([
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
    const run = lines.map((line) => /^npm (?:run --silent )?([a-z:-]+)$/.exec(line)?.[1] ?? line);
    expect(scripts).toEqual(expect.arrayContaining(run));
    expect(run).toEqual(
      expect.arrayContaining([
        "format:check",
        "typecheck",
        "lint",
        "lint:imports",
        "db:check",
        "test",
        "jobs:dry-run",
      ]),
    );
  });
});
