import { environmentOf, wholeNumber } from "../../support/settings.ts";

export interface ReconcileSettings {
  /** How many days each comparison goes back. */
  days: number;
  /** How many days the first comparison of a day goes back. */
  fullDays: number;
}

export const reconcileEnvironment = environmentOf<ReconcileSettings>({
  days: wholeNumber({
    name: "PAYOUTS_RECONCILE_DAYS",
    default: 14,
    description: "how far each comparison with the provider goes back",
    unit: "days",
    least: 1,
    most: 90,
  }),
  fullDays: wholeNumber({
    name: "PAYOUTS_RECONCILE_FULL_DAYS",
    default: 400,
    description:
      "how far the first comparison of a day goes back; of older payouts the account's statement tells",
    unit: "days",
    least: 1,
    most: 3650,
  }),
});
