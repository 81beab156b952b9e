import { describe, expect, it } from "vitest";
import { DEEP, filesOf, needsNoServer, PARTS, SHARED, testFiles } from "../tiers.ts";

describe("the tiers of tests", () => {
  it("hold every test file in deep, and in normal or among those that only deep has", () => {
    expect(filesOf("deep").toSorted()).toEqual(testFiles());
    expect([...filesOf("normal"), ...DEEP].toSorted()).toEqual(testFiles());
  });

  it("play in the parts of deep, together, all that normal does not play whole", () => {
    const parts = Array.from({ length: PARTS }, (_, index) => filesOf("deep", index + 1));
    expect([...new Set(parts.flat())].toSorted()).toEqual([...SHARED, ...DEEP].toSorted());
    for (const part of parts) expect(part.length).toBeGreaterThan(SHARED.length);
  });

  it("count a file as unit when neither it nor its helpers reach a server or a process", () => {
    expect(filesOf("unit")).toContain("lib/support/money.test.ts");
    for (const file of [
      "lib/payouts/state/claims.test.ts",
      "scripts/sandbox/control.test.ts",
      "prisma/rights.test.ts",
      "jobs/dry-run.test.ts",
    ]) {
      expect([file, needsNoServer(file)]).toEqual([file, false]);
    }
  });
});
