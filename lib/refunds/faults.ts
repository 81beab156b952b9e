import { PROVIDER_RUNBOOKS } from "../provider/faults.ts";
import type { RunFault } from "../support/verdict.ts";

/** Sections of docs/runbooks.md by the reasons of a run that sends refunds. */
export const REFUND_RUNBOOKS = {
  ...PROVIDER_RUNBOOKS,
  "answer-not-recorded": "an-outcome-is-unknown",
  "outcome-unknown": "an-outcome-is-unknown",
  "provider-unanswered": "the-provider-says-nothing-certain-about-an-order",
  "records-differ": "a-finding-is-open",
  "refunds-failed": "a-refund-failed",
  "refunds-left": "work-is-left-behind",
  "refunds-overdue": "a-refund-is-overdue",
  "work-left-behind": "work-is-left-behind",
} as const;

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
      "Fix the cause that these words name; the provider's support can tell more. Refused refunds moved no money: request them again. Unsent refunds are still due: run again.",
  };
}

export const answerNotRecorded: RunFault = {
  code: "answer-not-recorded",
  message: "The provider's answer could not be written to the database.",
  remedy:
    "Look at the database. The refund is looked up at the provider by a later run before anything is sent again.",
};
