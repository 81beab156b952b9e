import type { PayoutState } from "./states.ts";

/** Why a payout is in its state. */
export interface StatusDetails {
  reason: string;
  description: string;
  source: string;
}

const USUAL_REASON: Readonly<Partial<Record<PayoutState, string>>> = {
  queued: "low_balance",
  processing: "payout_bank_processing",
  // One that says nothing of the account, so that the same payout can be tried again at once.
  failed: "server_error_temporary",
  reversed: "server_error_temporary",
};

/** Reasons that something other than the payee's bank is the cause of. */
const SOURCE_OF_REASON: ReadonlyMap<string, string> = new Map([
  ["low_balance", "business"],
  ["insufficient_funds", "business"],
  ["transaction_limit_exceeded", "business"],
  ["imps_not_allowed", "business"],
  ["invalid_ifsc_code", "business"],
  ["gateway_degraded", "gateway"],
  ["gateway_down", "gateway"],
  ["gateway_timeout", "gateway"],
  ["payout_bank_processing", "gateway"],
  ["server_error", "internal"],
  ["server_error_temporary", "internal"],
]);

/** The details for a state, or null where the provider gives none. `reason` replaces the usual one. */
export function statusDetailsFor(state: PayoutState, reason?: string): StatusDetails | null {
  const shown = reason ?? USUAL_REASON[state];
  if (shown === undefined) return null;
  return {
    reason: shown,
    description: `The payout is ${state}: ${shown.replaceAll("_", " ")}.`,
    source: SOURCE_OF_REASON.get(shown) ?? "beneficiary_bank",
  };
}
