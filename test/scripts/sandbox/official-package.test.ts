import Razorpay from "razorpay";
import { describe, expect, it } from "vitest";
import type { Sandbox } from "../../../scripts/sandbox/razorpay/index.ts";
import { openSandbox } from "./support.ts";

/**
 * A witness that shares no line with the sandbox or with our client: the provider's own package. No job uses it,
 * since its methods pass no idempotency key and lose the cause of a network failure.
 */
describe("the provider's own package", () => {
  it("makes an order, changes its notes and reads it back", async () => {
    const sandbox = await openSandbox();
    const razorpay = packageOn(sandbox);
    const order = { amount: 50_000, currency: "INR", receipt: "hold-1", notes: { hold: "h-1" } };
    const { id } = await razorpay.orders.create(order);
    await razorpay.orders.edit(id, { notes: { hold: "h-2" } });
    expect(await razorpay.orders.fetch(id)).toMatchObject({
      ...order,
      id,
      status: "created",
      notes: { hold: "h-2" },
    });
  });

  it("finds an order's payment, and refunds it in two parts", async () => {
    const sandbox = await openSandbox();
    const razorpay = packageOn(sandbox);
    const { id: orderId } = sandbox.createOrder({ amountPaise: 50_000 });
    sandbox.createPayment({ orderId });

    const { items } = await razorpay.orders.fetchPayments(orderId);
    expect(items).toMatchObject([{ order_id: orderId, amount: 50_000, status: "captured" }]);
    const paymentId = items[0]?.id ?? "";
    const first = await razorpay.payments.refund(paymentId, { amount: 20_000, speed: "normal" });
    await razorpay.payments.refund(paymentId, { amount: 30_000, speed: "normal" });

    expect(await razorpay.refunds.fetch(first.id)).toMatchObject({ amount: 20_000 });
    expect(await razorpay.payments.fetch(paymentId)).toMatchObject({
      status: "refunded",
      amount_refunded: 50_000,
    });
    expect((await razorpay.payments.fetchMultipleRefund(paymentId)).items).toHaveLength(2);
  });

  it("lists refunds of the dashboard, which bear no receipt", async () => {
    const sandbox = await openSandbox();
    const razorpay = packageOn(sandbox);
    const { id: orderId } = sandbox.createOrder({ amountPaise: 50_000 });
    const { id: paymentId } = sandbox.createPayment({ orderId });
    const { id } = sandbox.refundInDashboard({ paymentId, amountPaise: 20_000 });

    const { items } = await razorpay.refunds.all({ count: 100 });
    expect(items).toMatchObject([
      { id, payment_id: paymentId, amount: 20_000, receipt: null, status: "processed" },
    ]);
    const from = Math.floor(Date.now() / 1000) + 3_600;
    expect((await razorpay.refunds.all({ from, to: from + 1 })).items).toEqual([]);
  });

  it("follows a dispute until it is lost, and pages through the list", async () => {
    const sandbox = await openSandbox();
    const razorpay = packageOn(sandbox);
    const { id: orderId } = sandbox.createOrder({ amountPaise: 50_000 });
    const { id: paymentId } = sandbox.createPayment({ orderId });
    const first = sandbox.createDispute({ paymentId, amountPaise: 10_000 });
    const second = sandbox.createDispute({ paymentId, amountPaise: 20_000, phase: "fraud" });

    expect((await razorpay.disputes.all({ count: 1 })).items).toMatchObject([{ id: second.id }]);
    const { items } = await razorpay.disputes.all({ count: 1, skip: 1 });
    expect(items).toMatchObject([{ id: first.id, status: "open", amount_deducted: 0 }]);
    sandbox.moveDispute(first.id, { status: "under_review" });
    expect(await razorpay.disputes.fetch(first.id)).toMatchObject({
      entity: "dispute",
      payment_id: paymentId,
      amount: 10_000,
      currency: "INR",
      status: "under_review",
      phase: "chargeback",
    });
    expect(await razorpay.disputes.accept(second.id)).toMatchObject({
      status: "lost",
      amount_deducted: 20_000,
    });
    expect(sandbox.paymentsAccount()).toMatchObject({ balancePaise: 30_000 });
    await expect(razorpay.disputes.accept(second.id)).rejects.toMatchObject({ statusCode: 400 });
  });

  it("reads a refusal as the provider's", async () => {
    const razorpay = packageOn(await openSandbox());
    await expect(razorpay.orders.create({ amount: 1, currency: "INR" })).rejects.toMatchObject({
      statusCode: 400,
      error: { code: "BAD_REQUEST_ERROR", field: "amount" },
    });
  });

  it("reads wrong credentials as such", async () => {
    const sandbox = await openSandbox();
    const razorpay = packageOn(sandbox, { keySecret: "another" });
    await expect(razorpay.orders.fetch("order_MadeUp00000001")).rejects.toMatchObject({
      statusCode: 401,
    });
  });
});

/** The package knows one base URL; its own HTTP instance can be told another. */
function packageOn(
  { env, url }: Sandbox,
  { keySecret = env.RAZORPAYX_KEY_SECRET }: { keySecret?: string } = {},
): Razorpay {
  const razorpay = new Razorpay({ key_id: env.RAZORPAYX_KEY_ID, key_secret: keySecret });
  const { rq } = razorpay.api as unknown as { rq: { defaults: { baseURL: string } } };
  rq.defaults.baseURL = new URL("/", url).href;
  return razorpay;
}
