import type { RefundState } from "./checkout-states.ts";
import type { JsonObject } from "./fields.ts";
import { notesJson } from "./fields.ts";
import type { Refund } from "./refunds.ts";

/** A refund as the API answers it. */
export function refundJson(refund: Refund): JsonObject {
  const { request } = refund;
  return {
    id: refund.id,
    entity: "refund",
    amount: request.amountPaise,
    currency: "INR",
    payment_id: refund.payment.id,
    notes: notesJson(request.notes),
    receipt: request.receipt,
    acquirer_data: { arn: refund.arn },
    created_at: refund.createdAtSeconds,
    batch_id: null,
    status: refund.state,
    speed_processed: request.speed === "optimum" ? "instant" : "normal",
    speed_requested: request.speed,
  };
}

/** A refund as the control endpoints and `Sandbox.refunds()` show it. */
export interface RefundRecord {
  id: string;
  payment_id: string;
  order_id: string;
  status: RefundState;
  /** In paise. */
  amount: number;
  receipt: string | null;
  idempotency_key: string | null;
  /** Oldest first; `at` is an ISO time. */
  history: { status: RefundState; at: string }[];
  /** The buyer has the money or may still get it: not failed. */
  live: boolean;
}

export function refundRecord(refund: Refund): RefundRecord {
  return {
    id: refund.id,
    payment_id: refund.payment.id,
    order_id: refund.payment.order.id,
    status: refund.state,
    amount: refund.request.amountPaise,
    receipt: refund.request.receipt,
    idempotency_key: refund.idempotencyKey,
    history: refund.history.map(({ state, at }) => ({ status: state, at: at.toISOString() })),
    live: refund.state !== "failed",
  };
}
