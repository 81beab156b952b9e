import type { SystemicFault } from "../../razorpay/index.ts";
import { systemicFault } from "../../provider/faults.ts";
import type { RunFault } from "../../support/verdict.ts";

/** Differences from payouts: other keys, another balance, another API. */
const OF_PAYMENTS: Partial<Record<SystemicFault, Omit<RunFault, "code">>> = {
  credentials: {
    message: "The provider does not accept our credentials for payments.",
    remedy:
      "Check RAZORPAY_KEY_ID and RAZORPAY_KEY_SECRET: was the key rotated, is it for this mode (test or live)?",
  },
  "insufficient-balance": {
    message: "The provider holds too little of our money for the next refund.",
    remedy:
      "Add money to the refund balance on the provider's dashboard, then run again: what was not sent is still due.",
  },
  "wrong-address": {
    message: "The provider does not know the address of the payments API for our account.",
    remedy:
      "Check RAZORPAY_BASE_URL; it ends with the version, such as /v1. The provider answers the same where a feature is not enabled for the account: ask its support.",
  },
};

export function paymentsFault(fault: SystemicFault, detail?: string): RunFault {
  return { ...systemicFault(fault, detail), ...OF_PAYMENTS[fault] };
}

export const paymentsDown: RunFault = {
  code: "gateway-down",
  message: "The provider gives no usable answer, time after time.",
  remedy:
    "Look at the provider's status page. Refunds with an unknown outcome are looked up before anything is sent again.",
};

/** One refusal after the other, all with the same words: it is not the single refunds. */
export function refusesAllRefunds(description: string): RunFault {
  return {
    code: "provider-refuses-all",
    message: `The provider refused one refund after the other with the same words: "${description}".`,
    remedy:
      "Fix the cause that these words name; the provider's support can tell more. What was refused moved no money: ask for these refunds again. What was not sent is still due: run again.",
  };
}

export const answerNotRecorded: RunFault = {
  code: "answer-not-recorded",
  message: "The provider's answer could not be written to the database.",
  remedy:
    "Look at the database. The refund is looked up at the provider by a later run before anything is sent again.",
};
