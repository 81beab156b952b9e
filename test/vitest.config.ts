import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import LongestFirst from "./support/sequencer.ts";

/** Set by test/run.ts; without them all test files are there to choose from. */
const { TEST_FILES, TEST_TIER, FUZZ_SEED } = process.env;
const isUnit = TEST_TIER === "unit";

export default defineConfig({
  root: fileURLToPath(new URL("..", import.meta.url)),
  test: {
    include: TEST_FILES?.split("\n") ?? ["test/**/*.test.ts"],
    // Unit tests need no server.
    globalSetup: isUnit ? [] : ["test/support/global-setup.ts"],
    setupFiles: FUZZ_SEED === undefined ? [] : ["test/support/same-chance.ts"],
    sequence: { sequencer: LongestFirst },
    reporters: ["default", "./test/support/reporter.ts"],
    // Processes of their own: tests set signal handlers and exit codes. Most of a unit test is loading its modules.
    pool: "forks",
    isolate: !isUnit,
    // One more than there are cores, since tests also wait. More than four only crowd PostgreSQL.
    maxWorkers: Math.min(4, availableParallelism() + 1),
    // So long that only a test that hangs meets it, also on a busy machine.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    teardownTimeout: 30_000,
    passWithNoTests: false,
    allowOnly: false,
  },
});
