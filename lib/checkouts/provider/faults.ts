import type { Verdict } from "../../support/verdict.ts";

/** So many orders without any answer in a row, and the gateway is down. A refusal to tell is an answer. */
export const SILENT_IN_A_ROW = 5;

export const gatewayDown: Extract<Verdict, { kind: "failed" }> = {
  kind: "failed",
  code: "gateway-down",
  message: "The provider gives no usable answer, time after time.",
  remedy:
    "Look at the provider's status page, then run again. Nothing is given up before the provider has been asked.",
};
