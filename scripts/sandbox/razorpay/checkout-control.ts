import * as z from "zod";
import type { AccountSummary } from "./account.ts";
import { DISPUTE_STATES, PAYMENT_STATES, REFUND_STATES } from "./checkout-states.ts";
import type { DisputeState, PaymentState, RefundState } from "./checkout-states.ts";
import type { BalanceChange } from "./control-balance.ts";
import { changeBalance } from "./control-balance.ts";
import type { DisputePhase, DisputeRecord } from "./disputes.ts";
import { DISPUTE_PHASES, disputeRecord } from "./disputes.ts";
import type { Order, OrderState } from "./orders.ts";
import type { PaymentRecord } from "./payment-json.ts";
import { paymentRecord } from "./payment-json.ts";
import { PAYMENT_METHODS } from "./payments.ts";
import type { RefundRecord } from "./refund-json.ts";
import { refundRecord } from "./refund-json.ts";
import { parseRefund } from "./refunds.ts";
import type { World } from "./world.ts";

/** An order as the control endpoints and `Sandbox.orders()` show it. */
export interface OrderRecord {
  id: string;
  status: OrderState;
  /** In paise. */
  amount: number;
  amount_paid: number;
  receipt: string | null;
  attempts: number;
  notes: Record<string, string>;
}

/** Actions of buyers, banks and time, which no call of the API can make: made here by hand. */
export interface CheckoutControl {
  /** Every order ever made, oldest first. */
  orders(): OrderRecord[];
  payments(): PaymentRecord[];
  refunds(): RefundRecord[];
  /** Throws an Error that names the problem, as do all below. */
  createOrder(order: NewOrder): OrderRecord;
  /** A buyer's try to pay an order, for its whole amount. */
  createPayment(payment: NewPayment): PaymentRecord;
  /** `failed` to `authorized` or `captured` is late authorization. Throws `IllegalMove`. */
  movePayment(id: string, to: { status: PaymentState }): PaymentRecord;
  /** Throws `IllegalMove`. */
  moveRefund(id: string, to: { status: RefundState }): RefundRecord;
  /** A refund that a person makes in the dashboard: without a receipt or note of ours. */
  refundInDashboard(refund: DashboardRefund): RefundRecord;
  /** Every dispute ever raised, oldest first. */
  disputes(): DisputeRecord[];
  /** A buyer or their bank disputes a captured payment. */
  createDispute(dispute: NewDispute): DisputeRecord;
  /** `lost` takes the amount off the payments account. Throws `IllegalMove`. */
  moveDispute(id: string, to: { status: DisputeState }): DisputeRecord;
  /** Captured and not refunded: another balance than that of RazorpayX. */
  paymentsAccount(): AccountSummary;
  /** Sets it or adds to it, in paise, as a settlement to our bank would. */
  changePaymentsBalance(change: BalanceChange): AccountSummary;
}

export interface NewOrder {
  /** At least 100. */
  amountPaise: number | bigint;
  receipt?: string;
  notes?: Record<string, string>;
}

export interface NewPayment {
  orderId: string;
  /** Default `captured`. */
  status?: Exclude<PaymentState, "refunded">;
  /** Default `upi`. */
  method?: (typeof PAYMENT_METHODS)[number];
}

export interface DashboardRefund {
  paymentId: string;
  /** Default: all that is left. */
  amountPaise?: number | bigint;
  /** Default `processed`. */
  status?: RefundState;
}

export interface NewDispute {
  paymentId: string;
  /** Default: all of the payment. */
  amountPaise?: number | bigint;
  /** Default `chargeback`. */
  phase?: DisputePhase;
  /** Default `chargeback_authorization`. */
  reasonCode?: string;
  /** Default 168. */
  respondInHours?: number;
}

const text = z.string().min(1).max(256);
const orderSchema = z.strictObject({
  amountPaise: z
    .union([z.int(), z.bigint()])
    .transform(Number)
    .pipe(z.int("a whole number of paise").min(100, "at least 100 paise")),
  receipt: text.max(40).optional(),
  notes: z
    .record(text, z.string().max(256))
    .refine((notes) => Object.keys(notes).length <= 15, "at most 15 notes")
    .default({}),
});
const paymentSchema = z.strictObject({
  orderId: text,
  status: z.enum(PAYMENT_STATES).exclude(["refunded"]).default("captured"),
  method: z.enum(PAYMENT_METHODS).default("upi"),
});
const paymentMoveSchema = z.strictObject({ status: z.enum(PAYMENT_STATES) });
const paise = z
  .union([z.int(), z.bigint()])
  .transform(Number)
  .pipe(z.int("a whole number of paise").min(1, "at least 1 paisa"));
const dashboardRefundSchema = z.strictObject({
  paymentId: text,
  amountPaise: paise.optional(),
  status: z.enum(REFUND_STATES).default("processed"),
});
const disputeSchema = z.strictObject({
  paymentId: text,
  amountPaise: paise.optional(),
  phase: z.enum(DISPUTE_PHASES).default("chargeback"),
  reasonCode: text.default("chargeback_authorization"),
  respondInHours: z.int().min(1).default(168),
});
const disputeMoveSchema = z.strictObject({ status: z.enum(DISPUTE_STATES) });
const refundMoveSchema = z.strictObject({ status: z.enum(REFUND_STATES) });

export function createCheckoutControl(state: { readonly world: World }): CheckoutControl {
  return {
    orders: () => state.world.orders.all().map(orderRecord),
    payments: () => state.world.payments.all().map(paymentRecord),
    refunds: () => state.world.refunds.all().map(refundRecord),
    createOrder(input) {
      const { amountPaise, receipt = null, notes } = parse(orderSchema, input);
      return orderRecord(state.world.orders.create({ amountPaise, receipt, notes }));
    },
    createPayment(input) {
      const { orderId, status, method } = parse(paymentSchema, input);
      const order = found("order", orderId, state.world.orders.get(orderId));
      return paymentRecord(state.world.payments.create({ order, state: status, method }));
    },
    movePayment(id, to) {
      const { status } = parse(paymentMoveSchema, to);
      const payment = found("payment", id, state.world.payments.get(id));
      state.world.payments.move(payment, status);
      return paymentRecord(payment);
    },
    moveRefund(id, to) {
      const { status } = parse(refundMoveSchema, to);
      const refund = found("refund", id, state.world.refunds.get(id));
      state.world.refunds.move(refund, status);
      return refundRecord(refund);
    },
    refundInDashboard(input) {
      const { paymentId, amountPaise, status } = parse(dashboardRefundSchema, input);
      const payment = found("payment", paymentId, state.world.payments.get(paymentId));
      const body = amountPaise === undefined ? {} : { amount: amountPaise };
      const refund = state.world.refunds.create({
        payment,
        request: parseRefund(body, payment),
        idempotencyKey: null,
        course: { initialState: status },
      });
      return refundRecord(refund);
    },
    disputes: () => state.world.disputes.all().map(disputeRecord),
    createDispute(input) {
      const { paymentId, ...details } = parse(disputeSchema, input);
      const payment = found("payment", paymentId, state.world.payments.get(paymentId));
      if (!payment.captured) throw new Error(`payment ${paymentId} was not captured`);
      const { amountPaise = payment.order.amountPaise } = details;
      return disputeRecord(state.world.disputes.create({ ...details, payment, amountPaise }));
    },
    moveDispute(id, to) {
      const { status } = parse(disputeMoveSchema, to);
      const dispute = found("dispute", id, state.world.disputes.get(id));
      state.world.disputes.move(dispute, status);
      return disputeRecord(dispute);
    },
    paymentsAccount: () => state.world.paymentsAccount.summary(),
    changePaymentsBalance(change) {
      const { paymentsAccount, settings } = state.world;
      changeBalance(paymentsAccount, change, settings.ids);
      return paymentsAccount.summary();
    },
  };
}

function orderRecord(order: Order): OrderRecord {
  const { id, amountPaise, paidPaise, receipt, attempts, notes } = order;
  return {
    id,
    status: order.state,
    amount: amountPaise,
    amount_paid: paidPaise,
    receipt,
    attempts,
    notes: { ...notes },
  };
}

function found<T>(kind: string, id: string, value: T | undefined): T {
  if (value === undefined) throw new Error(`there is no ${kind} ${id}`);
  return value;
}

function parse<Output>(schema: z.ZodType<Output>, value: unknown): Output {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new Error(z.prettifyError(result.error));
}
