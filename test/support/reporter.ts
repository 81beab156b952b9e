import type { Reporter, TestCase, TestModule, TestRunEndReason } from "vitest/node";

/**
 * Ends the run with one plain line, `N passed, N failed, N skipped`, then the skipped tests, and a command for
 * each random case that failed. An unreadable file counts as one failure. A run without tests is red.
 */
export default class ClosingLine implements Reporter {
  onTestRunEnd(
    modules: readonly TestModule[],
    unhandledErrors: readonly unknown[],
    reason: TestRunEndReason,
  ): void {
    const count = { passed: 0, failed: 0, skipped: 0, pending: 0 };
    const again: string[] = [];
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        count[test.result().state] += 1;
        again.push(...replayOf(test));
      }
      if (module.errors().length > 0) count.failed += 1;
    }
    count.failed += unhandledErrors.length;
    const lines = again;
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

/** fast-check says in its error which case failed, as `{ seed: 1, path: "0:1", ... }`. */
const CASE = /\{ seed: (-?[0-9]+), path: "([0-9:]+)"/;

/** The command that tries the same random case of a failed property again. */
function replayOf(test: TestCase): string[] {
  const messages = (test.result().errors ?? []).map(({ message, cause }) => {
    return `${message} ${(cause as { message?: string } | undefined)?.message ?? ""}`;
  });
  const [, seed, path] = messages.map((text) => CASE.exec(text)).find((found) => found) ?? [];
  if (seed === undefined || path === undefined) return [];
  const file = test.module.relativeModuleId;
  const name = test.name.replace(/[^A-Za-z0-9 ,:-]/g, ".").replaceAll("'", ".");
  return [
    `The same case again: FUZZ_SEED=${seed} FUZZ_PATH=${path} npm test -- ${file} -t '${name}'`,
  ];
}
