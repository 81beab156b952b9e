import type { PayoutState } from "./states.ts";

/** Whose side a reason lies on, in the provider's words. */
type ReasonSource = "beneficiary_bank" | "business" | "gateway" | "internal";

/** A reason that `status_details` may give, as the provider documents it. */
interface PayoutReason {
  readonly reason: string;
  readonly source: ReasonSource;
  /** The states in which it is given. */
  readonly states: readonly PayoutState[];
}

const FAILED: readonly PayoutState[] = ["failed", "reversed"];

/** All documented reasons, in the order of the provider's page. */
export const PAYOUT_REASONS: readonly PayoutReason[] = [
  ...of("beneficiary_bank", FAILED, [
    "bank_account_closed",
    "bank_account_frozen",
    "bank_account_invalid",
    "beneficiary_account_dormant",
    "beneficiary_bank_failure",
    "beneficiary_bank_offline",
    "beneficiary_bank_rejected",
    "beneficiary_bank_technical_error",
    "beneficiary_psp_offline",
    "imps_not_allowed",
    "invalid_ifsc_code",
    "npci_beneficiary_timeout",
    "transaction_limit_exceeded",
  ]),
  ...of("business", FAILED, [
    "amount_limit_exhausted_neft",
    "beneficiary_account_invalid",
    "beneficiary_vpa_invalid",
    "insufficient_funds",
    "invalid_beneficiary",
  ]),
  ...of("gateway", FAILED, ["gateway_down", "gateway_technical_error", "gateway_timeout"]),
  ...of("internal", FAILED, ["server_error", "server_error_temporary"]),
  ...of("beneficiary_bank", ["processing"], ["beneficiary_bank_confirmation_pending"]),
  ...of("gateway", ["processing"], ["bank_window_closed", "payout_bank_processing"]),
  ...of("business", ["processing"], ["amount_limit_exhausted"]),
  ...of("internal", ["processing"], ["partner_bank_pending"]),
  ...of("beneficiary_bank", ["processed"], ["payout_processed"]),
  ...of("business", ["pending"], ["pending_approval"]),
  ...of("gateway", ["queued"], ["gateway_degraded", "beneficiary_bank_down", "syncing_balance"]),
  ...of("business", ["queued"], ["low_balance", "fee_recovery_pending"]),
];

const SOURCES: ReadonlyMap<string, ReasonSource> = new Map(
  PAYOUT_REASONS.map(({ reason, source }) => [reason, source]),
);

/** Undocumented reasons are taken for the payee's bank's. */
export function sourceOf(reason: string): ReasonSource {
  return SOURCES.get(reason) ?? "beneficiary_bank";
}

function of(
  source: ReasonSource,
  states: readonly PayoutState[],
  reasons: readonly string[],
): PayoutReason[] {
  return reasons.map((reason) => ({ reason, source, states }));
}
