import type { AssessmentInput, CrossingPolicy, Reason } from "../../../lib/tds/index.ts";
import { credit } from "./credit.ts";

export interface WorkedExample {
  readonly shows: string;
  readonly input: AssessmentInput;
  readonly crossing?: CrossingPolicy;
  readonly taxPaise: bigint;
  readonly rateBps: number;
  readonly reason: Reason;
}

const crossingByOneRupee = credit({ yearGrossBeforePaise: 49_900_000n, grossPaise: 100_100n });

/** Each is checked through the engine and through the command. */
export const workedExamples: readonly WorkedExample[] = [
  {
    shows: "the base is the gross, although the platform keeps a part of it",
    input: credit({
      creditedOn: "2023-08-01",
      yearGrossBeforePaise: 60_000_000n,
      yearTaxBeforePaise: 600_000n,
      grossPaise: 500_000n,
      paymentPaise: 380_000n,
    }),
    taxPaise: 5_000n,
    rateBps: 100,
    reason: "standard-rate",
  },
  {
    shows: "the whole amount is taxed, not the excess over the threshold",
    input: credit({ grossPaise: 60_000_000n }),
    taxPaise: 60_000n,
    rateBps: 10,
    reason: "threshold-crossed",
  },
  {
    shows: "below the threshold nothing is due",
    input: credit({ grossPaise: 40_000_000n }),
    taxPaise: 0n,
    rateBps: 0,
    reason: "below-threshold",
  },
  {
    shows: "exactly the threshold is exempt",
    input: credit({ grossPaise: 50_000_000n }),
    taxPaise: 0n,
    rateBps: 0,
    reason: "below-threshold",
  },
  {
    shows: "crossing by one rupee makes tax due on the whole year",
    input: crossingByOneRupee,
    crossing: "whole-year",
    taxPaise: 50_000n,
    rateBps: 10,
    reason: "threshold-crossed",
  },
  {
    shows: "crossing by one rupee makes tax due on that rupee where only the excess is taxed",
    input: crossingByOneRupee,
    crossing: "excess-only",
    taxPaise: 0n,
    rateBps: 10,
    reason: "threshold-crossed",
  },
  {
    shows: "without PAN the first rupee is taxed at 5%",
    input: credit({ panStatus: "missing", grossPaise: 10_000_000n }),
    taxPaise: 500_000n,
    rateBps: 500,
    reason: "no-pan",
  },
  {
    shows: "a firm has no threshold",
    input: credit({ payeeCategory: "firm", grossPaise: 100_000n }),
    taxPaise: 100n,
    rateBps: 10,
    reason: "standard-rate",
  },
  {
    shows: "the earlier of credit and payment fixes the rate",
    input: credit({
      creditedOn: "2024-09-30",
      paidOn: "2024-10-07",
      yearGrossBeforePaise: 60_000_000n,
      yearTaxBeforePaise: 600_000n,
      grossPaise: 1_000_000n,
    }),
    taxPaise: 10_000n,
    rateBps: 100,
    reason: "standard-rate",
  },
];
