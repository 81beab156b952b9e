import type { Answer, SystemicFault } from "./answer.ts";
import { describeProviderFault } from "../support/server-fault/index.ts";
import type { RunFault } from "../support/verdict.ts";

const REMEDIES: Record<SystemicFault, Omit<RunFault, "code">> = {
  credentials: {
    message: "The provider does not accept our credentials.",
    remedy:
      "Check RAZORPAYX_KEY_ID and RAZORPAYX_KEY_SECRET: was the key rotated, is it for this mode (test or live)?",
  },
  "not-allow-listed": {
    message: "The provider refuses requests from this address, or of this account.",
    remedy:
      "Add this runner's address to the allow-list of RazorpayX (at most 20 addresses), then run again. If the address is on the list, ask the provider's support whether the account may pay.",
  },
  "gateway-unreachable": {
    message: "The provider cannot be reached.",
    remedy:
      "Check the network of the runner, RAZORPAY_BASE_URL and the provider's status page, then run again.",
  },
  "rate-limited": {
    message: "The provider keeps answering that we send too many requests.",
    remedy:
      "Lower RAZORPAY_REQUESTS_PER_SECOND, and look for another program that uses the same key.",
  },
  "insufficient-balance": {
    message: "The RazorpayX account holds too little for the next payout.",
    remedy: "Add money to the account, then run again: unsent payouts are still approved.",
  },
  "wrong-address": {
    message: "The provider does not know the address of the payout API for our account.",
    remedy:
      "Check RAZORPAY_BASE_URL; it ends with the version, such as /v1. The provider answers the same where RazorpayX is not enabled for the account: ask its support.",
  },
};

const NOT_LET_IN = "the-provider-does-not-let-us-in";
const AWAY = "the-provider-is-away";

/** The section of docs/runbooks.md for each fault of a provider: a job that asks the provider can end with any. */
export const PROVIDER_RUNBOOKS = {
  credentials: NOT_LET_IN,
  "not-allow-listed": NOT_LET_IN,
  "wrong-address": NOT_LET_IN,
  "account-refused": NOT_LET_IN,
  "gateway-unreachable": AWAY,
  "gateway-down": AWAY,
  "rate-limited": AWAY,
  "insufficient-balance": "too-little-balance",
  "provider-refuses-all": "the-provider-refuses-everything",
} as const satisfies Record<
  SystemicFault | "account-refused" | "gateway-down" | "provider-refuses-all",
  string
>;

/** @param detail of the provider's answer: the code of a connection that was not made */
export function systemicFault(fault: SystemicFault, detail?: string): RunFault {
  const told = fault === "gateway-unreachable" ? describeProviderFault(detail) : undefined;
  return { code: fault, ...(told ?? REMEDIES[fault]) };
}

/** The differences from payouts: other keys, another balance, another API. */
const OF_PAYMENTS: Partial<Record<SystemicFault, Omit<RunFault, "code">>> = {
  credentials: {
    message: "The provider does not accept our credentials for payments.",
    remedy:
      "Check RAZORPAY_KEY_ID and RAZORPAY_KEY_SECRET: was the key rotated, is it for this mode (test or live)?",
  },
  "not-allow-listed": {
    message: "The provider refuses requests from this address.",
    remedy: "Allow this runner's address at the provider, then run again.",
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

/** As `systemicFault`, of the payments API. */
export function paymentsFault(fault: SystemicFault, detail?: string): RunFault {
  return { ...systemicFault(fault, detail), ...OF_PAYMENTS[fault] };
}

/** After so many items in a row without a usable answer the provider is away. A refusal is an answer. */
export const NO_ANSWER_IN_A_ROW = 5;

export const gatewayDown: RunFault = {
  code: "gateway-down",
  message: "The provider gives no usable answer, time after time.",
  remedy:
    "Look at the provider's status page, then run again. Items with an unknown outcome stay in processing, and nothing is sent again for them before the provider has been asked.",
};

/** One refusal after the other, all with the same words: it is not the single payouts. */
export function refusesAll(description: string): RunFault {
  return {
    code: "provider-refuses-all",
    message: `The provider refused one payout after the other with the same words: "${description}".`,
    remedy:
      "Fix the cause that these words name; the provider's support can tell more. Refused payouts moved no money and are in the next batch. Unsent payouts are still approved: run again.",
  };
}

/** Why a read that a whole run depends on gave nothing to work with. */
export function faultOf(answer: Exclude<Answer<unknown>, { kind: "accepted" }>): RunFault {
  switch (answer.kind) {
    case "systemic":
      return systemicFault(answer.fault, answer.detail);
    case "unknown":
      return gatewayDown;
    case "refused":
      return {
        code: "account-refused",
        message: `The provider refuses to read our account (${answer.failure.code}${answer.failure.field === null ? "" : `, ${answer.failure.field}`}).`,
        remedy:
          "Check RAZORPAYX_ACCOUNT_NUMBER: it is our own RazorpayX account, and the key must belong to it.",
      };
  }
}
