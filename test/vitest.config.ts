import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import LongestFirst from "./support/sequencer.ts";

export default defineConfig({
  root: fileURLToPath(new URL("..", import.meta.url)),
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/support/global-setup.ts"],
    sequence: { sequencer: LongestFirst },
    reporters: ["default", "./test/support/reporter.ts"],
    // Processes of their own: tests set signal handlers and exit codes.
    pool: "forks",
    // One more than there are cores, since tests also wait. More than four only crowd PostgreSQL.
    maxWorkers: Math.min(4, availableParallelism() + 1),
    testTimeout: 60_000,
    hookTimeout: 60_000,
    teardownTimeout: 30_000,
    passWithNoTests: false,
    allowOnly: false,
  },
});
