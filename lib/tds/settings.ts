import {
  present,
  type Env,
  type EnvironmentProblem,
  type EnvironmentSpec,
  type EnvironmentVariable,
} from "../support/environment.ts";
import {
  CROSSING_POLICIES,
  defaultTaxPolicy,
  LIKELY_POLICIES,
  ROUNDINGS,
  type TaxPolicy,
} from "./policy.ts";

/** What the law leaves open, as the operator's accountant decided it. See docs/tax.md. */
export const taxVariables: readonly EnvironmentVariable[] = [
  {
    name: "TDS_CROSSING_POLICY",
    required: false,
    default: defaultTaxPolicy.crossing,
    description: "how the credit that crosses the yearly threshold is taxed",
    allowed: { oneOf: CROSSING_POLICIES },
  },
  {
    name: "TDS_ROUNDING",
    required: false,
    default: defaultTaxPolicy.rounding,
    description: "rounding of each deduction",
    allowed: { oneOf: ROUNDINGS },
  },
  {
    name: "TDS_LIKELY_TO_EXCEED",
    required: false,
    default: defaultTaxPolicy.likelyToExceed,
    description: "from when a payee is taxed who is marked as likely to exceed the threshold",
    allowed: { oneOf: LIKELY_POLICIES },
  },
  {
    name: "TDS_AADHAAR_SUFFICES_2025_ACT",
    required: false,
    default: "yes",
    description: "whether Aadhaar without PAN counts as identity from April 2026",
    allowed: { oneOf: ["yes", "no"] },
  },
];

/** For a program that assesses tax and does not pay it. */
export const taxEnvironment: EnvironmentSpec<{ tax: TaxPolicy }> = {
  variables: taxVariables,
  parse(env) {
    const problems: EnvironmentProblem[] = [];
    const tax = readTaxPolicy(env, problems);
    return problems.length > 0
      ? { ok: false, problems }
      : { ok: true, settings: { tax }, secrets: [] };
  },
};

/** What is wrong goes to `problems`; the policy then has the first of the allowed values there. */
export function readTaxPolicy(env: Env, problems: EnvironmentProblem[]): TaxPolicy {
  return {
    crossing: oneOf(env, "TDS_CROSSING_POLICY", CROSSING_POLICIES, problems),
    rounding: oneOf(env, "TDS_ROUNDING", ROUNDINGS, problems),
    likelyToExceed: oneOf(env, "TDS_LIKELY_TO_EXCEED", LIKELY_POLICIES, problems),
    aadhaarSuffices: {
      ...defaultTaxPolicy.aadhaarSuffices,
      act2025:
        oneOf(env, "TDS_AADHAAR_SUFFICES_2025_ACT", ["yes", "no"] as const, problems) === "yes",
    },
  };
}

function oneOf<T extends string>(
  env: Env,
  variable: string,
  allowed: readonly [T, ...T[]],
  problems: EnvironmentProblem[],
): T {
  const preset = taxVariables.find(({ name }) => name === variable)?.default;
  const value = present(env, variable) ?? preset;
  const found = allowed.find((candidate) => candidate === value);
  if (found !== undefined) return found;
  problems.push({ variable, problem: `expected ${allowed.join(" or ")}` });
  return allowed[0];
}
