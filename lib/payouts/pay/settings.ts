import {
  present,
  type Env,
  type EnvironmentProblem,
  type EnvironmentSpec,
  type EnvironmentVariable,
} from "../../support/environment.ts";
import { LIMITS, limitsKept } from "../state/limits.ts";
import { WHEN_SHORT, type WhenShort } from "./when-short.ts";
import { parseRupees, type Paise } from "../../support/money.ts";
import type { TaxPolicy } from "../../tds/index.ts";
import { parseTaxPolicy, taxVariables } from "../../tds/settings.ts";

/** What no run may exceed. Checked before anything is sent, on amounts before tax. */
export interface PayoutCaps {
  singlePaise: Paise;
  runPaise: Paise;
  runCount: number;
}

export interface PayoutSettings {
  caps: PayoutCaps;
  tax: TaxPolicy;
  /** What the payee reads on the bank statement. */
  narration: string;
  /** Who started the run, as the environment says; named in the audit log. */
  startedBy?: string;
  whenShort: WhenShort;
}

const own: readonly EnvironmentVariable[] = [
  {
    name: "PAYOUTS_MAX_SINGLE_RUPEES",
    required: false,
    default: LIMITS.PAYOUTS_MAX_SINGLE_RUPEES,
    description:
      "largest single payout, before tax; what is above it is not sent, named, and makes the run red",
    unit: "rupees",
    allowed: { form: "an amount above zero", example: "250000.00" },
  },
  {
    name: "PAYOUTS_MAX_RUN_RUPEES",
    required: false,
    default: LIMITS.PAYOUTS_MAX_RUN_RUPEES,
    description:
      "largest sum of one run, before tax; above it the run stops before anything is sent",
    unit: "rupees",
    allowed: { form: "an amount above zero", example: "5000000" },
  },
  {
    name: "PAYOUTS_MAX_RUN_COUNT",
    required: false,
    default: LIMITS.PAYOUTS_MAX_RUN_COUNT,
    description: "most payouts of one run; above it the run stops before anything is sent",
    unit: "payouts",
    allowed: { least: 1, most: 9_999_999 },
  },
  {
    name: "PAYOUTS_NARRATION",
    required: false,
    default: "Consultant payout",
    description: "text on the payee's bank statement",
    allowed: { form: "1 to 30 letters, digits and spaces", example: "Acme payout" },
  },
  {
    name: "PAYOUTS_WHEN_SHORT",
    required: false,
    default: "pay-oldest-first",
    description:
      "when the account holds too little for all that is due: pay the oldest that it can pay, or stop before the first; either way the run is red and says how much is missing",
    allowed: { oneOf: WHEN_SHORT },
  },
  ...taxVariables,
];

/** What the pay run reads from the environment, beside the provider's own settings. */
export const payoutEnvironment: EnvironmentSpec<PayoutSettings> = {
  variables: own,
  parse(env) {
    const problems: EnvironmentProblem[] = [];
    const caps: PayoutCaps = {
      singlePaise: rupees(env, "PAYOUTS_MAX_SINGLE_RUPEES", problems),
      runPaise: rupees(env, "PAYOUTS_MAX_RUN_RUPEES", problems),
      runCount: Number(
        matching(
          env,
          "PAYOUTS_MAX_RUN_COUNT",
          /^[1-9][0-9]{0,6}$/,
          "a whole number from 1 to 9999999",
          problems,
        ),
      ),
    };
    limitsKept(
      env,
      ["PAYOUTS_MAX_SINGLE_RUPEES", "PAYOUTS_MAX_RUN_RUPEES", "PAYOUTS_MAX_RUN_COUNT"],
      problems,
    );
    const narration = matching(
      env,
      "PAYOUTS_NARRATION",
      /^[a-zA-Z0-9 ]{1,30}$/,
      "1 to 30 letters, digits and spaces",
      problems,
    );
    const whenShort = oneOf(env, "PAYOUTS_WHEN_SHORT", WHEN_SHORT, problems);
    const tax = parseTaxPolicy(env, problems);
    if (problems.length > 0) return { ok: false, problems };
    const startedBy = present(env, "GITHUB_ACTOR") ?? present(env, "USER");
    return {
      ok: true,
      settings: {
        caps,
        tax,
        narration,
        whenShort,
        ...(startedBy === undefined ? {} : { startedBy }),
      },
      secrets: [],
    };
  },
};

/** The caps where nobody has set any. */
export function defaultCaps(): PayoutCaps {
  const problems: EnvironmentProblem[] = [];
  return {
    singlePaise: rupees({}, "PAYOUTS_MAX_SINGLE_RUPEES", problems),
    runPaise: rupees({}, "PAYOUTS_MAX_RUN_RUPEES", problems),
    runCount: Number(valueOf({}, "PAYOUTS_MAX_RUN_COUNT")),
  };
}

function valueOf(env: Env, variable: string): string {
  return present(env, variable) ?? own.find(({ name }) => name === variable)?.default ?? "";
}

function matching(
  env: Env,
  variable: string,
  shape: RegExp,
  expected: string,
  problems: EnvironmentProblem[],
): string {
  const value = valueOf(env, variable);
  if (!shape.test(value)) problems.push({ variable, problem: `expected ${expected}` });
  return value;
}

function rupees(env: Env, variable: string, problems: EnvironmentProblem[]): Paise {
  const paise = parseRupees(valueOf(env, variable));
  if (paise === undefined || paise === 0n) {
    problems.push({
      variable,
      problem: "expected an amount in rupees above zero, such as 250000 or 250000.00",
    });
  }
  return paise ?? 0n;
}

function oneOf<T extends string>(
  env: Env,
  variable: string,
  allowed: readonly T[],
  problems: EnvironmentProblem[],
): T {
  const value = valueOf(env, variable);
  const found = allowed.find((candidate) => candidate === value);
  if (found === undefined) problems.push({ variable, problem: `expected ${allowed.join(" or ")}` });
  return found ?? (allowed[0] as T);
}
