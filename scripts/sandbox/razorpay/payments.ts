import type { Clock } from "../../../lib/support/clock.ts";
import type { Account } from "./account.ts";
import type { PaymentState } from "./checkout-states.ts";
import { checkPaymentMove } from "./checkout-states.ts";
import type { Ids } from "./ids.ts";
import type { Order } from "./orders.ts";

export const PAYMENT_METHODS = ["upi", "card", "netbanking", "wallet"] as const;
type PaymentMethod = (typeof PAYMENT_METHODS)[number];

export interface Payment {
  readonly id: string;
  readonly createdAtSeconds: number;
  readonly order: Order;
  readonly method: PaymentMethod;
  readonly history: { state: PaymentState; at: Date }[];
  state: PaymentState;
  /** Whether the money reached us, also when it has been refunded since. */
  captured: boolean;
  /** Of refunds that have not failed. */
  refundedPaise: number;
}

export interface Payments {
  /** A try to pay an order, for its whole amount. Throws an Error for a capture of a paid order. */
  create(attempt: { order: Order; state: PaymentState; method: PaymentMethod }): Payment;
  get(id: string): Payment | undefined;
  /** Oldest first. */
  all(): readonly Payment[];
  ofOrder(orderId: string): Payment[];
  /** Throws `IllegalMove`, or an Error for a capture of an order that is paid. */
  move(payment: Payment, to: PaymentState): void;
  /** A refund took money (or, negative, gave it back): fully refunded is a state of its own. */
  refunded(payment: Payment, paise: number): void;
}

export function createPayments(options: { account: Account; clock: Clock; ids: Ids }): Payments {
  const { account, clock, ids } = options;
  const byId = new Map<string, Payment>();

  function enter(payment: Payment, to: PaymentState): void {
    payment.state = to;
    payment.history.push({ state: to, at: clock.now() });
  }

  function move(payment: Payment, to: PaymentState): void {
    checkPaymentMove(payment.id, payment.state, to);
    const { order } = payment;
    if (to === "captured") checkUnpaid(order);
    enter(payment, to);
    if (to !== "captured") return;
    payment.captured = true;
    order.state = "paid";
    order.paidPaise = order.amountPaise;
    account.credit(order.amountPaise, () => ({ id: payment.id, entity: "payment" }));
  }

  return {
    create({ order, state, method }) {
      if (state === "captured") checkUnpaid(order);
      const payment: Payment = {
        id: ids.next("pay"),
        createdAtSeconds: Math.floor(clock.now().getTime() / 1000),
        order,
        method,
        history: [],
        state: "created",
        captured: false,
        refundedPaise: 0,
      };
      byId.set(payment.id, payment);
      order.attempts++;
      if (order.state === "created") order.state = "attempted";
      enter(payment, "created");
      if (state === "captured") move(payment, "authorized");
      if (state !== "created") move(payment, state);
      return payment;
    },
    get: (id) => byId.get(id),
    all: () => [...byId.values()],
    ofOrder: (orderId) => [...byId.values()].filter(({ order }) => order.id === orderId),
    move,
    refunded(payment, paise) {
      payment.refundedPaise += paise;
      const wanted = payment.refundedPaise === payment.order.amountPaise ? "refunded" : "captured";
      if (payment.state !== wanted) enter(payment, wanted);
    },
  };
}

function checkUnpaid(order: Order): void {
  if (order.state === "paid") throw new Error(`order ${order.id} is paid already`);
}
