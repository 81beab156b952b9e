import { join } from "node:path";
import { ESLint } from "eslint";
import { beforeAll, describe, expect, it } from "vitest";
import { ROOT } from "../lib/job/child.ts";

/** Files that are there: rules that ask for types need one of the project. The text is the test's. */
const CORE = "lib/payouts/pay/judge.ts";
const ADAPTER = "lib/razorpay/retry.ts";
const HARNESS = "lib/job/maintenance.ts";
const JOB = "jobs/registry.ts";
const SUPPORT = "lib/support/clock.ts";
const SCRIPT = "scripts/cli/import-earnings.ts";

describe("the linter", () => {
  let eslint: ESLint;
  beforeAll(() => {
    eslint = new ESLint({
      cwd: ROOT,
      overrideConfigFile: join(ROOT, ".config/eslint.config.js"),
    });
  });

  async function complaints(file: string, code: string): Promise<string[]> {
    const [result] = await eslint.lintText(`${code}\n`, { filePath: join(ROOT, file) });
    expect(result?.messages.filter(({ fatal }) => fatal)).toEqual([]);
    return (result?.messages ?? []).map(({ ruleId, message }) => `${ruleId ?? ""}: ${message}`);
  }

  it.each([CORE, ADAPTER, HARNESS, JOB, SUPPORT, SCRIPT])(
    "has nothing against code that keeps the rules: %s",
    async (file) => {
      const code =
        "export const day = (at: Date): string => new Date(at.getTime() + 1).toISOString();";
      expect(await complaints(file, code)).toEqual([]);
    },
  );

  it.each([
    ["Date.now()", "export const at = Date.now();", "clock.ts"],
    ["new Date()", "export const at = new Date();", "clock.ts"],
    ["Math.random()", "export const chance = Math.random();", "random.ts"],
  ])("refuses %s everywhere but in lib/support", async (_what, code, instead) => {
    for (const file of [CORE, ADAPTER, HARNESS, JOB]) {
      expect(await complaints(file, code)).toEqual([expect.stringContaining(instead)]);
    }
    expect(await complaints(SUPPORT, code)).toEqual([]);
  });

  it("refuses process.env in a core and in an adapter; the harness hands settings over", async () => {
    const code = 'export const url = process.env["DATABASE_URL"];';
    for (const file of [CORE, ADAPTER]) {
      expect(await complaints(file, code)).toEqual([
        expect.stringContaining("Cores take settings as arguments"),
      ]);
    }
    expect(await complaints(HARNESS, code)).toEqual([]);
  });

  it.each([
    ["taken apart", "export const { env } = process;", CORE],
    [
      "imported whole",
      'import process from "node:process";\nexport const url = process.env["A"];',
      CORE,
    ],
  ])("refuses the environment %s as well", async (_how, code, file) => {
    expect(await complaints(file, code)).not.toEqual([]);
  });

  it("refuses process.exit in everything that is shipped: finally would never run", async () => {
    const code = "export const stop = (): void => process.exit(1);";
    for (const file of [CORE, ADAPTER, HARNESS, JOB]) {
      expect(await complaints(file, code)).toEqual([expect.stringContaining("process.exitCode")]);
    }
  });

  it("refuses console in everything that is shipped: the log is redacted, the console is not", async () => {
    const code = 'export const say = (): void => console.log("x");';
    for (const file of [CORE, ADAPTER, HARNESS, JOB, SUPPORT]) {
      expect(await complaints(file, code)).toEqual([expect.stringContaining("no-console")]);
    }
    expect(await complaints(SCRIPT, code)).toEqual([]);
  });

  it.each([
    ["backtracking", "/^\\s*a?\\s*$/u", "no-super-linear-backtracking"],
    ["many beginnings", "/\\S*@/u", "no-super-linear-move"],
  ])(
    "refuses a pattern whose time grows with the square of a text: %s",
    async (_how, pattern, rule) => {
      const code = `export const isOne = (text: string): boolean => ${pattern}.test(text);`;
      for (const file of [CORE, ADAPTER, HARNESS, JOB, SUPPORT, SCRIPT]) {
        expect(await complaints(file, code)).toEqual([expect.stringContaining(rule)]);
      }
    },
  );

  it("refuses a promise that nobody waits for, and any", async () => {
    const floating = "export const run = (work: () => Promise<void>): void => {\n  work();\n};";
    expect(await complaints(CORE, floating)).toEqual([
      expect.stringContaining("no-floating-promises"),
    ]);
    expect(
      await complaints(CORE, "export const read = (value: any): string => String(value);"),
    ).toEqual([expect.stringContaining("no-explicit-any")]);
  });
});
