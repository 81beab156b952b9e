import {
  asEnvironment,
  parseRazorpayXEnv,
  razorpayXVariables,
  type RazorpayXSettings,
} from "../../razorpay/index.ts";
import {
  readWholeNumber,
  type EnvironmentProblem,
  type EnvironmentSpec,
  type EnvironmentVariable,
} from "../../support/environment.ts";
import { credentials } from "../../support/secret-forms.ts";

export interface ReconcileSettings {
  razorpayX: RazorpayXSettings;
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
  variables: [...asEnvironment(razorpayXVariables), DAYS, FULL_DAYS],
  parse(env) {
    const provider = parseRazorpayXEnv(env);
    const problems: EnvironmentProblem[] = provider.ok ? [] : [...provider.problems];
    const days = readWholeNumber(env, DAYS, problems);
    const fullDays = readWholeNumber(env, FULL_DAYS, problems);
    if (!provider.ok || problems.length > 0) return { ok: false, problems };
    const { keyId, keySecret, accountNumber } = provider.settings;
    return {
      ok: true,
      settings: { razorpayX: provider.settings, days, fullDays },
      secrets: [...credentials(keyId, keySecret), accountNumber],
    };
  },
};
