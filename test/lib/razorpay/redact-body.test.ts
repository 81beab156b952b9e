import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { redactBody, scrubText } from "../../../lib/razorpay/index.ts";
import type { JsonValue } from "../../../lib/provider/index.ts";
import { share } from "../../support/share.ts";

/** Made-up personal data of every kind that a payee has. */
const planted: Record<string, JsonValue> = {
  account_number: "912345678901",
  bank_account: {
    name: "Asha Made-Up",
    ifsc: "HDFC0000009",
    account_number: "912345678901",
    bank_name: "Made-Up Bank",
  },
  vpa: { address: "asha.madeup@okmadeup", username: "asha.madeup", handle: "okmadeup" },
  name: "Asha Made-Up",
  email: "asha.madeup@example.com",
  contact: "+919800000001",
  phone: 9_800_000_001,
  pan: "ABCPM1234Q",
  payer_account: "912345678901",
  narration: "For Asha Made-Up",
  notes: { "Asha Made-Up": "9800000001", reason: "Asha Made-Up" },
  description: "Account 9123 4567 8901 (asha.madeup@okmadeup, pan abcpm1234q) failed",
};

const traces = [
  /91234/,
  /9123 4567/,
  /asha/i,
  /made-?up/i,
  /okmadeup/,
  /98000/,
  /abcpm/i,
  /HDFC0000009/,
];

describe("a redacted body", () => {
  it("keeps nothing personal, however deep and under whatever field it was put", () => {
    const personal = fc.constantFrom(...Object.entries(planted));
    const leaf = fc.oneof(
      personal.map(([key, value]): JsonValue => ({ [key]: value })),
      fc.constantFrom<JsonValue>({ id: "pout_A1", status: "processed", amount: 100 }, null, true),
    );
    const field = fc.constantFrom(
      "fund_account",
      "contact",
      "items",
      "source",
      "error",
      "metadata",
      "status_details",
      "a_new_field",
      "9800000001",
      "asha.madeup@okmadeup",
      "__proto__",
    );
    const { body } = fc.letrec<{ body: JsonValue }>((tie) => ({
      body: fc.oneof(
        { maxDepth: 5, depthSize: "large" },
        leaf,
        fc.array(tie("body"), { maxLength: 3 }),
        fc
          .array(fc.tuple(field, tie("body")), { maxLength: 3 })
          .map((pairs): JsonValue => Object.fromEntries(pairs)),
      ),
    }));
    fc.assert(
      fc.property(body, (value) => {
        const text = JSON.stringify(redactBody(value));
        for (const trace of traces) expect(text).not.toMatch(trace);
      }),
      { numRuns: share(300) },
    );
  });

  it("keeps nothing personal that stands where a word or an id belongs", () => {
    for (const key of ["id", "contact_id", "reason", "field", "code", "status", "mode", "utr"]) {
      for (const text of ["asha.madeup@okmadeup", "+91 98000 00001", "abcpm1234q ifsc"]) {
        const shown = JSON.stringify(redactBody({ [key]: text }));
        for (const trace of traces) expect(shown).not.toMatch(trace);
      }
    }
  });

  it("keeps what a person needs to trace a payout", () => {
    const body: JsonValue = {
      id: "pout_Ab123456789012",
      entity: "payout",
      fund_account_id: "fa_Ab123456789012",
      amount: 123_456,
      currency: "INR",
      fees: 590,
      tax: 90,
      status: "reversed",
      utr: "000912345678",
      mode: "NEFT",
      reference_id: "po-0001-1",
      status_details: {
        reason: "beneficiary_bank_rejected",
        description: "The bank rejected it",
        source: "beneficiary_bank",
      },
      fund_account: { id: "fa_Ab123456789012", active: true },
      created_at: 1_750_000_000,
    };
    expect(redactBody(body)).toEqual(body);
  });

  it("keeps what a person needs to trace a payment and its refund", () => {
    const payment: JsonValue = {
      id: "pay_Ab123456789012",
      entity: "payment",
      order_id: "order_Ab1234567890",
      amount: 50_000,
      amount_refunded: 20_000,
      refund_status: "partial",
      captured: true,
      method: "upi",
      status: "captured",
      error_reason: "payment_timed_out",
      acquirer_data: { rrn: "000912345678" },
      created_at: 1_750_000_000,
    };
    const refund: JsonValue = {
      id: "rfnd_Ab12345678901",
      entity: "refund",
      payment_id: "pay_Ab123456789012",
      amount: 20_000,
      receipt: "rf-0001-1",
      status: "processed",
      speed_processed: "normal",
      acquirer_data: { arn: "000912345678" },
    };
    expect(redactBody([payment, refund])).toEqual([payment, refund]);
  });

  it("keeps nothing of the buyer of a payment, not even which card it was", () => {
    const payment: JsonValue = {
      entity: "payment",
      description: "Consultation for Asha Made-Up",
      email: "asha.madeup@example.com",
      contact: "+919800000001",
      vpa: "asha.madeup@okmadeup",
      card_id: "card_Ab123456789012",
      card: { name: "Asha Made-Up", last4: "1111" },
      token_id: "token_Ab1234567890",
      bank: "HDFC",
      wallet: "madeupwallet",
      upi: { vpa: "asha.madeup@okmadeup" },
    };
    const kept = Object.entries(redactBody(payment) as Record<string, JsonValue>)
      .filter(([, value]) => value !== "[redacted]")
      .map(([key]) => key);
    expect(kept).toEqual(["entity"]);
  });

  it("keeps what tells a refusal apart", () => {
    const body: JsonValue = {
      error: {
        code: "BAD_REQUEST_ERROR",
        description: "The ifsc is invalid",
        source: "business",
        step: "payout_initiation",
        reason: "invalid_ifsc_code",
        field: "fund_account.bank_account.ifsc",
        metadata: {},
      },
    };
    expect(redactBody(body)).toEqual(body);
  });

  it("survives nesting that no honest answer has", () => {
    let body: JsonValue = "9800000001";
    for (let depth = 0; depth < 50_000; depth += 1) body = [body];
    expect(JSON.stringify(redactBody(body))).toContain("[redacted]");
  });
});

describe("scrubbed text", () => {
  it.each([
    ["Order 12345 failed", "Order 12345 failed"],
    ["Account 123456 failed", "Account [redacted] failed"],
    ["Call 98000-00001 now", "Call [redacted] now"],
    ["IFSC HDFC0000009", "IFSC HDFC0000009"],
    ["Mail a.b@example.com.", "Mail [redacted]"],
    ["PAN ABCPM1234Q is wrong", "PAN [redacted] is wrong"],
    ["खाता ९१२३४५६७८", "खाता [redacted]"],
  ])("%j becomes %j", (text, expected) => {
    expect(scrubText(text)).toBe(expected);
  });

  it("of a text that never ends is its beginning, and nothing of a number that was cut in two", () => {
    const account = "912345678901";
    for (let before = 1_880; before <= 2_010; before++) {
      const text = `${"9800000001 ".repeat(200).slice(0, before)}${account} ${"x".repeat(5_000)}`;
      expect(scrubText(text)).not.toMatch(/\d{6}/);
    }
    // A search that begins again at each character would take many minutes for this.
    expect(scrubText("x".repeat(4_000_000))).toBe("[redacted]");
  });
});
