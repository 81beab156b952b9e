import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { BaseSequencer, type TestSpecification } from "vitest/node";

const TEST = fileURLToPath(new URL("..", import.meta.url));

/**
 * The files that take longest, longest first: begun last, one would go on alone while the other processors
 * idle. In a clean checkout Vitest knows no times, only sizes, and most of these are a few lines.
 */
const LONGEST = [
  "crash/matrix-after.test.ts",
  "crash/matrix-before.test.ts",
  "scale/whole-tables.test.ts",
  "simulation/simulation-1.test.ts",
  "simulation/simulation-2.test.ts",
  "simulation/simulation-3.test.ts",
  "simulation/simulation-4.test.ts",
  "faults/lines.test.ts",
  "docs/commands-pages.test.ts",
  "jobs/under-roles.test.ts",
  "jobs/failures.test.ts",
  "simulation/market/market-1.test.ts",
  "simulation/market/market-2.test.ts",
  "docs/commands-jobs.test.ts",
  "lib/notifications/deliver.test.ts",
  "lib/payouts/gateway-faults.test.ts",
].map((file) => `${TEST}${file}`);

/** Begins with the longest files; the others follow as Vitest has them. */
export default class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const gone = LONGEST.filter((file) => !existsSync(file));
    if (gone.length > 0) throw new Error(`test/support/sequencer.ts names ${gone.join(", ")}`);
    const rank = ({ moduleId }: TestSpecification): number => {
      const place = LONGEST.indexOf(moduleId);
      return place < 0 ? LONGEST.length : place;
    };
    return (await super.sort(files)).toSorted((one, other) => rank(one) - rank(other));
  }
}
