import type { PayoutMode } from "./payout-mode.ts";

/** The next step for a payout with a reason of the provider. */
export type ReasonAction =
  /** Nothing is wrong with payout or account: the same again, after a while. */
  | "retry"
  /** The account does not take this mode: the next try goes by another one. */
  | "other-mode"
  /** Too large for the account by this mode: by another mode, else in smaller payouts. */
  | "split-or-other-mode"
  /** The account can not be paid: nothing is sent to it until the payee gives another one. */
  | "new-details"
  /** Our own account lacks the money. */
  | "our-money"
  /** Only the provider can name the problem. */
  | "support"
  /** Not a failure: the payout is not final yet. */
  | "wait"
  /** Not a failure: the payout is paid. */
  | "none";

/** In which state of a payout the provider gives a reason. */
type ReasonState = "failed" | "processing" | "queued" | "pending" | "processed";

export interface ReasonRule {
  /** `failed` includes reversed. */
  state: ReasonState;
  action: ReasonAction;
  /** Of `retry`: not again before so many minutes have passed. Zero where the provider names no wait. */
  waitMinutes?: number;
  /** Of `other-mode`: the modes that it speaks against, by whichever mode the payout went. */
  modes?: readonly PayoutMode[];
  /** In plain words, as in "the payee's account is closed". */
  means: string;
}

const retry = (means: string, waitMinutes: number): ReasonRule => ({
  state: "failed",
  action: "retry",
  waitMinutes,
  means,
});
const failed = (action: ReasonAction, means: string): ReasonRule => ({
  state: "failed",
  action,
  means,
});
const waits = (state: ReasonState, means: string): ReasonRule => ({ state, action: "wait", means });

/** The provider asks for half an hour; "after some time" is taken for an hour. */
const HALF_AN_HOUR = 30;
const SOME_TIME = 60;

/** Each reason (`status_details.reason`) that the provider documents, with our action. */
export const REASON_RULES = {
  bank_account_closed: failed("new-details", "the payee's account is closed"),
  bank_account_frozen: failed("new-details", "the payee's account is frozen"),
  bank_account_invalid: failed("new-details", "the payee's account details are wrong"),
  beneficiary_account_dormant: failed("new-details", "the payee's account is dormant"),
  beneficiary_account_invalid: failed("new-details", "the payee's account number is wrong"),
  beneficiary_bank_rejected: failed("new-details", "the payee's bank rejected the payout"),
  beneficiary_vpa_invalid: failed("new-details", "the payee's UPI ID is not valid"),
  invalid_beneficiary: failed("new-details", "the payee's account does not exist"),
  invalid_ifsc_code: failed("new-details", "the IFSC of the payee's account is wrong"),

  // UPI reaches an account on the rails of IMPS. Of NEFT and RTGS this reason says nothing.
  imps_not_allowed: {
    ...failed("other-mode", "the payee's account does not take IMPS"),
    modes: ["IMPS", "UPI"],
  },
  transaction_limit_exceeded: failed(
    "split-or-other-mode",
    "the amount is above the limit of the payee's account",
  ),

  beneficiary_bank_failure: retry("the payee's bank had a technical problem", HALF_AN_HOUR),
  beneficiary_bank_offline: retry("the payee's bank was offline", HALF_AN_HOUR),
  beneficiary_bank_technical_error: retry("the payee's bank had a technical problem", HALF_AN_HOUR),
  beneficiary_psp_offline: retry("the payee's UPI provider was offline", HALF_AN_HOUR),
  npci_beneficiary_timeout: retry("NPCI did not reach the payee's bank in time", HALF_AN_HOUR),
  gateway_technical_error: retry("the partner bank had a technical problem", HALF_AN_HOUR),
  gateway_timeout: retry("the partner bank did not answer in time", HALF_AN_HOUR),
  amount_limit_exhausted_neft: retry("our NEFT limit of the day is used up", SOME_TIME),
  gateway_down: retry("the partner bank had a technical problem", 0),
  server_error_temporary: retry("the provider had a technical problem", 0),

  insufficient_funds: failed("our-money", "our account holds too little money"),
  server_error: failed("support", "the provider does not say what went wrong"),

  beneficiary_bank_confirmation_pending: waits(
    "processing",
    "the payee's bank has not confirmed the credit yet",
  ),
  bank_window_closed: waits("processing", "the mode is closed until the next bank day"),
  payout_bank_processing: waits("processing", "the partner bank is at work on it"),
  amount_limit_exhausted: waits("processing", "our limit of the mode is used up for now"),
  partner_bank_pending: waits("processing", "the partner bank is at work on it"),
  gateway_degraded: waits("queued", "the partner bank is down; queued for up to 60 minutes"),
  beneficiary_bank_down: waits("queued", "the payee's bank is down; queued for up to 15 minutes"),
  low_balance: waits("queued", "queued until our account holds enough money"),
  syncing_balance: waits("queued", "queued while the provider reads our balance"),
  fee_recovery_pending: waits("queued", "queued until the provider has collected its fees"),
  pending_approval: waits("pending", "waits for an approval at the provider"),

  payout_processed: { state: "processed", action: "none", means: "the payee has the money" },
} as const satisfies Record<string, ReasonRule>;

export type DocumentedReason = keyof typeof REASON_RULES;

export const DOCUMENTED_REASONS = Object.keys(REASON_RULES) as readonly DocumentedReason[];

/** The rule of a reason; undefined where the provider does not document it. */
export function ruleOf(reason: string | null): ReasonRule | undefined {
  return reason !== null && Object.hasOwn(REASON_RULES, reason)
    ? REASON_RULES[reason as DocumentedReason]
    : undefined;
}

/** The documented reasons of some actions. */
export function reasonsWith(...actions: readonly ReasonAction[]): DocumentedReason[] {
  return DOCUMENTED_REASONS.filter((reason) => actions.includes(REASON_RULES[reason].action));
}

/**
 * The next step after a payout failed, for the reader of a report. Undefined for a reason that is not
 * documented.
 */
export function nextStep(reason: string | null): string | undefined {
  const rule = ruleOf(reason);
  // Queued for a bank that stayed down, it fails for the reason for which it waited.
  return rule && stepOf(rule.state === "failed" ? rule : { ...rule, action: "retry" });
}

/** The next step of a rule, as one line of a table. */
export function stepOf({ action, waitMinutes = 0 }: ReasonRule): string {
  switch (action) {
    case "retry":
      return waitMinutes === 0
        ? "nothing to do: the next batch sends it again"
        : `nothing to do: the next batch sends it again, ${waitMinutes} minutes later at the earliest`;
    case "other-mode":
      return "nothing to do: the next try goes by NEFT or RTGS; a payee with a UPI ID needs a bank account";
    case "split-or-other-mode":
      return "the next try goes by another mode; if none is left, pay smaller amounts or another account";
    case "new-details":
      return "get another account from the payee; nothing is sent to this one meanwhile";
    case "our-money":
      return "add money to our account at the provider; the next batch sends it again";
    case "support":
      return "ask the provider's support before the next batch sends it again";
    case "wait":
      return "nothing to do: the provider decides; it is never sent again meanwhile";
    case "none":
      return "nothing to do";
  }
}

/** A mode that an account did not take, and for which amount. */
export interface RefusedMode {
  mode: PayoutMode;
  /** As the provider gave it. */
  reason: string;
  amountPaise: bigint;
}

/** Whether an earlier refusal speaks against sending an amount by its mode once more. */
export function speaksAgainst(
  { mode, reason, amountPaise }: RefusedMode,
  next: { mode: PayoutMode; amountPaise: bigint },
): boolean {
  const rule = ruleOf(reason);
  if (rule?.action === "other-mode") return (rule.modes ?? [mode]).includes(next.mode);
  return (
    rule?.action === "split-or-other-mode" && mode === next.mode && next.amountPaise >= amountPaise
  );
}
