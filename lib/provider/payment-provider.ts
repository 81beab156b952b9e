import type { Answer } from "./answer.ts";
import type { CallOptions, TimeWindow } from "./payout-provider.ts";
import type {
  ProviderDispute,
  ProviderOrder,
  ProviderPayment,
  ProviderRefund,
} from "./payments-entities.ts";

export interface RefundRequest {
  /** `pay_…`; only captured payments can be refunded. */
  paymentId: string;
  /** The exact text to send, as `buildRefundRequest` made it and as its hash was recorded. */
  body: string;
  /**
   * 10 to 36 letters, digits, hyphens or underscores. UNVERIFIED: how long the provider keeps it; the
   * receipt, which it refuses to see twice on one payment, has no such limit.
   */
  idempotencyKey: string;
  /** True when this key may have been sent before: see `createRefund`. */
  resend: boolean;
}

/**
 * The payments side of Razorpay: payments of buyers, and their refunds. As with RazorpayX, every event at the
 * provider or in the network is a value. An `AfterhoursError` is thrown only for an argument that would address
 * the wrong resource, before anything is sent.
 *
 * Repeats: a 429 is repeated for every call, with back-off and under the same key. Reads and `annotateOrder`,
 * which writes the same again, are repeated after a failure of network or server as well. `createRefund` is not:
 * the caller decides that.
 */
export interface PaymentProvider {
  fetchOrder(orderId: string, options?: CallOptions): Promise<Answer<ProviderOrder>>;
  /**
   * Every try to pay the order. The documentation mentions no paging here (UNVERIFIED for very many tries); the
   * order's own status is proof that it is paid, even if this list is incomplete.
   */
  listOrderPayments(orderId: string, options?: CallOptions): Promise<Answer<ProviderPayment[]>>;
  /**
   * Best effort: no call cancels an order. This writes notes on the order, so that a reader sees that the hold
   * was released; its payment remains possible. At most 15 notes of at most 256 characters. UNVERIFIED: whether
   * they replace existing notes, so send along notes that must stay (`fetchOrder` has them).
   */
  annotateOrder(
    orderId: string,
    notes: Record<string, string>,
    options?: CallOptions,
  ): Promise<Answer<ProviderOrder>>;
  fetchPayment(paymentId: string, options?: CallOptions): Promise<Answer<ProviderPayment>>;
  /**
   * Sends the body byte for byte. `refused` is a proof that nothing was accepted, and needs the
   * provider's own error format on a first send; "the payment has been fully refunded already" is one.
   * A timeout, a 5xx, a 409, a closed socket and an unreadable answer are `unknown`, and so is a
   * refusal that speaks of an earlier refund with this receipt or key, or of a failure on the provider's
   * side: end them with `listRefunds` and
   * `bearsReceipt`. With `resend`, every refusal is `unknown` (`conflict`) and no fault is ever
   * `certainlyNotAccepted`. Too little balance for refunds is systemic.
   *
   * Accepted is not yet paid: follow the refund with `fetchRefund` until it is processed or failed.
   */
  createRefund(request: RefundRequest, options?: CallOptions): Promise<Answer<ProviderRefund>>;
  fetchRefund(refundId: string, options?: CallOptions): Promise<Answer<ProviderRefund>>;
  /**
   * Every refund of a payment, newest first, all pages; an empty list says that the provider has none.
   * If one page can't be read there is no list. `body` is an array with the body of each page.
   */
  listRefunds(paymentId: string, options?: CallOptions): Promise<Answer<ProviderRefund[]>>;
  /**
   * One page of the refunds of all payments that were made in a time, newest first, whoever made them: by this API or
   * in the provider's dashboard. Hold `toMs` still while paging.
   */
  listAllRefunds(window: TimeWindow, options?: CallOptions): Promise<Answer<ProviderRefund[]>>;
  /**
   * One page of disputes that were raised in a time. UNVERIFIED: that the time is the one of `created_at`, and that
   * the newest come first; the documentation shows `count`, `skip`, `from` and `to` and no more.
   */
  listDisputes(window: TimeWindow, options?: CallOptions): Promise<Answer<ProviderDispute[]>>;
  fetchDispute(disputeId: string, options?: CallOptions): Promise<Answer<ProviderDispute>>;
}
