import type { Answer } from "./answer.ts";
import type { Balance, Contact, FundAccount, ProviderPayout, Transaction } from "./entities.ts";

/** `lite`: fees leave with each payout. `current`: they are collected once a day, as a payout of their own. */
export type AccountKind = "lite" | "current";

export const ACCOUNT_KINDS: readonly AccountKind[] = ["lite", "current"];

export interface CallOptions {
  /**
   * Ends the call at once. A call in flight is then `unknown` (`interrupted`), and so is a call
   * whose signal had fired before anything was sent: nothing is sent, and the detail says so.
   */
  signal?: AbortSignal;
}

export interface TimeWindow {
  /** Created at or after, to the second below. */
  fromMs?: number;
  /** Created at or before, to the second above. */
  toMs?: number;
  /** 1 to 100, default 100. */
  count?: number;
  /** Default 0. */
  skip?: number;
}

export interface PayoutFilter extends TimeWindow {
  status?: string;
}

export type TransactionFilter = TimeWindow;

export interface ContactInput {
  /** 3 to 50 characters; see `contactName`. */
  name: string;
  /** `vendor`, `customer`, `employee`, `self`, or a type made on the dashboard. */
  type: string;
  referenceId: string;
}

export interface FundAccountInput {
  contactId: string;
  account:
    | { kind: "bank_account"; name: string; ifsc: string; accountNumber: string }
    | { kind: "vpa"; vpa: string };
}

export interface PayoutRequest {
  /** The exact text to send, as `buildPayoutRequest` made it and as its hash was recorded. */
  body: string;
  /** 4 to 36 letters, digits, hyphens or underscores; the provider keeps it for seven days. */
  idempotencyKey: string;
  /** True when this key may have been sent before: see `createPayout`. */
  resend: boolean;
}

/**
 * The provider that pays out, as the cores see it. An act of the provider or the network is always a value, never a
 * thrown error. An `AfterhoursError` is thrown only for an argument that would address another
 * resource than meant, before anything is sent.
 *
 * Repeats: a 429 is repeated for every call, with back-off and under the same key. Reads,
 * `createContact` and `createFundAccount` (the provider answers identical details with the record
 * that exists) are repeated after a failure of network or server as well. `createPayout` and
 * `cancelPayout` are not: that decision is the caller's.
 */
export interface PayoutProvider {
  /** Our own account, which pays. */
  readonly accountNumber: string;
  readonly accountKind: AccountKind;
  /** The most that is sent in any one second. */
  readonly requestsPerSecond: number;
  createContact(input: ContactInput, options?: CallOptions): Promise<Answer<Contact>>;
  createFundAccount(input: FundAccountInput, options?: CallOptions): Promise<Answer<FundAccount>>;
  /**
   * Sends the body byte for byte. A refusal that speaks of an earlier payout under this key, or of a failure
   * on the provider's side, is `unknown` at every HTTP number. With `resend`, every refusal is, and no fault
   * is ever `certainlyNotAccepted`: the earlier send may have been accepted.
   */
  createPayout(request: PayoutRequest, options?: CallOptions): Promise<Answer<ProviderPayout>>;
  fetchPayout(id: string, options?: CallOptions): Promise<Answer<ProviderPayout>>;
  /**
   * All payouts that bear exactly this reference; an empty list says that the provider has none. An
   * answer that holds any other reference was not filtered, so it is `unknown`.
   */
  findPayoutsByReference(
    referenceId: string,
    options?: CallOptions,
  ): Promise<Answer<ProviderPayout[]>>;
  /** One page, newest first. Hold `toMs` still while paging, or new payouts shift the pages. */
  listPayouts(filter: PayoutFilter, options?: CallOptions): Promise<Answer<ProviderPayout[]>>;
  /** Possible only from `queued`. */
  cancelPayout(id: string, options?: CallOptions): Promise<Answer<ProviderPayout>>;
  /** One page, as `listPayouts`. */
  listTransactions(
    filter: TransactionFilter,
    options?: CallOptions,
  ): Promise<Answer<Transaction[]>>;
  balances(options?: CallOptions): Promise<Answer<Balance[]>>;
}
