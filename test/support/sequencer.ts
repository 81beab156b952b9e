import { fileURLToPath } from "node:url";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { DEEP, SHARED } from "../tiers.ts";

const TEST = fileURLToPath(new URL("..", import.meta.url));

/** In a clean checkout Vitest knows no times, only sizes, and most of these files are a few lines. */
const LONGEST = [...SHARED, ...DEEP].map((file) => `${TEST}${file}`);

/** Begins with the longest files; the others follow as Vitest has them. */
export default class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const place = LONGEST.indexOf(moduleId);
      return place < 0 ? LONGEST.length : place;
    };
    return (await super.sort(files)).toSorted((one, other) => rank(one) - rank(other));
  }
}
