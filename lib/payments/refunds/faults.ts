import type { SystemicFault } from "../../razorpay/index.ts";
import { systemicFault, type RunFault } from "../../payouts/faults.ts";

/** What differs from payouts: other keys, another balance, another API. */
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
    message: "RAZORPAY_BASE_URL does not lead to the payments API.",
    remedy: "Check RAZORPAY_BASE_URL; it ends with the version, such as /v1.",
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

export const answerNotRecorded: RunFault = {
  code: "answer-not-recorded",
  message: "The provider's answer could not be written to the database.",
  remedy:
    "Look at the database. The refund is looked up at the provider by a later run before anything is sent again.",
};
