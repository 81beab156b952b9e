import {
  present,
  type Env,
  type EnvironmentProblem,
  type EnvironmentSpec,
  type EnvironmentVariable,
} from "../support/environment.ts";
import {
  CROSSING_POLICIES,
  DEFAULT_REFUND_BASE,
  defaultTaxPolicy,
  LIKELY_POLICIES,
  REFUND_BASES,
  ROUNDINGS,
  type RefundBase,
  type TaxPolicy,
} from "./policy.ts";

/** The variables of the tax policy, as every job that assesses tax declares them. */
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

/** As every job that takes a refund off later earnings declares it. */
export const refundBaseVariable: EnvironmentVariable = {
  name: "TDS_REFUND_BASE",
  required: false,
  default: DEFAULT_REFUND_BASE,
  description:
    "which later earnings have less gross, the base of the tax, for a refunded sale: those of its financial year or all",
  allowed: { oneOf: REFUND_BASES },
};

/** The rules for the tax of a credit that no payout has claimed yet: the policy, and the effect of a refund. */
export interface TaxSettings {
  tax: TaxPolicy;
  refundBase: RefundBase;
}

/** For a program that shows tax due, and does not pay. */
export const taxEnvironment: EnvironmentSpec<TaxSettings> = {
  variables: [...taxVariables, refundBaseVariable],
  parse(env) {
    const problems: EnvironmentProblem[] = [];
    const settings = {
      tax: parseTaxPolicy(env, problems),
      refundBase: parseRefundBase(env, problems),
    };
    return problems.length > 0 ? { ok: false, problems } : { ok: true, settings, secrets: [] };
  },
};

/** Reads the tax policy, and adds each problem to `problems`. */
export function parseTaxPolicy(env: Env, problems: EnvironmentProblem[]): TaxPolicy {
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

/** Reads which earnings bear the gross of a refund, and adds each problem to `problems`. */
export function parseRefundBase(env: Env, problems: EnvironmentProblem[]): RefundBase {
  return oneOf(env, refundBaseVariable.name, REFUND_BASES, problems);
}

function oneOf<T extends string>(
  env: Env,
  variable: string,
  allowed: readonly T[],
  problems: EnvironmentProblem[],
): T {
  const known = [...taxVariables, refundBaseVariable].find(({ name }) => name === variable);
  const value = present(env, variable) ?? known?.default ?? "";
  const found = allowed.find((candidate) => candidate === value);
  if (found === undefined) problems.push({ variable, problem: `expected ${allowed.join(" or ")}` });
  return found ?? (allowed[0] as T);
}
