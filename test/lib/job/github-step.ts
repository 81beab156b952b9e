import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, vi } from "vitest";
import { readOutputs } from "./settle/runner.ts";

export interface GithubStep {
  /** What the job finds in its environment. */
  readonly env: Record<string, string>;
  readonly folder: string;
  outputs(): Record<string, string>;
  summary(): string;
}

/**
 * The files of a step of GitHub Actions, emptied before each test. One pair for a test file: the
 * official package remembers where it wrote its first summary.
 */
export function useGithubStep(): GithubStep {
  const folder = mkdtempSync(join(tmpdir(), "afterhours-step-"));
  const env = {
    GITHUB_OUTPUT: join(folder, "output"),
    GITHUB_STEP_SUMMARY: join(folder, "summary"),
    GITHUB_SHA: "0123456789abcdef0123456789abcdef01234567",
    GITHUB_SERVER_URL: "https://github.example",
    GITHUB_REPOSITORY: "acme/afterhours",
    GITHUB_RUN_ID: "42",
  };
  beforeEach(() => {
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
    vi.stubEnv("GITHUB_ACTIONS", undefined);
    writeFileSync(env.GITHUB_OUTPUT, "");
    writeFileSync(env.GITHUB_STEP_SUMMARY, "");
  });
  afterAll(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true, force: true });
  });
  return {
    env,
    folder,
    outputs: () => readOutputs(env.GITHUB_OUTPUT),
    summary: () => readFileSync(env.GITHUB_STEP_SUMMARY, "utf8"),
  };
}
