import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  maskSecrets,
  reportToGithub,
  type GithubReport,
} from "../../../../lib/job/settle/github.ts";
import { readOutputs } from "./runner.ts";
import { share } from "../../../support/share.ts";

const folder = mkdtempSync(join(tmpdir(), "afterhours-github-"));
const outputFile = join(folder, "output");
const summaryFile = join(folder, "summary");

let printed: string;
beforeEach(() => {
  writeFileSync(outputFile, "");
  writeFileSync(summaryFile, "");
  printed = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    printed += String(text);
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The official package reads the environment of the process. */
function environment(variables: Record<string, string>): Record<string, string> {
  for (const name of ["GITHUB_ACTIONS", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"])
    vi.stubEnv(name, variables[name]);
  return variables;
}

const report = (overrides: Partial<GithubReport> = {}): GithubReport => ({
  outputs: { outcome: "completed", success: true, processed: 3, total_paise: 123_456_700n },
  summaryMarkdown: "## tests/count-things\n",
  annotations: [],
  ...overrides,
});

describe("outputs", () => {
  it("are read back by the runner as they are", async () => {
    const env = environment({ GITHUB_OUTPUT: outputFile });
    expect(await reportToGithub(env, report())).toEqual([]);
    expect(readOutputs(outputFile)).toEqual({
      outcome: "completed",
      success: "true",
      processed: "3",
      total_paise: "123456700",
    });
  });

  it("cannot create another output, whatever a value holds", async () => {
    const env = environment({ GITHUB_OUTPUT: outputFile });
    const value = fc
      .array(
        fc.oneof(
          fc.constantFrom(
            "\n",
            "\r\n",
            "\r",
            "EOF",
            "<<EOF",
            "=",
            "success=true",
            "success<<EOF\ntrue\nEOF",
            "ghadelimiter_",
          ),
          fc.string(),
        ),
      )
      .map((parts) => parts.join(""));
    await fc.assert(
      fc.asyncProperty(value, value, async (first, second) => {
        writeFileSync(outputFile, "");
        const outputs = { first, success: false, second };
        expect(await reportToGithub(env, report({ outputs }))).toEqual([]);
        const read = readOutputs(outputFile);
        expect(Object.keys(read).sort()).toEqual(["first", "second", "success"]);
        expect(read["success"]).toBe("false");
        expect(read["first"]).toBe(first);
      }),
      { numRuns: share(200) },
    );
  });

  it("stay apart from what another program of the step has written", async () => {
    writeFileSync(outputFile, "earlier=1\n");
    const env = environment({ GITHUB_OUTPUT: outputFile });
    await reportToGithub(env, report());
    expect(readFileSync(outputFile, "utf8")).toMatch(/\n$/);
    expect(readOutputs(outputFile)).toMatchObject({ earlier: "1", success: "true" });
  });
});

describe("what cannot be written", () => {
  it("is returned and does not stop the rest: outputs into a folder", async () => {
    const env = environment({ GITHUB_OUTPUT: folder, GITHUB_STEP_SUMMARY: summaryFile });
    const failures = await reportToGithub(env, report());
    expect(failures.map(({ message }) => message)).toEqual(["GITHUB_OUTPUT could not be written"]);
    expect(failures[0]?.cause).toMatchObject({ code: "EISDIR" });
    expect(readFileSync(summaryFile, "utf8")).toContain("## tests/count-things");
  });

  it("is returned and does not stop the rest: files that are not there", async () => {
    const env = environment({
      GITHUB_ACTIONS: "true",
      GITHUB_OUTPUT: join(folder, "missing"),
      GITHUB_STEP_SUMMARY: join(folder, "missing"),
    });
    const annotations = [{ level: "error" as const, title: "t", message: "m" }];
    const failures = await reportToGithub(env, report({ annotations }));
    expect(failures[0]?.message).toBe("GITHUB_OUTPUT could not be written");
    expect(printed).toContain("::error title=t::m");
  });
});

describe("away from GitHub Actions", () => {
  it("nothing is written and nothing is loaded", async () => {
    const env = environment({});
    expect(await reportToGithub(env, report())).toEqual([]);
    await maskSecrets(env, ["long-enough-secret"]);
    expect(printed).toBe("");
  });
});

describe("annotations", () => {
  const on = (): Record<string, string> => environment({ GITHUB_ACTIONS: "true" });

  it("are one command each, though the text has lines and colons", async () => {
    const message = "first\n::set-output name=success::true\r\nthird %0A";
    await reportToGithub(
      on(),
      report({ annotations: [{ level: "error", title: "a: b, c\n::d", message }] }),
    );
    expect(printed).toBe(
      "::error title=a%3A b%2C c%0A%3A%3Ad::first%0A::set-output name=success::true%0D%0Athird %250A\n",
    );
  });

  it("are cut where the runner would cut them", async () => {
    const message = "x".repeat(10_000);
    await reportToGithub(
      on(),
      report({ annotations: [{ level: "warning", title: "t", message }] }),
    );
    expect(printed).toBe(`::warning title=t::${"x".repeat(4000)}\n`);
  });
});

describe("masks", () => {
  it("are set for each line of a secret, and never for a short one", async () => {
    const env = environment({ GITHUB_ACTIONS: "true" });
    await maskSecrets(env, ["first-line\n  second-line\nabc\n", "on", "secret-value"]);
    const masks = printed.trimEnd().split("\n");
    const base64 = Buffer.from("secret-value").toString("base64");
    for (const form of ["first-line", "second-line", "secret-value", base64])
      expect(masks).toContain(`::add-mask::${form}`);
    expect(masks.filter((line) => line.length < "::add-mask::123456".length)).toEqual([]);
  });
});
