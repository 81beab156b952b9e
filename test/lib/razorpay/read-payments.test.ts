import { describe, expect, it } from "vitest";
import {
  readOrder,
  readPayment,
  readPayments,
  readRefund,
} from "../../../lib/razorpay/read-payments.ts";
import type { JsonValue } from "../../../lib/provider/index.ts";

const order = {
  id: "order_MadeUp00000001",
  entity: "order",
  amount: 50_000,
  amount_paid: 0,
  currency: "INR",
  receipt: "hold-1",
  status: "attempted",
  attempts: 1,
  notes: [],
  created_at: 1_750_000_000,
};
const payment = {
  id: "pay_MadeUp00000001",
  entity: "payment",
  amount: 50_000,
  currency: "INR",
  status: "captured",
  order_id: "order_MadeUp00000001",
  captured: true,
  created_at: 1_750_000_000,
};
const refund = {
  id: "rfnd_MadeUp0000001",
  entity: "refund",
  amount: 20_000,
  currency: "INR",
  payment_id: "pay_MadeUp00000001",
  notes: {},
  receipt: "rf-1",
  status: "processed",
  created_at: 1_750_000_000,
};

describe("an order that is read", () => {
  it.each<[JsonValue, Record<string, string>]>([
    [[], {}],
    [{}, {}],
    [null, {}],
    [{ hold: "h-1", odd: 5 }, { hold: "h-1" }],
  ])("has notes %j as %j", (notes, expected) => {
    expect(readOrder({ ...order, notes })).toMatchObject({ ok: true, value: { notes: expected } });
  });

  it("has its time in milliseconds", () => {
    expect(readOrder(order)).toMatchObject({ value: { createdAtMs: 1_750_000_000_000 } });
  });

  it("may lack what nobody decides by", () => {
    const bare = without(order, "receipt", "attempts", "notes", "amount_paid");
    expect(readOrder(bare)).toMatchObject({
      ok: true,
      value: { receipt: null, attempts: null, notes: {}, amountPaidPaise: null },
    });
  });

  it("with a status of tomorrow is neither paid nor unpaid", () => {
    expect(readOrder({ ...order, status: "expired" })).toMatchObject({
      value: { status: "unrecognised", statusText: "expired" },
    });
  });
});

describe("a payment that is read", () => {
  it.each(["id", "status", "amount", "currency", "created_at"])("must have its %s", (field) => {
    expect(readPayment(without(payment, field))).toEqual({
      ok: false,
      problem: `unexpected ${field}`,
    });
  });

  it("may have been made without an order", () => {
    expect(readPayment({ ...payment, order_id: null })).toMatchObject({ value: { orderId: null } });
  });

  it("with an amount that is not whole paise is not read", () => {
    expect(readPayment({ ...payment, amount: 1.5 }).ok).toBe(false);
    expect(readPayment({ ...payment, amount: "100" }).ok).toBe(false);
  });

  it("that can't be read makes its list unreadable", () => {
    expect(readPayments({ items: [payment, without(payment, "status")] }).ok).toBe(false);
    expect(readPayments({ count: 1, items: [] }).ok).toBe(false);
  });

  it("has a reason that holds no personal data", () => {
    const odd = { ...payment, status: "failed", error_reason: "asha@okmadeup declined" };
    expect(readPayment(odd)).toMatchObject({ ok: true, value: { failureReason: "[redacted]" } });
  });
});

describe("a refund that is read", () => {
  it.each(["INR", "", null])("may give its currency as %j", (currency) => {
    expect(readRefund({ ...refund, currency }).ok).toBe(true);
  });

  it("in another currency is not read", () => {
    expect(readRefund({ ...refund, currency: "USD" })).toEqual({
      ok: false,
      problem: "unexpected currency",
    });
  });

  it.each(["id", "payment_id", "status", "amount", "created_at"])("must have its %s", (field) => {
    expect(readRefund(without(refund, field))).toEqual({
      ok: false,
      problem: `unexpected ${field}`,
    });
  });
});

function without(record: Record<string, JsonValue>, ...fields: string[]): JsonValue {
  return Object.fromEntries(Object.entries(record).filter(([field]) => !fields.includes(field)));
}
