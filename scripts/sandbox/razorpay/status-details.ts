import { sourceOf } from "./payout-reasons.ts";
import type { PayoutState } from "./states.ts";

/** Why a payout is in its state. */
export interface StatusDetails {
  reason: string;
  description: string;
  source: string;
}

const USUAL_REASON: Readonly<Partial<Record<PayoutState, string>>> = {
  pending: "pending_approval",
  queued: "low_balance",
  processing: "payout_bank_processing",
  // One that says nothing of the account, so that the same payout can be tried again at once.
  failed: "server_error_temporary",
  reversed: "server_error_temporary",
};

/** The details for a state, or null where the provider gives none. `reason` replaces the usual one. */
export function statusDetailsFor(state: PayoutState, reason?: string): StatusDetails | null {
  const shown = reason ?? USUAL_REASON[state];
  if (shown === undefined) return null;
  return {
    reason: shown,
    description: `The payout is ${state}: ${shown.replaceAll("_", " ")}.`,
    source: sourceOf(shown),
  };
}
