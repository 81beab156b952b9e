/** The states of payments, refunds and disputes, with the provider's names. */

export const PAYMENT_STATES = ["created", "authorized", "captured", "refunded", "failed"] as const;
export type PaymentState = (typeof PAYMENT_STATES)[number];

export const REFUND_STATES = ["pending", "processed", "failed"] as const;
export type RefundState = (typeof REFUND_STATES)[number];

export const DISPUTE_STATES = ["open", "under_review", "won", "lost", "closed"] as const;
export type DisputeState = (typeof DISPUTE_STATES)[number];

const NEXT_DISPUTE: Readonly<Record<DisputeState, readonly DisputeState[]>> = {
  open: ["under_review", "won", "lost", "closed"],
  // The bank asks for more evidence.
  under_review: ["open", "won", "lost", "closed"],
  won: [],
  lost: [],
  closed: [],
};

const NEXT_PAYMENT: Readonly<Record<PaymentState, readonly PaymentState[]>> = {
  created: ["authorized", "captured", "failed"],
  authorized: ["captured", "failed"],
  // Late authorization: the bank says days later that it had taken the money after all.
  failed: ["authorized", "captured"],
  // Only refunds lead on from here.
  captured: [],
  refunded: [],
};

const NEXT_REFUND: Readonly<Record<RefundState, readonly RefundState[]>> = {
  pending: ["processed", "failed"],
  processed: [],
  failed: [],
};

/** Throws `IllegalMove` when the provider's state graph does not have this move. */
export function checkPaymentMove(id: string, from: PaymentState, to: PaymentState): void {
  check("payment", id, { from, to, next: NEXT_PAYMENT[from] });
}

/** Throws `IllegalMove` when the provider's state graph does not have this move. */
export function checkRefundMove(id: string, from: RefundState, to: RefundState): void {
  check("refund", id, { from, to, next: NEXT_REFUND[from] });
}

/** Throws `IllegalMove` when the provider's state graph does not have this move. */
export function checkDisputeMove(id: string, from: DisputeState, to: DisputeState): void {
  check("dispute", id, { from, to, next: NEXT_DISPUTE[from] });
}

/** A move of a payment, refund or dispute that the provider's state graph does not have. */
export class IllegalMove extends Error {
  override readonly name = "IllegalMove";
}

function check(
  kind: string,
  id: string,
  { from, to, next }: { from: string; to: string; next: readonly string[] },
): void {
  if (next.includes(to)) return;
  const choice = next.join(", ") || "nothing by hand";
  throw new IllegalMove(
    `${kind} ${id} is ${from} and cannot become ${to} (what may follow ${from}: ${choice})`,
  );
}
