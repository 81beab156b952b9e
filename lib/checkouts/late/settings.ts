import { minutes } from "../../support/clock.ts";
import type { EnvironmentSpec } from "../../support/environment.ts";
import { refundEnvironment, type RefundRules } from "../../refunds/index.ts";
import {
  checkoutVariables,
  parseCheckoutEnv,
  type CheckoutSettings,
  type WholeNumber,
} from "../provider/settings.ts";

export interface LateSettings extends CheckoutSettings {
  /** Orders of holds that ended longer ago are not asked about any more. */
  lookBackMs: number;
  /** An order is not asked about again before this. */
  askAgainMs: number;
  /** How patient the run is with the refunds that it sends. */
  refunds: RefundRules;
}

/** A little less than the job's half hour, so that every run asks what the one before it asked. */
const ASK_AGAIN_MS = minutes(25);

const own = {
  days: {
    name: "LATE_CAPTURE_DAYS",
    required: false,
    default: "7",
    description: "time after the end of a hold in which its order is asked about",
    unit: "days",
    allowed: { least: 1, most: 90 },
  },
} as const satisfies Record<string, WholeNumber>;

const refundVariables = refundEnvironment.variables.filter(
  ({ name }) => !checkoutVariables.some((known) => known.name === name),
);

export const lateEnvironment: EnvironmentSpec<LateSettings> = {
  variables: [...checkoutVariables, ...Object.values(own), ...refundVariables],
  parse(env) {
    const checkout = parseCheckoutEnv(env, own);
    const refunds = refundEnvironment.parse(env);
    if (!checkout.ok || !refunds.ok) {
      const problems = [
        ...(checkout.ok ? [] : checkout.problems),
        ...(refunds.ok ? [] : refunds.problems),
      ];
      // The variables of mail are read by both.
      const said = new Map(problems.map((one) => [`${one.variable} ${one.problem}`, one]));
      return { ok: false, problems: [...said.values()] };
    }
    const { numbers, ...settings } = checkout.settings;
    const { waitMs, unknownAlarmMs, pendingAlarmMs } = refunds.settings;
    return {
      ...checkout,
      settings: {
        ...settings,
        lookBackMs: numbers.days * 24 * minutes(60),
        askAgainMs: ASK_AGAIN_MS,
        refunds: { waitMs, unknownAlarmMs, pendingAlarmMs },
      },
    };
  },
};
