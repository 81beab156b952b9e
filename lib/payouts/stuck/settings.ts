import { parseRazorpayXEnv, type RazorpayXSettings } from "../../razorpay/index.ts";
import { minutes } from "../../support/clock.ts";
import {
  present,
  type EnvironmentProblem,
  type EnvironmentSpec,
  type EnvironmentVariable,
} from "../../support/environment.ts";
import { providerVariables } from "../settings.ts";

export interface StuckSettings {
  razorpayX: RazorpayXSettings;
  /** How long after the last send "the provider does not have it" is believed. */
  waitMs: number;
  /** A payout that is open for longer makes the run red. */
  alarmMs: number;
}

const own = [
  {
    name: "PAYOUTS_STUCK_WAIT_MINUTES",
    required: false,
    default: "60",
    description:
      "minutes since the last send after which a payout that the provider does not have is given up",
  },
  {
    name: "PAYOUTS_STUCK_ALARM_HOURS",
    required: false,
    default: "24",
    description: "hours without a final answer after which the run is red",
  },
] as const satisfies readonly EnvironmentVariable[];

/** The shortest wait: a request can be under way for as long as a call may take, and be queued behind. */
const LEAST_WAIT_MINUTES = 15;

export const stuckEnvironment: EnvironmentSpec<StuckSettings> = {
  variables: [...providerVariables, ...own],
  parse(env) {
    const provider = parseRazorpayXEnv(env);
    const problems: EnvironmentProblem[] = provider.ok ? [] : [...provider.problems];
    const whole = (index: 0 | 1, least: number): number => {
      const { name, default: fallback } = own[index];
      const text = present(env, name) ?? fallback;
      const value = /^[0-9]{1,5}$/.test(text) ? Number(text) : NaN;
      if (!(value >= least)) {
        problems.push({ variable: name, problem: `expected a whole number of at least ${least}` });
      }
      return value;
    };
    const waitMs = minutes(whole(0, LEAST_WAIT_MINUTES));
    const alarmMs = minutes(60 * whole(1, 1));
    if (!provider.ok || problems.length > 0) return { ok: false, problems };
    const { keyId, keySecret, accountNumber } = provider.settings;
    return {
      ok: true,
      settings: { razorpayX: provider.settings, waitMs, alarmMs },
      secrets: [keyId, keySecret, accountNumber],
    };
  },
};
