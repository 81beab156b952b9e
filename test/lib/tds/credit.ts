import { expect } from "vitest";
import { assess, defaultTaxPolicy } from "../../../lib/tds/index.ts";
import type { Assessment, AssessmentInput, TaxPolicy } from "../../../lib/tds/index.ts";

/** ₹1,000 to a resident individual with a PAN, credited at 0.1% as the first of the year. */
export function credit(changes: Partial<AssessmentInput> = {}): AssessmentInput {
  return {
    creditedOn: "2025-06-15",
    payeeCategory: "individual",
    resident: true,
    panStatus: "valid",
    aadhaar: false,
    grossPaise: 1_000_00n,
    yearGrossBeforePaise: 0n,
    yearTaxBeforePaise: 0n,
    ...changes,
  };
}

/** The default policy with changes. */
export function policy(changes: Partial<TaxPolicy> = {}): TaxPolicy {
  return { ...defaultTaxPolicy, ...changes };
}

/** The assessment of an input that the engine must not refuse. */
export function assessed(input: AssessmentInput, taxPolicy?: TaxPolicy): Assessment {
  const result = assess(input, taxPolicy);
  if (result.error) expect.fail(`refused: ${result.error.field}: ${result.error.message}`);
  return result;
}
