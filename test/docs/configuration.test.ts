import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { jobs } from "../../jobs/registry.ts";
import { harnessVariables, parseHarnessEnvironment } from "../../lib/job/environment.ts";
import { parseOptions } from "../../lib/job/options.ts";
import type {
  Env,
  EnvironmentProblem,
  EnvironmentVariable,
} from "../../lib/support/environment.ts";
import {
  CONFIGURATION_PAGE,
  configurationPage,
} from "../../scripts/dev/docs/configuration-page.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const page = (path: string): string => readFileSync(join(ROOT, path), "utf8");

it("the configuration reference is what the jobs declare: npm run docs:generate", async () => {
  expect(page(CONFIGURATION_PAGE)).toBe(await configurationPage(jobs));
});

it("nobody tells a default of a variable that it has not", () => {
  const defaults = new Map(
    [...harnessVariables, ...jobs.flatMap(({ environment }) => environment.variables)].map(
      (variable) => [variable.name, variable.default],
    ),
  );
  const told: string[] = [];
  const wrong: string[] = [];
  for (const file of pages()) {
    for (const [, name = "", value = ""] of page(file).matchAll(
      /`([A-Z][A-Z0-9_]+)`\s\((\d+)\)/g,
    )) {
      if (!defaults.has(name)) continue;
      told.push(name);
      if (defaults.get(name) !== value) wrong.push(`${file}: ${name} (${value})`);
    }
  }
  expect(wrong).toEqual([]);
  expect(told.length).toBeGreaterThan(5);
});

const everyVariable = [
  ...harnessVariables.map((variable) => ({ variable, parse: harnessProblems })),
  ...jobs.flatMap(({ environment }) =>
    environment.variables.map((variable) => ({
      variable,
      parse: (env: Env): readonly EnvironmentProblem[] => {
        const parsed = environment.parse(env);
        return parsed.ok ? [] : parsed.problems;
      },
    })),
  ),
];

it.each([...new Map(everyVariable.map((each) => [each.variable.name, each])).values()])(
  "$variable.name takes what its description allows, and nothing beyond",
  ({ variable, parse }) => {
    // Without the server nobody looks at the other variables of mail.
    const around = { SMTP_URL: "smtps://mail.example.com", MAIL_FROM: "a@example.com" };
    const isTaken = (value: string): boolean =>
      parse({ ...around, [variable.name]: value }).every((each) => each.variable !== variable.name);
    const { taken, refused } = samplesOf(variable);
    for (const value of taken) expect([value, isTaken(value)]).toEqual([value, true]);
    for (const value of refused) expect([value, isTaken(value)]).toEqual([value, false]);
    if (!("least" in variable.allowed)) return;
    const { least, most } = variable.allowed;
    for (const value of [String(most + 1), "many"]) {
      const said = parse({ ...around, [variable.name]: value }).find(
        (each) => each.variable === variable.name,
      );
      expect([value, said?.problem]).toEqual([
        value,
        expect.stringMatching(new RegExp(`from ${least} to ${most}\\b`)),
      ]);
    }
  },
);

function samplesOf({ allowed, default: fallback }: EnvironmentVariable): {
  taken: readonly string[];
  refused: readonly string[];
} {
  if ("oneOf" in allowed) return { taken: allowed.oneOf, refused: ["neither-of-them"] };
  if ("least" in allowed) {
    const { least, most } = allowed;
    const taken = [least, most].map(String);
    return {
      taken: fallback === undefined ? taken : [...taken, fallback],
      refused: [...[least - 1, most + 1].map(String), "1.5", "many"],
    };
  }
  return {
    taken: fallback === undefined ? [allowed.example] : [allowed.example, fallback],
    refused: [],
  };
}

/** The harness reads DRY_RUN with the flags, and all others with its environment. */
function harnessProblems(env: Env): readonly EnvironmentProblem[] {
  const [job] = jobs;
  if (!job) throw new Error("there is no job");
  const options = parseOptions(job, [], env, { stdout: () => undefined });
  const parsed = parseHarnessEnvironment({ REDIS_URL: "redis://localhost", ...env });
  return [
    ...(options.kind === "unusable" ? [{ variable: "DRY_RUN", problem: options.problem }] : []),
    ...(parsed.ok ? [] : parsed.problems),
  ];
}

function pages(): string[] {
  const inDocs = readdirSync(join(ROOT, "docs"), { recursive: true, encoding: "utf8" });
  return [
    "README.md",
    ...inDocs.filter((name) => name.endsWith(".md")).map((name) => join("docs", name)),
  ];
}
