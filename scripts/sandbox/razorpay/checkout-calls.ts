import type { ApiRequest, Handler } from "./api-request.ts";
import { disputeJson } from "./disputes.ts";
import { existing, Refusal } from "./errors.ts";
import type { JsonObject } from "./fields.ts";
import { parseJsonObject } from "./fields.ts";
import { type Order, orderJson, parseOrder } from "./orders.ts";
import { collection, filterOf, newestFirst, pageOf } from "./paging.ts";
import { paymentJson } from "./payment-json.ts";
import { refundJson } from "./refund-json.ts";
import { parseRefund, refundKeyOf } from "./refunds.ts";
import type { CheckoutRoute } from "./routes.ts";
import type { World } from "./world.ts";

/** The calls of the payments API: payments of buyers, their refunds and disputes. */
export const CHECKOUT_HANDLERS: Readonly<Record<CheckoutRoute, Handler>> = {
  "POST /orders": ({ orders }, { rawBody }) =>
    orderJson(orders.create(parseOrder(parseJsonObject(rawBody)))),
  "GET /orders": ({ orders }, { query }) => {
    const receipt = filterOf(query, "receipt");
    const page = pageOf(query);
    const isWanted = (order: Order): boolean => receipt === undefined || order.receipt === receipt;
    return collection(newestFirst(orders.all(), page, isWanted).map(orderJson));
  },
  "GET /orders/:id": ({ orders }, { id }) => orderJson(existing(orders.get(id))),
  "PATCH /orders/:id": ({ orders }, { id, rawBody }) => {
    const order = existing(orders.get(id));
    orders.update(order, parseJsonObject(rawBody));
    return orderJson(order);
  },
  "GET /orders/:id/payments": ({ orders, payments, refunds }, { id }) => {
    refunds.settleDue();
    const order = existing(orders.get(id));
    return collection(payments.ofOrder(order.id).reverse().map(paymentJson));
  },
  "GET /payments": ({ payments, refunds }, { query }) => {
    const page = pageOf(query);
    refunds.settleDue();
    return collection(newestFirst(payments.all(), page).map(paymentJson));
  },
  "GET /payments/:id": ({ payments, refunds }, { id }) => {
    refunds.settleDue();
    return paymentJson(existing(payments.get(id)));
  },
  "POST /payments/:id/refund": createRefund,
  "GET /payments/:id/refunds": ({ payments, refunds }, { id, query }) => {
    const payment = existing(payments.get(id));
    const page = pageOf(query);
    refunds.settleDue();
    return collection(newestFirst(refunds.ofPayment(payment.id), page).map(refundJson));
  },
  "GET /refunds": ({ refunds }, { query }) => {
    const page = pageOf(query);
    refunds.settleDue();
    return collection(newestFirst(refunds.all(), page).map(refundJson));
  },
  "GET /refunds/:id": ({ refunds }, { id }) => {
    refunds.settleDue();
    return refundJson(existing(refunds.get(id)));
  },
  "GET /disputes": ({ disputes }, { query }) =>
    collection(newestFirst(disputes.all(), pageOf(query)).map(disputeJson)),
  "GET /disputes/:id": ({ disputes }, { id }) => disputeJson(existing(disputes.get(id))),
  "POST /disputes/:id/accept": ({ disputes }, { id }) => {
    const dispute = existing(disputes.get(id));
    if (dispute.state !== "open")
      throw new Refusal(400, { description: "Only an open dispute can be accepted." });
    disputes.move(dispute, "lost");
    return disputeJson(dispute);
  },
};

/** One key, one refund, as with payouts; the key includes the payment in the path. */
function createRefund(world: World, request: ApiRequest): JsonObject {
  const { id, rawBody } = request;
  const { payments, refunds } = world;
  const idempotencyKey = refundKeyOf(request.idempotencyKey);
  return world.refundKeys.once(idempotencyKey, `[${JSON.stringify(id)},${rawBody}]`, {
    make: () => {
      const payment = existing(payments.get(id));
      refunds.settleDue();
      return refunds.create({
        payment,
        request: parseRefund(rawBody === "" ? {} : parseJsonObject(rawBody), payment),
        idempotencyKey,
        course: request.refundCourse,
      });
    },
    first: refundJson,
    again: (refund) => {
      refunds.settleDue();
      return refundJson(refund);
    },
  });
}
