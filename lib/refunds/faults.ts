import type { RunFault } from "../support/verdict.ts";

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
