import type { Paise } from "../../support/money.ts";

/** The person who makes a change, and the reason. */
export interface Operator {
  by: string;
  reason: string | null;
}

/** Why a change was not made. */
export interface Refusal {
  /** Stable: `OUTCOME_UNKNOWN`, `ALREADY_APPROVED`. */
  code: string;
  /** The obstacle, as the end of a sentence. */
  message: string;
  /** The remedy. */
  remedy: string;
}

/** The result of one change to one payout. Refused: nothing was written. */
export type PayoutChange =
  | { done: true; payoutId: string; consultantRef: string; amountPaise: Paise; note?: string }
  | { done: false; payoutId: string; refusals: readonly Refusal[] };

export function refused(payoutId: string, ...refusals: Refusal[]): PayoutChange {
  return { done: false, payoutId, refusals };
}

/**
 * Rolls back a change whose rows disagree with one another, such as a payout whose earnings are not where
 * its items say they are.
 */
export class InconsistentPayoutError extends Error {
  override readonly name = "InconsistentPayoutError";
}

/** Runs a change; rows that disagree become a refusal, since the transaction has taken everything back. */
export async function refusingInconsistency(
  payoutId: string,
  change: () => Promise<PayoutChange>,
): Promise<PayoutChange> {
  try {
    return await change();
  } catch (error) {
    if (!(error instanceof InconsistentPayoutError)) throw error;
    return refused(payoutId, {
      code: "INCONSISTENT",
      message: error.message,
      remedy: "Nothing was changed. Find out who changed the payout, its items or its earnings.",
    });
  }
}
