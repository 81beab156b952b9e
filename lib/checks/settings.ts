import { environmentOf, wholeNumber } from "../support/settings.ts";

/** How long something may last before a check of the records names it, in days. */
export interface CheckRules {
  debtDays: number;
  waitingDays: number;
  checkoutDays: number;
  refundDays: number;
  earningDays: number;
}

const MOST_DAYS = 3_650;

/** Everything that the checks of the records read from the environment. */
export const checkEnvironment = environmentOf<CheckRules>({
  debtDays: wholeNumber({
    name: "CHECKS_DEBT_DAYS",
    default: 60,
    description: "days after which a consultant's debt for a refunded sale is a finding",
    unit: "days",
    least: 1,
    most: MOST_DAYS,
  }),
  waitingDays: wholeNumber({
    name: "CHECKS_WAITING_DAYS",
    // A batch pays small sums after 90 days, and comes once a week.
    default: 100,
    description: "days after which money that waits for a payout is a finding",
    unit: "days",
    least: 1,
    most: MOST_DAYS,
  }),
  checkoutDays: wholeNumber({
    name: "CHECKS_CHECKOUT_DAYS",
    default: 3,
    description: "days after which a checkout that is still open is a finding",
    unit: "days",
    least: 1,
    most: MOST_DAYS,
  }),
  refundDays: wholeNumber({
    name: "CHECKS_REFUND_DAYS",
    default: 14,
    description: "days after which a refund that is not settled is a finding",
    unit: "days",
    least: 1,
    most: MOST_DAYS,
  }),
  earningDays: wholeNumber({
    name: "CHECKS_EARNING_DAYS",
    default: 45,
    description:
      "days after the last meeting of a paid booking until a missing earning is a finding; 0 does not look",
    unit: "days",
    least: 0,
    most: MOST_DAYS,
  }),
});
