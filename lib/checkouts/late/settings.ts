import { minutes } from "../../support/clock.ts";
import { combineEnvironments } from "../../support/environment.ts";
import { duration, environmentOf } from "../../support/settings.ts";
import { checkoutEnvironment, type CheckoutSettings } from "../provider/settings.ts";
import { refundRules, type RefundRules } from "../../refunds/settings.ts";

/** A little less than two runs, so that every second run asks about the same orders of ended holds. */
const ASK_AGAIN_MS = minutes(25);

interface OwnSettings {
  /** An open checkout is asked about when it is so old. */
  openMs: number;
  /** Orders of holds that ended longer ago are not asked about any more. */
  lookBackMs: number;
  /** An order is not asked about again before this. */
  askAgainMs: number;
  /** How patient the run is with the refunds that it sends. */
  refunds: RefundRules;
}

export type LateSettings = CheckoutSettings & OwnSettings;

export const lateEnvironment = combineEnvironments(
  checkoutEnvironment,
  environmentOf<OwnSettings>({
    openMs: duration("minutes", {
      name: "OPEN_CHECKOUT_MINUTES",
      default: 15,
      description:
        "age of an open checkout from which its order is asked about, and the least time between two questions",
      least: 5,
      most: 1_440,
    }),
    lookBackMs: duration("days", {
      name: "LATE_CAPTURE_DAYS",
      default: 7,
      description: "time after the end of a hold in which its order is asked about",
      least: 1,
      most: 90,
    }),
    askAgainMs: { variables: [], read: () => ASK_AGAIN_MS },
    refunds: refundRules,
  }),
);
