import {
  readWholeNumber,
  type EnvironmentProblem,
  type EnvironmentSpec,
  type EnvironmentVariable,
} from "../../support/environment.ts";

export interface ReconcileSettings {
  /** How many days each comparison goes back. */
  days: number;
  /** How many days the first comparison of a day goes back. */
  fullDays: number;
}

const DAYS = {
  name: "PAYOUTS_RECONCILE_DAYS",
  required: false,
  default: "14",
  description: "how far each comparison with the provider goes back",
  unit: "days",
  allowed: { least: 1, most: 90 },
} as const satisfies EnvironmentVariable;

const FULL_DAYS = {
  name: "PAYOUTS_RECONCILE_FULL_DAYS",
  required: false,
  default: "400",
  description:
    "how far the first comparison of a day goes back; of older payouts the account's statement tells",
  unit: "days",
  allowed: { least: 1, most: 3650 },
} as const satisfies EnvironmentVariable;

export const reconcileEnvironment: EnvironmentSpec<ReconcileSettings> = {
  variables: [DAYS, FULL_DAYS],
  parse(env) {
    const problems: EnvironmentProblem[] = [];
    const days = readWholeNumber(env, DAYS, problems);
    const fullDays = readWholeNumber(env, FULL_DAYS, problems);
    if (problems.length > 0) return { ok: false, problems };
    return { ok: true, settings: { days, fullDays }, secrets: [] };
  },
};
