import { createHash } from "node:crypto";
import { describe, expect, it, onTestFinished } from "vitest";
import { parseRazorpayPaymentsEnv } from "../../../lib/razorpay/index.ts";
import { openPayments } from "../../../lib/razorpay/open-payments.ts";
import { createRazorpayPayments } from "../../../lib/razorpay/payments-client.ts";
import { systemClock } from "../../../lib/support/clock.ts";
import { silentLog } from "../../../lib/support/log.ts";
import { type Fault, type Sandbox, startSandbox } from "../../../scripts/sandbox/razorpay/index.ts";
import { json, KEY_ID, KEY_SECRET, providerError, startServer } from "./provider-double.ts";
import {
  type Answer,
  bearsReceipt,
  buildRefundRequest,
  type JsonValue,
  type PaymentProvider,
} from "../../../lib/provider/index.ts";

const REFUND = "POST /payments/:id/refund";

async function openSandbox(options: Parameters<typeof startSandbox>[0] = {}): Promise<Sandbox> {
  const sandbox = await startSandbox(options);
  onTestFinished(() => sandbox.close());
  return sandbox;
}

function settingsOf(sandbox: Sandbox) {
  const parsed = parseRazorpayPaymentsEnv({
    ...sandbox.env,
    RAZORPAY_TIMEOUT_MS: "1000",
    RAZORPAY_REQUESTS_PER_SECOND: "100",
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.settings;
}

/** A client whose back-off takes no time. */
function clientOf(sandbox: Sandbox, changes: { keySecret?: string } = {}): PaymentProvider {
  return createRazorpayPayments(
    { ...settingsOf(sandbox), ...changes },
    { clock: systemClock, random: () => 0.5, sleep: () => Promise.resolve() },
  );
}

/** An order of ₹500 that has a payment. */
function paid(sandbox: Sandbox, status: "captured" | "authorized" | "failed" = "captured") {
  const order = sandbox.createOrder({ amountPaise: 50_000n, receipt: "hold-1" });
  return { orderId: order.id, paymentId: sandbox.createPayment({ orderId: order.id, status }).id };
}

const built = buildRefundRequest({ amountPaise: 20_000n, receipt: "rf-0001-1", speed: "normal" });

function refundOf(paymentId: string, changes: { resend?: boolean; body?: string } = {}) {
  return {
    paymentId,
    body: built.body,
    idempotencyKey: "rf-0001-1-key",
    resend: false,
    ...changes,
  };
}

/** The parts of an answer that a caller decides by. */
function verdict(answer: Answer<unknown>): string {
  switch (answer.kind) {
    case "accepted":
      return "accepted";
    case "refused":
      return `refused ${answer.failure.code}`;
    case "unknown":
      return `unknown ${answer.cause}`;
    case "systemic":
      return `systemic ${answer.fault}${answer.certainlyNotAccepted ? ", certainly" : ""}`;
  }
}

function valueOf<T>(answer: Answer<T>): T {
  if (answer.kind !== "accepted") throw new Error(verdict(answer));
  return answer.value;
}

describe("looking at an order", () => {
  it("says what it is for, and how far it is paid", async () => {
    const sandbox = await openSandbox();
    const { orderId } = paid(sandbox);
    expect(valueOf(await clientOf(sandbox).fetchOrder(orderId))).toMatchObject({
      id: orderId,
      status: "paid",
      statusText: "paid",
      amountPaise: 50_000n,
      amountPaidPaise: 50_000n,
      currency: "INR",
      receipt: "hold-1",
      attempts: 1,
      notes: {},
    });
  });

  it("lists every try to pay it", async () => {
    const sandbox = await openSandbox();
    const { orderId } = paid(sandbox, "failed");
    sandbox.createPayment({ orderId, status: "captured", method: "card" });
    const payments = valueOf(await clientOf(sandbox).listOrderPayments(orderId));
    expect(payments).toMatchObject([
      { orderId, status: "captured", captured: true, method: "card", failureReason: null },
      { orderId, status: "failed", captured: false, failureReason: "payment_timed_out" },
    ]);
  });

  it("that was never tried lists nothing", async () => {
    const sandbox = await openSandbox();
    const { id } = sandbox.createOrder({ amountPaise: 100 });
    expect(valueOf(await clientOf(sandbox).listOrderPayments(id))).toEqual([]);
    expect(valueOf(await clientOf(sandbox).fetchOrder(id)).status).toBe("created");
  });

  it("that does not exist is a refusal", async () => {
    const sandbox = await openSandbox();
    const client = clientOf(sandbox);
    expect(verdict(await client.fetchOrder("order_Absent"))).toBe("refused BAD_REQUEST_ERROR");
    expect(verdict(await client.listOrderPayments("order_Absent"))).toBe(
      "refused BAD_REQUEST_ERROR",
    );
  });

  it("notes are written on it, again after an answer that was lost", async () => {
    const sandbox = await openSandbox();
    const { id } = sandbox.createOrder({ amountPaise: 100 });
    sandbox.addFaults({ on: "PATCH /orders/:id", match: { order_id: id }, dropAfter: true });
    const answer = await clientOf(sandbox).annotateOrder(id, { hold: "released" });
    expect(valueOf(answer).notes).toEqual({ hold: "released" });
    expect(sandbox.orders()).toMatchObject([{ id, notes: { hold: "released" } }]);
    expect(sandbox.callCount()).toBe(2);
  });
});

describe("looking at a payment", () => {
  it("shows a late authorization", async () => {
    const sandbox = await openSandbox();
    const { paymentId } = paid(sandbox, "failed");
    sandbox.movePayment(paymentId, { status: "authorized" });
    expect(valueOf(await clientOf(sandbox).fetchPayment(paymentId))).toMatchObject({
      status: "authorized",
      captured: false,
    });
    sandbox.movePayment(paymentId, { status: "captured" });
    expect(valueOf(await clientOf(sandbox).fetchPayment(paymentId))).toMatchObject({
      id: paymentId,
      status: "captured",
      statusText: "captured",
      captured: true,
      amountPaise: 50_000n,
      amountRefundedPaise: 0n,
      currency: "INR",
      method: "upi",
    });
  });

  it.each(["upi", "card", "netbanking", "wallet"] as const)(
    "by %s keeps nothing of the buyer",
    async (method) => {
      const sandbox = await openSandbox();
      const { id: orderId } = sandbox.createOrder({ amountPaise: 100 });
      const { id } = sandbox.createPayment({ orderId, method });
      const client = clientOf(sandbox);
      for (const answer of [
        await client.fetchPayment(id),
        await client.listOrderPayments(orderId),
      ]) {
        const text = JSON.stringify(answer, (_, value: unknown) =>
          typeof value === "bigint" ? String(value) : value,
        );
        expect(text).toContain(id);
        expect(text).toContain(orderId);
        for (const trace of [/meera/i, /example/i, /9900000001/, /"1111"/, /HDFC/, /Visa/])
          expect(text).not.toMatch(trace);
      }
    },
  );
});

describe("a refund", () => {
  it("leaves byte for byte as it was hashed, with its key", async () => {
    const sandbox = await openSandbox();
    const { paymentId, orderId } = paid(sandbox);
    const refund = valueOf(await clientOf(sandbox).createRefund(refundOf(paymentId)));
    expect(refund).toMatchObject({
      paymentId,
      status: "pending",
      amountPaise: 20_000n,
      receipt: "rf-0001-1",
      notes: { receipt: "rf-0001-1" },
      arn: null,
    });
    expect(sandbox.calls()).toMatchObject([
      {
        path: `/payments/${paymentId}/refund`,
        idempotency_key: "rf-0001-1-key",
        body_sha256: built.hash,
      },
    ]);
    expect(sandbox.refunds()).toMatchObject([{ id: refund.id, order_id: orderId, live: true }]);
  });

  it("is followed to its end", async () => {
    const sandbox = await openSandbox();
    const { paymentId } = paid(sandbox);
    const client = clientOf(sandbox);
    const { id } = valueOf(await client.createRefund(refundOf(paymentId)));
    const refund = valueOf(await client.fetchRefund(id));
    expect(refund).toMatchObject({ id, status: "processed" });
    expect(refund.arn).toMatch(/^\d{12}$/);
    expect(valueOf(await client.fetchPayment(paymentId))).toMatchObject({
      status: "captured",
      amountRefundedPaise: 20_000n,
    });
  });

  it("that failed later is no refund", async () => {
    const sandbox = await openSandbox();
    const { paymentId } = paid(sandbox);
    sandbox.addFaults({ on: REFUND, endState: "failed" });
    const client = clientOf(sandbox);
    const { id } = valueOf(await client.createRefund(refundOf(paymentId)));
    expect(valueOf(await client.fetchRefund(id)).status).toBe("failed");
    expect(valueOf(await client.fetchPayment(paymentId)).amountRefundedPaise).toBe(0n);
  });

  it("sent again under its key is the same refund", async () => {
    const sandbox = await openSandbox();
    const { paymentId } = paid(sandbox);
    const client = clientOf(sandbox);
    const first = valueOf(await client.createRefund(refundOf(paymentId)));
    const again = valueOf(await client.createRefund(refundOf(paymentId, { resend: true })));
    expect(again.id).toBe(first.id);
    expect(sandbox.refunds()).toHaveLength(1);
  });

  it("after the provider's own 429 is sent again, with the same bytes", async () => {
    const sandbox = await openSandbox();
    const { paymentId } = paid(sandbox);
    sandbox.addFaults({ on: REFUND, status: 429, times: 2 });
    valueOf(await clientOf(sandbox).createRefund(refundOf(paymentId)));
    const calls = sandbox.calls();
    expect(calls).toHaveLength(3);
    expect(new Set(calls.map((call) => call.body_sha256)).size).toBe(1);
    expect(new Set(calls.map((call) => call.idempotency_key)).size).toBe(1);
  });

  const accepted = true;
  const doubtful: [name: string, fault: Omit<Fault, "on">, expected: string, refunds: number][] = [
    ["a connection that closes before", { dropBefore: true }, "unknown connection-lost", 0],
    ["a connection that closes after", { dropAfter: true }, "unknown connection-lost", 1],
    ["half an answer", { malformed: true }, "unknown unreadable-answer", 1],
    ["no answer in time", { hang: true }, "unknown timeout", 0],
    ["no answer, but a refund", { hang: true, accept: accepted }, "unknown timeout", 1],
    ["a 500", { status: 500 }, "unknown server-error", 0],
    ["a 502 after the refund", { status: 502, accept: accepted }, "unknown server-error", 1],
    ["a 504", { status: 504 }, "unknown server-error", 0],
    [
      "a 400 of the bank's",
      { status: 400, error: { code: "GATEWAY_ERROR" } },
      "unknown server-error",
      0,
    ],
    ["a 409 while one is in flight", { status: 409, accept: accepted }, "unknown conflict", 1],
    ["a 408", { status: 408 }, "unknown timeout", 0],
  ];

  it.each(doubtful)(
    "with %s is in doubt, and not sent again",
    async (_, fault, expected, count) => {
      const sandbox = await openSandbox();
      const { paymentId } = paid(sandbox);
      sandbox.addFaults({ on: REFUND, match: { payment_id: paymentId }, ...fault });
      const client = clientOf(sandbox);

      expect(verdict(await client.createRefund(refundOf(paymentId)))).toBe(expected);
      expect(sandbox.callCount()).toBe(1);
      const found = valueOf(await client.listRefunds(paymentId));
      expect(found.filter((refund) => bearsReceipt(refund, "rf-0001-1"))).toHaveLength(count);
    },
  );

  it.each([
    ["a payment that is only authorized", "authorized"],
    ["a payment that failed", "failed"],
  ] as const)("of %s is refused", async (_, status) => {
    const sandbox = await openSandbox();
    const { paymentId } = paid(sandbox, status);
    const client = clientOf(sandbox);
    expect(verdict(await client.createRefund(refundOf(paymentId)))).toBe(
      "refused BAD_REQUEST_ERROR",
    );
    expect(sandbox.refunds()).toEqual([]);
  });

  it("of what has been refunded already is refused; on a resend that proves nothing", async () => {
    const sandbox = await openSandbox();
    const { paymentId } = paid(sandbox);
    const client = clientOf(sandbox);
    const whole = buildRefundRequest({ amountPaise: 50_000n, receipt: "all", speed: "optimum" });
    valueOf(
      await client.createRefund({
        ...refundOf(paymentId),
        body: whole.body,
        idempotencyKey: "whole-amount",
      }),
    );
    expect(valueOf(await client.fetchPayment(paymentId)).status).toBe("refunded");
    expect(verdict(await client.createRefund(refundOf(paymentId)))).toBe(
      "refused BAD_REQUEST_ERROR",
    );
    expect(verdict(await client.createRefund(refundOf(paymentId, { resend: true })))).toBe(
      "unknown conflict",
    );
  });

  it("whose receipt an earlier refund bears is in doubt: that one may be it", async () => {
    const sandbox = await openSandbox();
    const { paymentId } = paid(sandbox);
    const client = clientOf(sandbox);
    valueOf(await client.createRefund(refundOf(paymentId)));
    expect(
      verdict(await client.createRefund({ ...refundOf(paymentId), idempotencyKey: "another-key" })),
    ).toBe("unknown conflict");
    expect(sandbox.refunds()).toHaveLength(1);
  });

  it.each([400, 409] as const)(
    "whose key has another body (HTTP %i) is in doubt",
    async (status) => {
      const sandbox = await openSandbox({ refundConflictStatus: status });
      const { paymentId } = paid(sandbox);
      const client = clientOf(sandbox);
      valueOf(await client.createRefund(refundOf(paymentId)));
      const other = buildRefundRequest({ amountPaise: 100n, receipt: "other", speed: "normal" });
      expect(verdict(await client.createRefund(refundOf(paymentId, { body: other.body })))).toBe(
        "unknown conflict",
      );
      expect(
        verdict(await client.createRefund(refundOf(paymentId, { body: other.body, resend: true }))),
      ).toBe("unknown conflict");
    },
  );

  it("that the balance does not cover stops everything, and was certainly not accepted", async () => {
    const sandbox = await openSandbox();
    const { paymentId } = paid(sandbox);
    sandbox.changePaymentsBalance({ balancePaise: 19_999 });
    const client = clientOf(sandbox);
    expect(verdict(await client.createRefund(refundOf(paymentId)))).toBe(
      "systemic insufficient-balance, certainly",
    );
    sandbox.changePaymentsBalance({ addPaise: 1 });
    expect(verdict(await client.createRefund(refundOf(paymentId)))).toBe("accepted");
  });

  it("with wrong credentials stops everything", async () => {
    const sandbox = await openSandbox();
    const { paymentId } = paid(sandbox);
    const client = clientOf(sandbox, { keySecret: "wrong" });
    expect(verdict(await client.createRefund(refundOf(paymentId)))).toBe(
      "systemic credentials, certainly",
    );
    expect(verdict(await client.createRefund(refundOf(paymentId, { resend: true })))).toBe(
      "systemic credentials",
    );
  });

  it.each([
    ["a key of nine characters", { idempotencyKey: "123456789" }],
    ["a key of 37 characters", { idempotencyKey: "k".repeat(37) }],
    ["a key with a space", { idempotencyKey: "rf 0001 1 key" }],
    ["a body that is not JSON", { body: "amount=1" }],
    ["a body without a receipt", { body: '{"amount":100}' }],
    ["an empty payment id", { paymentId: "" }],
    ["a payment id that leads elsewhere", { paymentId: "../orders" }],
  ])("with %s is our own mistake and is not sent", async (_, change) => {
    const sandbox = await openSandbox();
    await expect(
      clientOf(sandbox).createRefund({ ...refundOf("pay_A"), ...change }),
    ).rejects.toMatchObject({ code: "RAZORPAY_ARGUMENT_INVALID" });
    expect(sandbox.callCount()).toBe(0);
  });
});

describe("an answer that the sandbox would never give", () => {
  const order = {
    id: "order_MadeUp00000001",
    amount: 50_000,
    currency: "INR",
    status: "created",
    created_at: 1_750_000_000,
  };
  const refund = {
    id: "rfnd_MadeUp0000001",
    entity: "refund",
    amount: 20_000,
    currency: "INR",
    payment_id: "pay_MadeUp00000001",
    notes: [],
    receipt: "rf-0001-1",
    status: "processed",
    created_at: 1_750_000_000,
  };

  async function talkTo(respond: Parameters<typeof startServer>[0]) {
    const { baseUrl, received } = await startServer(respond);
    const settings = { keyId: KEY_ID, keySecret: KEY_SECRET, timeoutMs: 10_000 };
    const client = createRazorpayPayments(
      { ...settings, baseUrl, requestsPerSecond: 100 },
      { clock: systemClock, random: () => 0.5, sleep: () => Promise.resolve() },
    );
    return { client, received };
  }

  it.each([
    [400, "unknown unreadable-answer"],
    [401, "systemic credentials"],
    [403, "systemic not-allow-listed"],
    [404, "systemic wrong-address"],
    [429, "systemic rate-limited"],
    [302, "systemic wrong-address"],
    [200, "unknown unreadable-answer"],
  ])(
    "a proxy's page with HTTP %i never proves that a refund was refused",
    async (status, expected) => {
      const { client } = await talkTo((response) => response.writeHead(status).end("<html>"));
      expect(verdict(await client.createRefund(refundOf("pay_MadeUp00000001")))).toBe(expected);
    },
  );

  it("a page of a proxy's with 429 makes what follows a resend", async () => {
    const { client } = await talkTo((response, _, nth) =>
      nth === 1 ? response.writeHead(429).end("busy") : json(response, 400, providerError()),
    );
    expect(verdict(await client.createRefund(refundOf("pay_MadeUp00000001")))).toBe(
      "unknown conflict",
    );
  });

  it.each<[string, Record<string, JsonValue>]>([
    ["amount", { amount: 19_999 }],
    ["payment", { payment_id: "pay_MadeUp00000002" }],
    ["receipt", { receipt: "rf-0001-2" }],
  ])("a refund of another %s is not taken for ours", async (_, change) => {
    const { client } = await talkTo((response) => json(response, 200, { ...refund, ...change }));
    expect(verdict(await client.createRefund(refundOf("pay_MadeUp00000001")))).toBe(
      "unknown unreadable-answer",
    );
  });

  it("a refund that has lost its receipt is ours", async () => {
    const { client, received } = await talkTo((response) =>
      json(response, 200, { ...refund, receipt: null }),
    );
    expect(verdict(await client.createRefund(refundOf("pay_MadeUp00000001")))).toBe("accepted");
    expect(received[0]).toMatchObject({
      method: "POST",
      url: "/v1/payments/pay_MadeUp00000001/refund",
      headers: { "x-refund-idempotency": "rf-0001-1-key" },
      body: built.body,
    });
  });

  it.each(["insufficient_funds", "low_balance"])("the reason %s is enough", async (reason) => {
    const { client } = await talkTo((response) =>
      json(response, 400, providerError("BAD_REQUEST_ERROR", { reason })),
    );
    expect(verdict(await client.createRefund(refundOf("pay_MadeUp00000001")))).toBe(
      "systemic insufficient-balance, certainly",
    );
  });

  it("records of others are not taken for what was asked for", async () => {
    const payment = { ...order, id: "pay_MadeUp00000001", order_id: "order_Other" };
    const { client } = await talkTo((response, { url }) => {
      if (url.endsWith("/payments")) json(response, 200, { items: [payment] });
      else if (url.includes("/refunds?")) json(response, 200, { items: [refund] });
      else json(response, 200, url.includes("refund") ? refund : order);
    });
    const answers = await Promise.all([
      client.fetchOrder("order_Asked"),
      client.annotateOrder("order_Asked", {}),
      client.listOrderPayments("order_Asked"),
      client.fetchPayment("pay_Asked"),
      client.fetchRefund("rfnd_Asked"),
      client.listRefunds("pay_Asked"),
    ]);
    expect(new Set(answers.map(verdict))).toEqual(new Set(["unknown unreadable-answer"]));
  });

  it("a list that shows its first page for ever is not read as complete", async () => {
    const items = Array.from({ length: 100 }, (_, nth) => ({ ...refund, id: `rfnd_${nth}` }));
    const { client, received } = await talkTo((response) => json(response, 200, { items }));
    expect(verdict(await client.listRefunds("pay_MadeUp00000001"))).toBe(
      "unknown unreadable-answer",
    );
    expect(received.map(({ url }) => url.split("?")[1])).toEqual([
      "count=100&skip=0",
      "count=100&skip=100",
    ]);
  });

  it("notes that break a rule of the provider's, and odd ids, are not sent", async () => {
    const { client, received } = await talkTo((response) => json(response, 200, order));
    const code = "RAZORPAY_ARGUMENT_INVALID";
    const many = Object.fromEntries(Array.from({ length: 16 }, (_, nth) => [`n${nth}`, ""]));
    await expect(client.annotateOrder(order.id, many)).rejects.toMatchObject({ code });
    await expect(client.annotateOrder(order.id, { a: "x".repeat(257) })).rejects.toMatchObject({
      code,
    });
    await expect(client.annotateOrder("", {})).rejects.toMatchObject({ code });
    await expect(client.fetchOrder("")).rejects.toMatchObject({ code });
    await expect(client.fetchPayment("a/refunds")).rejects.toMatchObject({ code });
    await expect(client.listOrderPayments("")).rejects.toMatchObject({ code });
    await expect(client.listRefunds("")).rejects.toMatchObject({ code });
    await expect(client.fetchRefund("")).rejects.toMatchObject({ code });
    expect(received).toEqual([]);
  });
});

describe("the list of a payment's refunds", () => {
  it("is read to its end", async () => {
    const sandbox = await openSandbox({ settleAfterMs: 3_600_000 });
    const { id: orderId } = sandbox.createOrder({ amountPaise: 100_000 });
    const { id: paymentId } = sandbox.createPayment({ orderId });
    const client = clientOf(sandbox);
    const receipts = Array.from({ length: 101 }, (_, nth) => `rf-${nth}`);
    for (const receipt of receipts) {
      const { body } = buildRefundRequest({ amountPaise: 100n, receipt, speed: "normal" });
      await refundDirectly(sandbox, paymentId, body);
    }
    const answer = await client.listRefunds(paymentId);
    const found = valueOf(answer);
    expect(found.map((refund) => refund.receipt).reverse()).toEqual(receipts);
    expect(answer.body).toHaveLength(2);
  });

  it("with a page that can't be read is no list", async () => {
    const sandbox = await openSandbox();
    const { paymentId } = paid(sandbox);
    sandbox.addFaults({ on: "GET /payments/:id/refunds", status: 503, times: -1 });
    expect(verdict(await clientOf(sandbox).listRefunds(paymentId))).toBe("unknown server-error");
  });

  it("stopped by the caller is unknown", async () => {
    const sandbox = await openSandbox();
    const answer = await clientOf(sandbox).listRefunds("pay_A", { signal: AbortSignal.abort() });
    expect(verdict(answer)).toBe("unknown interrupted");
    expect(sandbox.callCount()).toBe(0);
  });
});

describe("a dry run", () => {
  it("reads, and refuses every call that would change something", async () => {
    const sandbox = await openSandbox();
    const { orderId, paymentId } = paid(sandbox);
    const client = openPayments(settingsOf(sandbox), {
      clock: systemClock,
      random: () => 0.5,
      log: silentLog(),
      dryRun: true,
    });
    const code = "DRY_RUN_WRITE";
    expect(() => client.createRefund(refundOf(paymentId))).toThrow(
      expect.objectContaining({ code }),
    );
    expect(() => client.annotateOrder(orderId, {})).toThrow(expect.objectContaining({ code }));
    valueOf(await client.fetchOrder(orderId));
    valueOf(await client.listOrderPayments(orderId));
    valueOf(await client.fetchPayment(paymentId));
    valueOf(await client.listRefunds(paymentId));
    expect(sandbox.calls().filter((call) => call.mutating)).toEqual([]);
  });

  it("is not every run", async () => {
    const sandbox = await openSandbox();
    const { paymentId } = paid(sandbox);
    const client = openPayments(settingsOf(sandbox), {
      clock: systemClock,
      random: () => 0.5,
      log: silentLog(),
      dryRun: false,
    });
    valueOf(await client.createRefund(refundOf(paymentId)));
  });
});

/** Without the client's limit of requests per second. */
async function refundDirectly(sandbox: Sandbox, paymentId: string, body: string): Promise<void> {
  const { RAZORPAY_KEY_ID: id, RAZORPAY_KEY_SECRET: secret, RAZORPAY_BASE_URL: url } = sandbox.env;
  const authorization = `Basic ${Buffer.from(`${id}:${secret}`).toString("base64")}`;
  const path = `${url}/payments/${paymentId}/refund`;
  const response = await fetch(path, { method: "POST", headers: { authorization }, body });
  expect(response.status).toBe(200);
}

describe("the bytes of a refund request", () => {
  it("are hashed as they are sent", () => {
    expect(built.hash).toBe(createHash("sha256").update(built.body, "utf8").digest("hex"));
  });
});

describe("what happens without a request of ours", () => {
  it("is listed: refunds of all payments, in a time", async () => {
    const sandbox = await openSandbox();
    const client = clientOf(sandbox);
    const { paymentId } = paid(sandbox);
    const { id } = sandbox.refundInDashboard({ paymentId, amountPaise: 10_000 });
    const now = Date.now();
    const hour = 3_600_000;
    const window = { fromMs: now - hour, toMs: now + hour };
    expect(valueOf(await client.listAllRefunds(window))).toMatchObject([
      { id, paymentId, amountPaise: 10_000n, status: "processed", receipt: null },
    ]);
    const earlier = { fromMs: now - 2 * hour, toMs: now - hour };
    expect(valueOf(await client.listAllRefunds(earlier))).toEqual([]);
    await expect(client.listAllRefunds({ count: 101 })).rejects.toMatchObject({
      code: "RAZORPAY_ARGUMENT_INVALID",
    });
  });

  it("is listed and fetched: disputes", async () => {
    const sandbox = await openSandbox();
    const client = clientOf(sandbox);
    const { paymentId } = paid(sandbox);
    const { id } = sandbox.createDispute({ paymentId, respondInHours: 24 });
    const [dispute] = valueOf(await client.listDisputes({}));
    expect(dispute).toMatchObject({
      id,
      paymentId,
      status: "open",
      amountPaise: 50_000n,
      deductedPaise: 0n,
      phase: "chargeback",
      reasonCode: "chargeback_authorization",
    });
    expect((dispute?.respondByMs ?? 0) - (dispute?.createdAtMs ?? 0)).toBe(24 * 3_600_000);
    sandbox.moveDispute(id, { status: "lost" });
    expect(valueOf(await client.fetchDispute(id))).toMatchObject({
      status: "lost",
      deductedPaise: 50_000n,
    });
    expect(verdict(await client.fetchDispute("disp_unknown"))).toMatch(/^refused/);
  });
});
