import { parseRazorpayXEnv, type RazorpayXSettings } from "../../razorpay/index.ts";
import {
  present,
  type EnvironmentProblem,
  type EnvironmentSpec,
  type EnvironmentVariable,
} from "../../support/environment.ts";
import { providerVariables } from "../settings.ts";

export interface ReconcileSettings {
  razorpayX: RazorpayXSettings;
  /** How many days the comparison goes back. */
  days: number;
}

const DAYS = {
  name: "PAYOUTS_RECONCILE_DAYS",
  required: false,
  default: "14",
  description: "how far the comparison with the provider goes back; a bank may return money late",
  unit: "days",
  allowed: { least: 1, most: 90 },
} as const satisfies EnvironmentVariable;

export const reconcileEnvironment: EnvironmentSpec<ReconcileSettings> = {
  variables: [...providerVariables, DAYS],
  parse(env) {
    const provider = parseRazorpayXEnv(env);
    const problems: EnvironmentProblem[] = provider.ok ? [] : [...provider.problems];
    const text = present(env, DAYS.name) ?? DAYS.default;
    const days = /^[0-9]{1,3}$/.test(text) ? Number(text) : NaN;
    const { least, most } = DAYS.allowed;
    if (!(days >= least && days <= most)) {
      const problem = `expected a whole number from ${least} to ${most}`;
      problems.push({ variable: DAYS.name, problem });
    }
    if (!provider.ok || problems.length > 0) return { ok: false, problems };
    const { keyId, keySecret, accountNumber } = provider.settings;
    return {
      ok: true,
      settings: { razorpayX: provider.settings, days },
      secrets: [keyId, keySecret, accountNumber],
    };
  },
};
