import { checkoutEnvironment, type CheckoutSettings } from "../provider/settings.ts";
import { combineEnvironments } from "../../support/environment.ts";
import type { HoldRule } from "../hold-end.ts";
import { duration, environmentOf } from "../../support/settings.ts";

interface OwnSettings extends HoldRule {
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
      description:
        "time that a tentative slot stays after its last change, unless its plan says another",
      least: 1,
      most: 720,
    }),
    endsBeforeMs: duration("minutes", {
      name: "CHECKOUT_ENDS_BEFORE_MINUTES",
      default: 180,
      description: "time before the first meeting at which an unpaid hold ends at the latest",
      least: 0,
      most: 10_080,
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
