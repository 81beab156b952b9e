import type { Reporter, TestModule, TestRunEndReason } from "vitest/node";

/**
 * Ends the run with one plain line, `N passed, N failed, N skipped`, and with what was left out.
 * A file that could not be read counts as one failure. A run in which nothing ran is red.
 */
export default class ClosingLine implements Reporter {
  onTestRunEnd(
    modules: readonly TestModule[],
    unhandledErrors: readonly unknown[],
    reason: TestRunEndReason,
  ): void {
    const count = { passed: 0, failed: 0, skipped: 0, pending: 0 };
    for (const module of modules) {
      for (const test of module.children.allTests()) count[test.result().state] += 1;
      if (module.errors().length > 0) count.failed += 1;
    }
    count.failed += unhandledErrors.length;
    const lines: string[] = [];
    if (reason === "interrupted" || count.pending > 0) {
      lines.push(`The run was interrupted: ${count.pending} tests did not end.`);
    }
    if (process.env["TEST_WITHOUT_REDIS"] === "1") {
      lines.push("Tests that need Redis were left out (TEST_WITHOUT_REDIS=1).");
    }
    if (count.passed + count.failed === 0) {
      lines.push("Nothing ran.");
      process.exitCode = 1;
    }
    lines.push(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`);
    process.stdout.write(`\n${lines.join("\n")}\n`);
  }
}
