import type { AccountKind } from "../provider/payout-provider.ts";

/** How either API of the provider is reached. */
export interface ConnectionSettings {
  keyId: string;
  keySecret: string;
  /** With the version and without a slash at the end: `https://api.razorpay.com/v1`. */
  baseUrl: string;
  /** From sending to the last byte of the answer, per try. */
  timeoutMs: number;
  /** The most that is sent in any one second. The provider advises 5 to 10. */
  requestsPerSecond: number;
}

export interface RazorpayXSettings extends ConnectionSettings {
  /** Our own RazorpayX account, which pays. */
  accountNumber: string;
  /** Default `lite`. */
  accountKind?: AccountKind;
}

/** The payments API has no account number: its keys say whose money it is. */
export type RazorpayPaymentsSettings = ConnectionSettings;

/** The event before a try is repeated. */
export interface RetryEvent {
  /** e.g. `fetch payout` */
  operation: string;
  /** Which try comes next; the first is 1. */
  nextTry: number;
  delayMs: number;
  /** e.g. `rate-limited`, `server-error` */
  because: string;
  httpStatus?: number;
}
