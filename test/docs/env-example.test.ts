import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { expect, it } from "vitest";
import { jobs } from "../../jobs/registry.ts";
import { harnessVariables, parseHarnessEnvironment } from "../../lib/job/environment.ts";
import { approvalVariable } from "../../lib/payouts/operate/index.ts";
import type { EnvironmentVariable } from "../../lib/support/environment.ts";
import { ENV_EXAMPLE, envExample } from "../../scripts/dev/docs/env-example.ts";
import { ROOT } from "./commands/blocks.ts";

const text = readFileSync(join(ROOT, ENV_EXAMPLE), "utf8");
const declared: readonly EnvironmentVariable[] = [
  ...harnessVariables,
  ...jobs.flatMap(({ environment }) => environment.variables),
  approvalVariable,
];
const assignments = [...text.matchAll(/^(?:# )?([A-Z][A-Z0-9_]+)=(.*)$/gm)];

it(".env.example is what the jobs declare: npm run docs:generate", () => {
  expect(text).toBe(envExample(jobs));
});

it("it has each variable once", () => {
  const names = assignments.map(([, name]) => name).sort();
  expect(names).toEqual([...new Set(declared.map(({ name }) => name))].sort());
});

it("it holds no value of a secret, and sets only what a job must have", () => {
  const secrets = new Set(declared.filter(({ secret }) => secret).map(({ name }) => name));
  expect(secrets.size).toBeGreaterThan(5);
  const told = assignments.filter(([, name = "", value]) => secrets.has(name) && value !== "");
  expect(told).toEqual([]);
  const required = new Set(declared.filter((each) => each.required).map(({ name }) => name));
  expect(Object.keys(parseEnv(text)).sort()).toEqual([...required].sort());
});

it("its defaults and examples are values that the jobs take", () => {
  const uncommented = text.replace(/^# (?=[A-Z][A-Z0-9_]+=)/gm, "");
  const values = parseEnv(uncommented);
  expect(Object.keys(values)).toHaveLength(assignments.length);
  // What may only be set with a secret of its own: nobody can fill that in here.
  const env = {
    ...values,
    DATABASE_URL: "postgres://localhost/afterhours",
    REDIS_URL: "redis://localhost",
    SMTP_URL: "smtps://mail.example.com",
    RAZORPAYX_KEY_SECRET: "made-up",
    RAZORPAYX_ACCOUNT_NUMBER: "7878780080316316",
    RAZORPAY_KEY_SECRET: "made-up",
  };
  const specs = jobs.map(({ name, environment }) => [name, environment.parse(env)] as const);
  const problems = [["every job", parseHarnessEnvironment(env)] as const, ...specs].flatMap(
    ([name, parsed]) => (parsed.ok ? [] : parsed.problems.map((each) => [name, each])),
  );
  expect(problems).toEqual([]);
});
