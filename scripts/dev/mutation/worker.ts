import { pathToFileURL } from "node:url";
import type { ClaimCheck } from "./claim-check.ts";
import type { Mutant } from "./statements.ts";
import { openTestBench } from "./test-bench.ts";
import type { Fate } from "./verdict.ts";

/** A worker's task: a mutant, or a test file on the unchanged source. */
export type Task = { mutant: Mutant } | { testFile: string };
export type Answer = { ready: true } | { fate: Fate };

/** A process of its own, so that several mutants can be tried at once. It ends with its parent. */
const [modulePath = ""] = process.argv.slice(2);
const { claimCheck } = (await import(pathToFileURL(modulePath).href)) as { claimCheck: ClaimCheck };
const bench = await openTestBench(claimCheck);
const answer = (message: Answer): void => void process.send?.(message);

process.on("message", (task: Task) => {
  void ("mutant" in task ? bench.run(task.mutant) : bench.runAsIs(task.testFile))
    .catch((error: unknown): Fate => ({ kind: "invalid", why: String(error) }))
    .then((fate) => answer({ fate }));
});
process.on("disconnect", () => {
  void bench.close().finally(() => process.exit());
});
answer({ ready: true });
