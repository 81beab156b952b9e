/** The records of the payments API, as far as checkouts, refunds and disputes need them; amounts in paise. */

export const PROVIDER_ORDER_STATUSES = ["created", "attempted", "paid"] as const;

/** `unrecognised` is a status that the provider has added since: nothing may be concluded from it. */
export type ProviderOrderStatus = (typeof PROVIDER_ORDER_STATUSES)[number] | "unrecognised";

/** A request to a buyer to pay. No call cancels or expires an order: it can be paid at any time. */
export interface ProviderOrder {
  /** `order_…` */
  id: string;
  status: ProviderOrderStatus;
  /** The status in the provider's own word, also when it is unrecognised. */
  statusText: string;
  amountPaise: bigint;
  /** The captured amount. */
  amountPaidPaise: bigint | null;
  currency: string;
  /** Our reference. */
  receipt: string | null;
  /** How many payments were tried, failed ones included. */
  attempts: number | null;
  /** Ours, as far as they are text. May hold personal data: never log them. */
  notes: Record<string, string>;
  createdAtMs: number;
}

export const PROVIDER_PAYMENT_STATUSES = [
  "created",
  "authorized",
  "captured",
  "refunded",
  "failed",
] as const;

/** `unrecognised` is a status that the provider has added since: neither paid nor unpaid. */
export type ProviderPaymentStatus = (typeof PROVIDER_PAYMENT_STATUSES)[number] | "unrecognised";

/** One try to pay an order. A failed one may turn authorized or captured days later. */
export interface ProviderPayment {
  /** `pay_…` */
  id: string;
  /** Null when it was made without an order. */
  orderId: string | null;
  status: ProviderPaymentStatus;
  statusText: string;
  amountPaise: bigint;
  amountRefundedPaise: bigint;
  currency: string;
  /** Whether the money reached us, also when it has been refunded since. */
  captured: boolean;
  /** `card`, `upi`, `netbanking`, … */
  method: string | null;
  /** Why it failed, in the provider's word. */
  failureReason: string | null;
  createdAtMs: number;
}

export const PROVIDER_REFUND_STATUSES = ["pending", "processed", "failed"] as const;

/** `unrecognised` is a status that the provider has added since: neither success nor failure. */
export type ProviderRefundStatus = (typeof PROVIDER_REFUND_STATUSES)[number] | "unrecognised";

export interface ProviderRefund {
  /** `rfnd_…` */
  id: string;
  paymentId: string;
  status: ProviderRefundStatus;
  statusText: string;
  amountPaise: bigint;
  /** Our reference; at times null although it was sent, so look for it with `bearsReceipt`. */
  receipt: string | null;
  /** As far as they are text. */
  notes: Record<string, string>;
  /** The bank's reference (ARN), by which the buyer can trace it. */
  arn: string | null;
  createdAtMs: number;
}

export const PROVIDER_DISPUTE_STATUSES = ["open", "under_review", "won", "lost", "closed"] as const;

/** `unrecognised` is a status that the provider has added since: the dispute counts as open. */
export type ProviderDisputeStatus = (typeof PROVIDER_DISPUTE_STATUSES)[number] | "unrecognised";

/** A buyer, or the buyer's bank, asks for the money of a payment back. */
export interface ProviderDispute {
  /** `disp_…` */
  id: string;
  paymentId: string;
  status: ProviderDisputeStatus;
  statusText: string;
  amountPaise: bigint;
  /** What the provider took from us; documented as 0 until the dispute is lost. */
  deductedPaise: bigint;
  currency: string;
  /** `fraud`, `retrieval`, `chargeback`, `pre_arbitration`, `arbitration`. */
  phase: string | null;
  reasonCode: string | null;
  /** Until when evidence may be sent. */
  respondByMs: number | null;
  createdAtMs: number;
}

/**
 * Whether a refund is the one that was asked for under this receipt. The provider's own example of an
 * answer has lost the receipt, so `buildRefundRequest` writes it into the notes as well.
 */
export function bearsReceipt(
  refund: Pick<ProviderRefund, "receipt" | "notes">,
  receipt: string,
): boolean {
  return refund.receipt === receipt || refund.notes[RECEIPT_NOTE] === receipt;
}

/** Everything by which a refund may be one of ours: see `bearsReceipt`. */
export function receiptsOf({
  receipt,
  notes,
}: Pick<ProviderRefund, "receipt" | "notes">): string[] {
  const noted = notes[RECEIPT_NOTE];
  return [...(receipt === null ? [] : [receipt]), ...(noted === undefined ? [] : [noted])];
}

/** The note that repeats a refund's receipt. */
export const RECEIPT_NOTE = "receipt";
