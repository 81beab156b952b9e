import type { PaymentState } from "./checkout-states.ts";
import type { JsonObject } from "./fields.ts";
import type { Payment } from "./payments.ts";

/**
 * A payment as the API answers it. Like the provider's, it carries data about the buyer; all of it is made up
 * and the same for everybody.
 */
export function paymentJson(payment: Payment): JsonObject {
  const { order, method, refundedPaise } = payment;
  const isFailed = payment.state === "failed";
  return {
    id: payment.id,
    entity: "payment",
    amount: order.amountPaise,
    currency: "INR",
    status: payment.state,
    order_id: order.id,
    invoice_id: null,
    international: false,
    method,
    amount_refunded: refundedPaise,
    refund_status:
      refundedPaise === 0 ? null : refundedPaise === order.amountPaise ? "full" : "partial",
    captured: payment.captured,
    description: "Consultation for Meera Example",
    ...buyerJson(method),
    notes: [],
    fee: null,
    tax: null,
    error_code: isFailed ? "BAD_REQUEST_ERROR" : null,
    error_description: isFailed ? "The payment was not completed in time." : null,
    error_source: isFailed ? "customer" : null,
    error_step: isFailed ? "payment_authentication" : null,
    error_reason: isFailed ? "payment_timed_out" : null,
    acquirer_data: method === "upi" ? { rrn: "000000000001" } : {},
    created_at: payment.createdAtSeconds,
  };
}

/** A payment as the control endpoints and `Sandbox.payments()` show it. */
export interface PaymentRecord {
  id: string;
  order_id: string;
  status: PaymentState;
  /** In paise. */
  amount: number;
  amount_refunded: number;
  captured: boolean;
  method: string;
  /** Oldest first; `at` is an ISO time. */
  history: { status: PaymentState; at: string }[];
}

export function paymentRecord(payment: Payment): PaymentRecord {
  return {
    id: payment.id,
    order_id: payment.order.id,
    status: payment.state,
    amount: payment.order.amountPaise,
    amount_refunded: payment.refundedPaise,
    captured: payment.captured,
    method: payment.method,
    history: payment.history.map(({ state, at }) => ({ status: state, at: at.toISOString() })),
  };
}

function buyerJson(method: string): JsonObject {
  const vpa = "meera.example@examplebank";
  return {
    email: "meera.example@example.com",
    contact: "+919900000001",
    card_id: method === "card" ? "card_ExampleMeera01" : null,
    ...(method === "card"
      ? {
          card: {
            id: "card_ExampleMeera01",
            entity: "card",
            name: "Meera Example",
            last4: "1111",
            network: "Visa",
          },
        }
      : {}),
    bank: method === "netbanking" ? "HDFC" : null,
    wallet: method === "wallet" ? "examplewallet" : null,
    vpa: method === "upi" ? vpa : null,
    ...(method === "upi" ? { upi: { payer_account_type: "bank_account", vpa } } : {}),
  };
}
