import {
  checkoutVariables,
  parseCheckoutEnv,
  type CheckoutSettings,
  type WholeNumber,
} from "../provider/settings.ts";
import type { EnvironmentSpec } from "../../support/environment.ts";

const HOUR_MS = 3_600_000;

export interface CleanupSettings extends CheckoutSettings {
  /** So long a tentative slot stays after its last change. */
  untouchedMs: number;
  /** A hold whose payment has been authorized for longer makes the run red. */
  alarmMs: number;
}

const own = {
  graceHours: {
    name: "TENTATIVE_SLOT_HOURS",
    required: false,
    default: "24",
    description: "time that a tentative slot stays after its last change",
    unit: "hours",
    allowed: { least: 1, most: 720 },
  },
  alarmHours: {
    name: "AUTHORIZED_ALARM_HOURS",
    required: false,
    default: "72",
    description: "time after which a payment that is authorized and not captured makes the run red",
    unit: "hours",
    allowed: { least: 1, most: 720 },
  },
} as const satisfies Record<string, WholeNumber>;

export const cleanupEnvironment: EnvironmentSpec<CleanupSettings> = {
  variables: [...checkoutVariables, ...Object.values(own)],
  parse(env) {
    const parsed = parseCheckoutEnv(env, own);
    if (!parsed.ok) return parsed;
    const { numbers, ...settings } = parsed.settings;
    return {
      ...parsed,
      settings: {
        ...settings,
        untouchedMs: numbers.graceHours * HOUR_MS,
        alarmMs: numbers.alarmHours * HOUR_MS,
      },
    };
  },
};
