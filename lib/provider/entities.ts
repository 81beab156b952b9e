/** The provider's records, as far as payouts need them; amounts in paise. */

export const PROVIDER_PAYOUT_STATUSES = [
  "pending",
  "queued",
  "scheduled",
  "processing",
  "processed",
  "reversed",
  "failed",
  "rejected",
  "cancelled",
] as const;

/** `unrecognised` is a status that the provider has added since: neither success nor failure. */
export type ProviderPayoutStatus = (typeof PROVIDER_PAYOUT_STATUSES)[number] | "unrecognised";

export interface ProviderPayout {
  /** `pout_…` */
  id: string;
  status: ProviderPayoutStatus;
  /** The status in the provider's own word, also when it is unrecognised. */
  statusText: string;
  amountPaise: bigint;
  /** Filled from `processing` on; null before. */
  feesPaise: bigint | null;
  /** The tax on the fees. */
  feesTaxPaise: bigint | null;
  /** The bank's reference of the transfer. */
  utr: string | null;
  /** Null where the provider does not say it. */
  mode: string | null;
  referenceId: string | null;
  /** Null for a payout that has none, such as one to a wallet. */
  fundAccountId: string | null;
  /** Why it is in this status; an open list of words. An older answer has it as a sentence, which is made a word. */
  statusReason: string | null;
  /** The source of the reason, e.g. `beneficiary_bank`. */
  statusSource: string | null;
  createdAt: Date;
  /** Its purpose: ours is `payout`; the provider's daily collection of fees is `rzp_fees`. */
  purpose: string | null;
  /** The provider debited another account of ours than the one that this client pays from. The number is left out. */
  debitedElsewhere: boolean;
}

export interface Contact {
  /** `cont_…` */
  id: string;
  type: string | null;
  referenceId: string | null;
  active: boolean;
}

export interface FundAccount {
  /** `fa_…` */
  id: string;
  contactId: string;
  kind: string | null;
  /** An inactive fund account can't be paid to. */
  active: boolean;
}

/** A credit or debit of our own account. */
export interface Transaction {
  /** `txn_…` */
  id: string;
  amountPaise: bigint;
  creditPaise: bigint;
  debitPaise: bigint;
  /** The balance after it. */
  balancePaise: bigint | null;
  /** Its cause: a payout, a reversal, a bank transfer. */
  source: { id: string; entity: string } | null;
  /** `pout_…` of a payout, and of the payout that a reversal gives back. */
  payoutId: string | null;
  createdAt: Date;
}

export interface Balance {
  /** Whether it is the account that this client pays from. The number itself is left out. */
  isPayoutAccount: boolean;
  accountType: string | null;
  amountPaise: bigint;
  /** The amount that can be paid out now. */
  availablePaise: bigint;
  refreshedAt: Date | null;
}
