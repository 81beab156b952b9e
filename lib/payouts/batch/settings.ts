import {
  present,
  readWholeNumber,
  type Env,
  type EnvironmentProblem,
  type EnvironmentSpec,
  type EnvironmentVariable,
} from "../../support/environment.ts";
import { parseRupees, type Paise } from "../../support/money.ts";
import { LIMITS, limitsKept } from "../limits.ts";
import type { RefundBase } from "../../tds/index.ts";
import { parseRefundBase, refundBaseVariable } from "../../tds/settings.ts";

export interface BatchSettings {
  /** A smaller amount is carried to the next batch. */
  minimumPaise: Paise;
  /** A payout of at most so much is approved at once; a larger one waits for a person. */
  autoApprovePaise: Paise;
  /** An earning is due so many days after the buyer's payment was captured; 0: at once. */
  settlementDays: number;
  /** Which earnings have less gross for a refunded sale. Default: those of the sale's financial year. */
  refundBase?: RefundBase;
}

const MINIMUM = {
  name: "PAYOUTS_MINIMUM_RUPEES",
  required: false,
  default: "500",
  description: "smallest payout, before tax; less is carried to the next batch",
  unit: "rupees",
  allowed: { form: "an amount of at least 1", example: "500.00" },
} satisfies EnvironmentVariable;

const AUTO_APPROVE = {
  name: "PAYOUTS_AUTO_APPROVE_RUPEES",
  required: false,
  default: LIMITS.PAYOUTS_AUTO_APPROVE_RUPEES,
  description: "payouts up to this, before tax, are approved at once; 0 leaves all to a person",
  unit: "rupees",
  allowed: { form: "an amount", example: "0" },
} satisfies EnvironmentVariable;

const SETTLEMENT = {
  name: "PAYOUTS_SETTLEMENT_DAYS",
  required: false,
  default: "4",
  description:
    "days from the capture of a buyer's payment until its earning may be paid out; 0 does not wait",
  unit: "days",
  allowed: { least: 0, most: 90 },
} as const satisfies EnvironmentVariable;

/** The provider sends nothing below one rupee. */
const LEAST_PAISE = 100n;

/** Everything that the batch reads from the environment, beyond the database. */
export const batchEnvironment: EnvironmentSpec<BatchSettings> = {
  variables: [MINIMUM, AUTO_APPROVE, SETTLEMENT, refundBaseVariable],
  parse(env) {
    const problems: EnvironmentProblem[] = [];
    const minimumPaise = rupees(env, MINIMUM, problems);
    if (minimumPaise !== undefined && minimumPaise < LEAST_PAISE) {
      problems.push({ variable: MINIMUM.name, problem: "expected at least 1 rupee" });
    }
    const autoApprovePaise = rupees(env, AUTO_APPROVE, problems);
    limitsKept(env, ["PAYOUTS_AUTO_APPROVE_RUPEES"], problems);
    const settlementDays = readWholeNumber(env, SETTLEMENT, problems);
    const refundBase = parseRefundBase(env, problems);
    if (problems.length > 0 || minimumPaise === undefined || autoApprovePaise === undefined) {
      return { ok: false, problems };
    }
    const settings = { minimumPaise, autoApprovePaise, settlementDays, refundBase };
    return { ok: true, settings, secrets: [] };
  },
};

function rupees(
  env: Env,
  variable: { name: string; default: string },
  problems: EnvironmentProblem[],
): Paise | undefined {
  const paise = parseRupees(present(env, variable.name) ?? variable.default);
  if (paise === undefined) {
    problems.push({
      variable: variable.name,
      problem: "expected an amount in rupees, such as 500 or 500.00",
    });
  }
  return paise;
}
