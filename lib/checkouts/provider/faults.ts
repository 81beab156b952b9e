import type { SystemicFault } from "../../razorpay/index.ts";
import { describeProviderFault } from "../../support/server-fault/index.ts";
import type { Verdict } from "../../support/verdict.ts";

type Failed = Extract<Verdict, { kind: "failed" }>;

const FAULTS: Record<SystemicFault, { message: string; remedy: string }> = {
  credentials: {
    message: "The provider does not accept our credentials.",
    remedy:
      "Check RAZORPAY_KEY_ID and RAZORPAY_KEY_SECRET: was the key rotated, is it for this mode (test or live)?",
  },
  "not-allow-listed": {
    message: "The provider refuses requests from this address.",
    remedy: "Allow this runner's address at the provider, then run again.",
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
    message: "The account at the provider holds too little for the next refund.",
    remedy: "Add money to the account, then run again: unsent refunds are still due.",
  },
  "wrong-address": {
    message: "The provider does not know the address of the payments API for our account.",
    remedy:
      "Check RAZORPAY_BASE_URL; it ends with the version, such as /v1. The provider answers the same where a feature is not enabled for the account: ask its support.",
  },
};

/** @param detail of the provider's answer: the code of a connection that was not made */
export function systemicVerdict(fault: SystemicFault, detail?: string): Failed {
  const told = fault === "gateway-unreachable" ? describeProviderFault(detail) : undefined;
  return { kind: "failed", code: fault, ...(told ?? FAULTS[fault]) };
}

/** So many orders without any answer in a row, and the gateway is down. A refusal to tell is an answer. */
export const SILENT_IN_A_ROW = 5;

export const gatewayDown: Failed = {
  kind: "failed",
  code: "gateway-down",
  message: "The provider gives no usable answer, time after time.",
  remedy:
    "Look at the provider's status page, then run again. Nothing is given up before the provider has been asked.",
};
