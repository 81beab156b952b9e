import { describe, expect, it } from "vitest";
import type { Sandbox } from "../../../scripts/sandbox/razorpay/index.ts";
import { IllegalMove } from "../../../scripts/sandbox/razorpay/index.ts";
import type { Answer, Json } from "./support.ts";
import { call, errorOf, idOf, itemsOf, manualClock, openSandbox } from "./support.ts";

const REFUND = "POST /payments/:id/refund";

/** A captured payment of ₹500. */
function captured(sandbox: Sandbox): { orderId: string; paymentId: string } {
  const { id: orderId } = sandbox.createOrder({ amountPaise: 50_000, receipt: "hold-1" });
  return { orderId, paymentId: sandbox.createPayment({ orderId }).id };
}

function refund(
  sandbox: Sandbox,
  paymentId: string,
  body: Json = {},
  key?: string,
): Promise<Answer> {
  return call(sandbox, `POST /payments/${paymentId}/refund`, {
    body,
    ...(key === undefined ? {} : { refundKey: key }),
  });
}

describe("an order", () => {
  it("is made through the API, and keeps what it was given", async () => {
    const sandbox = await openSandbox();
    const body = { amount: 50_000, currency: "INR", receipt: "hold-1", notes: { hold: "h-1" } };
    const id = idOf(await call(sandbox, "POST /orders", { body }));
    expect((await call(sandbox, `GET /orders/${id}`)).body).toMatchObject({
      id,
      entity: "order",
      ...body,
      amount_paid: 0,
      amount_due: 50_000,
      status: "created",
      attempts: 0,
    });
  });

  it.each([
    ["amount", { amount: 99 }],
    ["amount", { amount: "50000" }],
    ["currency", { currency: "USD" }],
    ["receipt", { receipt: "r".repeat(41) }],
    ["payment_capture", { payment_capture: 1 }],
  ])("with a wrong %s is refused", async (field, change) => {
    const sandbox = await openSandbox();
    const body = { amount: 50_000, currency: "INR", ...change };
    expect(errorOf(await call(sandbox, "POST /orders", { body }))).toMatchObject({ field });
    expect(sandbox.orders()).toEqual([]);
  });

  it("is attempted with the first try and paid with a capture", async () => {
    const sandbox = await openSandbox();
    const { id: orderId } = sandbox.createOrder({ amountPaise: 50_000 });
    sandbox.createPayment({ orderId, status: "failed" });
    expect(sandbox.orders()).toMatchObject([{ status: "attempted", attempts: 1 }]);
    sandbox.createPayment({ orderId, status: "authorized" });
    expect(sandbox.orders()).toMatchObject([{ status: "attempted", attempts: 2, amount_paid: 0 }]);
    sandbox.createPayment({ orderId });
    expect(sandbox.orders()).toMatchObject([{ status: "paid", attempts: 3, amount_paid: 50_000 }]);
    const statuses = itemsOf(await call(sandbox, `GET /orders/${orderId}/payments`)).map(
      ({ status }) => status,
    );
    expect(statuses).toEqual(["captured", "authorized", "failed"]);
  });

  it("is paid once", async () => {
    const sandbox = await openSandbox();
    const { orderId } = captured(sandbox);
    expect(() => sandbox.createPayment({ orderId })).toThrow(`order ${orderId} is paid already`);
    const { id } = sandbox.createPayment({ orderId, status: "failed" });
    expect(() => sandbox.movePayment(id, { status: "captured" })).toThrow("is paid already");
    expect(sandbox.payments()).toHaveLength(2);
    expect(sandbox.paymentsAccount().creditsPaise).toBe(50_000);
  });

  it("takes new notes and nothing else", async () => {
    const sandbox = await openSandbox();
    const { id } = sandbox.createOrder({ amountPaise: 100, notes: { a: "1" } });
    const path = `PATCH /orders/${id}`;
    await call(sandbox, path, { body: { notes: { b: "2" } } });
    expect(sandbox.orders()).toMatchObject([{ notes: { b: "2" } }]);
    expect(errorOf(await call(sandbox, path, { body: { status: "paid" } }))).toMatchObject({
      field: "status",
    });
    errorOf(await call(sandbox, path, { body: { other: 1 } }));
  });
});

describe("a payment", () => {
  it("that failed may be authorized and captured later", async () => {
    const sandbox = await openSandbox();
    const { id: orderId } = sandbox.createOrder({ amountPaise: 50_000 });
    const { id } = sandbox.createPayment({ orderId, status: "failed" });
    sandbox.movePayment(id, { status: "authorized" });
    sandbox.movePayment(id, { status: "captured" });
    expect(sandbox.payments()[0]?.history.map(({ status }) => status)).toEqual([
      "created",
      "failed",
      "authorized",
      "captured",
    ]);
    expect((await call(sandbox, `GET /payments/${id}`)).body).toMatchObject({
      status: "captured",
      captured: true,
      order_id: orderId,
      error_reason: null,
    });
  });

  it("does not go back", async () => {
    const sandbox = await openSandbox();
    const { paymentId } = captured(sandbox);
    for (const status of ["failed", "authorized", "refunded"] as const)
      expect(() => sandbox.movePayment(paymentId, { status })).toThrow(IllegalMove);
  });

  it("reaches its own balance, apart from that of RazorpayX", async () => {
    const sandbox = await openSandbox({ balancePaise: 1000 });
    const { paymentId } = captured(sandbox);
    await refund(sandbox, paymentId, { amount: 20_000 });
    expect(sandbox.paymentsAccount()).toEqual({
      openingPaise: 0,
      creditsPaise: 50_000,
      debitsPaise: 20_000,
      balancePaise: 30_000,
    });
    expect(sandbox.account()).toMatchObject({ balancePaise: 1000, debitsPaise: 0 });
  });
});

describe("a refund", () => {
  it("is pending, and processed when it is next asked about", async () => {
    const sandbox = await openSandbox();
    const { paymentId } = captured(sandbox);
    const answer = await refund(sandbox, paymentId, { amount: 20_000, receipt: "rf-1" });
    expect(answer.body).toMatchObject({
      entity: "refund",
      payment_id: paymentId,
      amount: 20_000,
      receipt: "rf-1",
      status: "pending",
      notes: [],
      speed_requested: "normal",
      acquirer_data: { arn: null },
    });
    expect((await call(sandbox, `GET /refunds/${idOf(answer)}`)).body).toMatchObject({
      status: "processed",
      acquirer_data: { arn: expect.stringMatching(/^\d{12}$/) as string },
    });
  });

  it("stays pending for the settlement time", async () => {
    const clock = manualClock();
    const sandbox = await openSandbox({ clock, settleAfterMs: 1000 });
    const { paymentId } = captured(sandbox);
    const id = idOf(await refund(sandbox, paymentId));
    clock.advance(999);
    expect((await call(sandbox, `GET /refunds/${id}`)).body["status"]).toBe("pending");
    clock.advance(1);
    expect((await call(sandbox, `GET /refunds/${id}`)).body["status"]).toBe("processed");
  });

  it("without an amount is of all that is left", async () => {
    const sandbox = await openSandbox();
    const { paymentId } = captured(sandbox);
    await refund(sandbox, paymentId, { amount: 20_000 });
    expect((await call(sandbox, `GET /payments/${paymentId}`)).body).toMatchObject({
      status: "captured",
      refund_status: "partial",
      amount_refunded: 20_000,
    });
    expect((await refund(sandbox, paymentId)).body["amount"]).toBe(30_000);
    expect((await call(sandbox, `GET /payments/${paymentId}`)).body).toMatchObject({
      status: "refunded",
      refund_status: "full",
      captured: true,
    });
  });

  it("never adds up to more than was captured", async () => {
    const sandbox = await openSandbox();
    const { paymentId } = captured(sandbox);
    errorOf(await refund(sandbox, paymentId, { amount: 50_001 }));
    await refund(sandbox, paymentId, { amount: 30_000 });
    errorOf(await refund(sandbox, paymentId, { amount: 20_001 }));
    await refund(sandbox, paymentId, { amount: 20_000 });
    expect(errorOf(await refund(sandbox, paymentId, { amount: 100 }))).toMatchObject({
      code: "BAD_REQUEST_ERROR",
      reason: null,
    });
    expect(sandbox.refunds()).toHaveLength(2);
  });

  it("that fails gives the money back, and may be tried again", async () => {
    const sandbox = await openSandbox();
    const { paymentId } = captured(sandbox);
    const id = idOf(await refund(sandbox, paymentId, { receipt: "rf-1" }));
    sandbox.moveRefund(id, { status: "failed" });
    expect(sandbox.refunds()).toMatchObject([{ id, status: "failed", live: false }]);
    expect(sandbox.payments()).toMatchObject([{ status: "captured", amount_refunded: 0 }]);
    expect(sandbox.paymentsAccount().balancePaise).toBe(50_000);
    expect((await refund(sandbox, paymentId, { receipt: "rf-2" })).status).toBe(200);
    expect(() => sandbox.moveRefund(id, { status: "processed" })).toThrow(IllegalMove);
  });

  it.each([
    ["amount", { amount: 99 }],
    ["amount", { amount: 100.5 }],
    ["speed", { speed: "instant" }],
    ["receipt", { receipt: "" }],
    ["note", { note: "x" }],
  ])("with a wrong %s is refused", async (field, body) => {
    const sandbox = await openSandbox();
    const { paymentId } = captured(sandbox);
    expect(errorOf(await refund(sandbox, paymentId, body))).toMatchObject({ field });
    expect(sandbox.refunds()).toEqual([]);
  });

  it.each(["created", "authorized", "failed"] as const)(
    "of a payment that is %s is refused",
    async (status) => {
      const sandbox = await openSandbox();
      const { id: orderId } = sandbox.createOrder({ amountPaise: 50_000 });
      const { id } = sandbox.createPayment({ orderId, status });
      errorOf(await refund(sandbox, id));
    },
  );

  it("has a receipt that no other refund of the payment has", async () => {
    const sandbox = await openSandbox();
    const first = captured(sandbox);
    const second = captured(sandbox);
    await refund(sandbox, first.paymentId, { amount: 100, receipt: "rf-1" });
    errorOf(await refund(sandbox, first.paymentId, { amount: 100, receipt: "rf-1" }));
    expect((await refund(sandbox, second.paymentId, { receipt: "rf-1" })).status).toBe(200);
  });

  it("under one key is one refund, also for two requests at once", async () => {
    const sandbox = await openSandbox();
    const { paymentId } = captured(sandbox);
    const answers = await Promise.all(
      [1, 2, 3].map(() => refund(sandbox, paymentId, { amount: 100 }, "key-0000001")),
    );
    expect(new Set(answers.map(idOf)).size).toBe(1);
    expect(sandbox.refunds()).toMatchObject([{ idempotency_key: "key-0000001" }]);
  });

  it("under a used key, with another body or for another payment, is a conflict", async () => {
    const sandbox = await openSandbox();
    const { paymentId } = captured(sandbox);
    const other = captured(sandbox);
    await refund(sandbox, paymentId, { amount: 100 }, "key-0000001");
    errorOf(await refund(sandbox, paymentId, { amount: 200 }, "key-0000001"), 409);
    errorOf(await refund(sandbox, other.paymentId, { amount: 100 }, "key-0000001"), 409);
    expect(sandbox.refunds()).toHaveLength(1);
  });

  it.each(["123456789", "key 0000001", "key.0000001"])(
    "with the key %j is refused",
    async (key) => {
      const sandbox = await openSandbox();
      const { paymentId } = captured(sandbox);
      expect(errorOf(await refund(sandbox, paymentId, {}, key))).toMatchObject({
        field: "X-Refund-Idempotency",
      });
    },
  );

  it("does not mind the key of a payout", async () => {
    const sandbox = await openSandbox();
    const { paymentId } = captured(sandbox);
    const options = { body: { amount: 100 }, key: "key-0000001" };
    await call(sandbox, `POST /payments/${paymentId}/refund`, options);
    await call(sandbox, `POST /payments/${paymentId}/refund`, options);
    expect(sandbox.refunds()).toMatchObject([{ idempotency_key: null }, { idempotency_key: null }]);
  });

  it("is listed by payment, page by page", async () => {
    const sandbox = await openSandbox();
    const { paymentId } = captured(sandbox);
    for (const receipt of ["a", "b", "c"])
      await refund(sandbox, paymentId, { amount: 100, receipt });
    await refund(sandbox, captured(sandbox).paymentId, { receipt: "other" });
    const page = itemsOf(await call(sandbox, `GET /payments/${paymentId}/refunds?count=2&skip=1`));
    expect(page.map(({ receipt }) => receipt)).toEqual(["b", "a"]);
  });
});

describe("faults of the payments API", () => {
  it.each([
    ["order_id", "GET /orders/:id/payments", (ids: Ids) => ids.orderId],
    ["order_id", "PATCH /orders/:id", (ids: Ids) => ids.orderId],
    ["payment_id", "GET /payments/:id", (ids: Ids) => ids.paymentId],
    ["order_id", "GET /payments/:id", (ids: Ids) => ids.orderId],
    ["payment_id", "GET /payments/:id/refunds", (ids: Ids) => ids.paymentId],
    ["receipt", "GET /orders/:id", () => "hold-1"],
  ] as const)("match %s on %s", async (field, on, valueIn) => {
    const sandbox = await openSandbox();
    const ids = captured(sandbox);
    const path = on.replace(":id", on.includes("/orders") ? ids.orderId : ids.paymentId);
    sandbox.addFaults({ on, match: { [field]: "other" }, status: 502 });
    expect(
      (await call(sandbox, path, on.startsWith("PATCH") ? { body: { notes: {} } } : {})).status,
    ).toBe(200);
    sandbox.addFaults({ on, match: { [field]: valueIn(ids) }, status: 503 });
    expect((await call(sandbox, path)).status).toBe(503);
  });

  it("match a refund by payment, order, receipt, amount and key", async () => {
    const sandbox = await openSandbox();
    const { orderId, paymentId } = captured(sandbox);
    for (const match of [
      { payment_id: paymentId },
      { order_id: orderId },
      { receipt: "rf-1" },
      { amount: 100 },
      { idempotency_key: "key-0000001" },
    ]) {
      sandbox.addFaults({ on: REFUND, match, status: 503 });
      errorOf(
        await refund(sandbox, paymentId, { amount: 100, receipt: "rf-1" }, "key-0000001"),
        503,
      );
    }
    expect(sandbox.faults()).toEqual([]);
  });

  it.each([
    [{ endState: "pending" }, "pending", "pending"],
    [{ endState: "failed" }, "pending", "failed"],
    [{ initialState: "processed" }, "processed", "processed"],
    [{ initialState: "failed" }, "failed", "failed"],
  ] as const)("bend a refund by %j", async (course, answered, ended) => {
    const sandbox = await openSandbox();
    const { paymentId } = captured(sandbox);
    sandbox.addFaults({ on: REFUND, ...course });
    const answer = await refund(sandbox, paymentId);
    expect(answer.body["status"]).toBe(answered);
    expect((await call(sandbox, `GET /refunds/${idOf(answer)}`)).body["status"]).toBe(ended);
  });

  it("let a refund meet a balance that is too low", async () => {
    const sandbox = await openSandbox();
    const { paymentId } = captured(sandbox);
    sandbox.addFaults({ on: REFUND, lowBalance: true });
    errorOf(await refund(sandbox, paymentId));
    expect((await refund(sandbox, paymentId)).status).toBe(200);
  });

  it.each([
    [
      { on: REFUND, endState: "reversed" },
      "endState: on POST /payments/:id/refund, expected one of",
    ],
    [{ on: REFUND, initialState: "queued" }, "initialState: on POST /payments/:id/refund"],
    [{ on: REFUND, endState: "failed", endReason: "x" }, "endReason: a refund has no reason"],
    [{ on: "POST /payouts", endState: "pending" }, "endState: on POST /payouts, expected one of"],
    [{ on: "POST /orders", endState: "failed" }, "endState: needs on"],
  ] as const)("refuse %j", async (fault, message) => {
    const sandbox = await openSandbox();
    expect(() => sandbox.addFaults(fault)).toThrow(message);
    expect(sandbox.faults()).toEqual([]);
  });
});

describe("the control of checkouts over HTTP", () => {
  it("makes orders and payments, moves them, and lists them with their refunds", async () => {
    const sandbox = await openSandbox();
    const post = (path: string, body: Json) => call(sandbox, `POST /__sandbox${path}`, { body });
    const order = await post("/orders", { amountPaise: 50_000, receipt: "hold-1" });
    const orderId = idOf(order);
    const payment = await post("/payments", { orderId, status: "failed", method: "card" });
    const paymentId = idOf(payment);
    expect(payment.body).toMatchObject({ order_id: orderId, status: "failed", method: "card" });
    await post(`/payments/${paymentId}/status`, { status: "captured" });
    const refundId = idOf(await refund(sandbox, paymentId));
    await post(`/refunds/${refundId}/status`, { status: "failed" });
    await post("/payments-balance", { addPaise: -10_000 });

    const list = async (path: string) => (await call(sandbox, `GET /__sandbox${path}`)).body;
    expect(await list("/orders")).toMatchObject({
      count: 1,
      items: [{ id: orderId, status: "paid" }],
    });
    expect(await list("/payments")).toMatchObject({ count: 1, items: [{ id: paymentId }] });
    expect(await list("/refunds")).toMatchObject({ items: [{ id: refundId, status: "failed" }] });
    expect(await list("/payments-balance")).toMatchObject({ balancePaise: 40_000 });
  });

  it.each([
    ["/orders", { amountPaise: 99 }, "at least 100 paise"],
    ["/orders", { amountPaise: 100.5 }, "amountPaise"],
    ["/orders", { amountPaise: 100, reciept: "x" }, "reciept"],
    ["/payments", { orderId: "order_Absent" }, "there is no order order_Absent"],
    ["/payments", { orderId: "order_Absent", status: "refunded" }, "status"],
    ["/payments", {}, "orderId"],
    ["/payments/pay_Absent/status", { status: "captured" }, "there is no payment pay_Absent"],
    ["/payments/pay_Absent/status", { status: "paid" }, "status"],
    ["/refunds/rfnd_Absent/status", { status: "failed" }, "there is no refund rfnd_Absent"],
    ["/payments-balance", { balancePaise: -1 }, "balancePaise"],
  ])("says what is wrong with %s %j", async (path, body, message) => {
    const sandbox = await openSandbox();
    const answer = await call(sandbox, `POST /__sandbox${path}`, { body });
    expect(errorOf(answer)["description"]).toContain(message);
  });

  it("is forgotten by a reset", async () => {
    const sandbox = await openSandbox();
    captured(sandbox);
    sandbox.reset();
    expect([...sandbox.orders(), ...sandbox.payments(), ...sandbox.refunds()]).toEqual([]);
    expect(sandbox.paymentsAccount().balancePaise).toBe(0);
  });
});

type Ids = ReturnType<typeof captured>;
