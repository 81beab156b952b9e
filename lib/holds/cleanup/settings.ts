import { checkoutEnvironment, type CheckoutSettings } from "../../payments/provider/settings.ts";
import { combineEnvironments } from "../../support/environment.ts";
import { duration, environmentOf } from "../../support/settings.ts";

interface OwnSettings {
  /** So long a tentative slot stays after its last change. */
  untouchedMs: number;
  /** A hold whose payment has been authorized for longer makes the run red. */
  alarmMs: number;
}

export type CleanupSettings = CheckoutSettings & OwnSettings;

export const cleanupEnvironment = combineEnvironments(
  checkoutEnvironment,
  environmentOf<OwnSettings>({
    untouchedMs: duration("hours", {
      name: "TENTATIVE_SLOT_HOURS",
      default: 24,
      description: "time that a tentative slot stays after its last change",
      least: 1,
      most: 720,
    }),
    alarmMs: duration("hours", {
      name: "AUTHORIZED_ALARM_HOURS",
      default: 72,
      description:
        "time after which a payment that is authorized and not captured makes the run red",
      least: 1,
      most: 720,
    }),
  }),
);
