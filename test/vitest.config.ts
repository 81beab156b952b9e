import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import LongestFirst from "./support/sequencer.ts";
import { needsOwnProcess, testFiles } from "./tiers.ts";

/** Set by test/run.ts; without them all test files are there to choose from. */
const { TEST_FILES, TEST_TIER, FUZZ_SEED } = process.env;
const files = TEST_FILES?.split("\n") ?? testFiles().map((file) => `test/${file}`);
const ownProcess = files.filter((file) => needsOwnProcess(file.slice("test/".length)));
const sharedProcess = files.filter((file) => !ownProcess.includes(file));

/** What both kinds of files have in common. */
const common = {
  setupFiles: FUZZ_SEED === undefined ? [] : ["test/support/same-chance.ts"],
  pool: "forks" as const,
  // So long that only a test that hangs meets it, also on a busy machine.
  testTimeout: 600_000,
  hookTimeout: 600_000,
};

export default defineConfig({
  root: fileURLToPath(new URL("..", import.meta.url)),
  test: {
    // Unit tests need no server.
    globalSetup: TEST_TIER === "unit" ? [] : ["test/support/global-setup.ts"],
    sequence: { sequencer: LongestFirst },
    reporters: ["default", "./test/support/reporter.ts"],
    // One more than there are cores, since tests also wait. More than four only crowd PostgreSQL.
    maxWorkers: Math.min(4, availableParallelism() + 1),
    teardownTimeout: 30_000,
    passWithNoTests: false,
    allowOnly: false,
    projects: [
      { test: { ...common, name: "own process", include: ownProcess, isolate: true } },
      { test: { ...common, name: "shared", include: sharedProcess, isolate: false } },
    ].filter(({ test }) => test.include.length > 0),
  },
});
