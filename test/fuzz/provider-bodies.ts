import fc from "fast-check";
import type { JsonValue } from "../../lib/provider/index.ts";

export const SECRET = "fuzz/s3cret+of=ours";
export const OWN_ACCOUNT = "7878780080316316";
/** None of these may be kept, wherever in an answer they turn up. */
export const PERSONAL = ["912345678901", "asha.madeup@okmadeup", "ABCPM1234Q", "9800000001"];

const payout: JsonValue = {
  id: "pout_Ab123456789012",
  entity: "payout",
  fund_account_id: "fa_Ab123456789012",
  amount: 123_456,
  currency: "INR",
  fees: 590,
  tax: 90,
  status: "processed",
  utr: "000912345678",
  mode: "NEFT",
  reference_id: "po-0001-1",
  status_details: { reason: null, description: null, source: null },
  debit_account_number: OWN_ACCOUNT,
  created_at: 1_750_000_000,
};
const contact: JsonValue = { id: "cont_Ab123456789012", type: "vendor", reference_id: "C-1" };
const fundAccount: JsonValue = {
  id: "fa_Ab123456789012",
  contact_id: "cont_Ab123456789012",
  account_type: "bank_account",
  active: true,
  bank_account: { name: "Asha", account_number: "912345678901" },
};
const payment: JsonValue = {
  id: "pay_Ab123456789012",
  entity: "payment",
  order_id: "order_Ab123456789012",
  status: "captured",
  amount: 50_000,
  amount_refunded: 0,
  currency: "INR",
  captured: true,
  method: "upi",
  created_at: 1_750_000_000,
};
const refund: JsonValue = {
  id: "rfnd_Ab123456789012",
  entity: "refund",
  payment_id: "pay_Ab123456789012",
  status: "processed",
  amount: 20_000,
  currency: "INR",
  receipt: "rf-0001-1",
  notes: [],
  acquirer_data: { arn: "000912345678" },
  created_at: 1_750_000_000,
};
const order: JsonValue = {
  id: "order_Ab123456789012",
  status: "paid",
  amount: 50_000,
  currency: "INR",
  receipt: "r-1",
  notes: {},
  created_at: 1_750_000_000,
};
const transaction: JsonValue = {
  id: "txn_Ab123456789012",
  amount: 100,
  currency: "INR",
  credit: 0,
  debit: 100,
  balance: 1_000,
  source: { id: "pout_Ab123456789012", entity: "payout" },
  created_at: 1_750_000_000,
};
const balance: JsonValue = {
  account_number: OWN_ACCOUNT,
  account_type: "business_banking",
  currency: "INR",
  amount: 5_000_000,
};
const SINGLE = [payout, contact, fundAccount, payment, refund, order];
const LISTED = [payout, payment, refund, transaction, balance];

/** What the provider says of a request that it turns down, or may have taken. */
const sentence = fc.oneof(
  fc.constantFrom(
    "The ifsc is invalid",
    "A payout with this reference already exists",
    "The request timed out",
    "Something went wrong",
    "Your account does not have enough balance",
    "Authentication failed",
    `Account ${PERSONAL[0]} of ${PERSONAL[1]}, PAN ${PERSONAL[2]}, ${PERSONAL[3]}`,
    `the header was ${Buffer.from(`rzp_test_fuzzed:${SECRET}`).toString("base64")}`,
    `key ${SECRET} is wrong, account ${OWN_ACCOUNT}`,
    "x".repeat(50_000),
  ),
  fc.string({ unit: "binary" }),
);
const failure = fc
  .record({
    code: fc.constantFrom("BAD_REQUEST_ERROR", "GATEWAY_ERROR", "SERVER_ERROR", "", SECRET),
    description: sentence,
    reason: fc.oneof(fc.constantFrom("NA", "invalid_ifsc_code", null), sentence),
    field: fc.constantFrom(null, "", "amount", PERSONAL[0] ?? ""),
    source: fc.constantFrom("business", "internal", "gateway", "NA"),
  })
  .map((error): JsonValue => ({ error }));

const valid = fc.oneof(
  fc.constantFrom(...SINGLE),
  fc
    .array(fc.constantFrom(...LISTED), { maxLength: 3 })
    .map((items): JsonValue => ({ entity: "collection", count: items.length, items })),
  failure,
);

const deep = (depth: number): JsonValue => {
  let value: JsonValue = PERSONAL[0] ?? "";
  for (let level = 0; level < depth; level++) value = level % 2 === 0 ? [value] : { deep: value };
  return value;
};

const strange: fc.Arbitrary<JsonValue> = fc.oneof(
  fc.constantFrom<JsonValue[]>(null, true, "", 0, -1, 1.5, 1e308, "null", [], {}, "NA", SECRET),
  fc.constantFrom(...PERSONAL, OWN_ACCOUNT, "a_status_of_tomorrow", "processed ", "PROCESSED"),
  fc.constantFrom(Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER + 1, "123456", -5),
  fc.constant(deep(40)),
  sentence,
  fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<JsonValue>,
);

/** A step into a body: which of its fields, and how to go on there. */
type Change = { pick: number; how: "replace" | "remove" | "enter" | "rename"; by: JsonValue };
const change: fc.Arbitrary<Change> = fc.record({
  pick: fc.nat(30),
  how: fc.constantFrom("replace", "replace", "remove", "enter", "enter", "rename"),
  by: strange,
});

function changed(body: JsonValue, [step, ...rest]: readonly Change[]): JsonValue {
  if (step === undefined) return body;
  if (typeof body !== "object" || body === null) return step.by;
  const entries = Object.entries(body);
  const index = entries.length === 0 ? 0 : step.pick % entries.length;
  const result = entries.flatMap(([key, value], at): [string, JsonValue][] => {
    if (at !== index) return [[key, value]];
    if (step.how === "remove") return [];
    if (step.how === "enter") return [[key, changed(value, rest)]];
    if (step.how === "rename") return [[typeof step.by === "string" ? step.by : `${key}_x`, value]];
    return [[key, step.by]];
  });
  return Array.isArray(body) ? result.map(([, value]) => value) : Object.fromEntries(result);
}

/** The text of an answer: as documented, changed in places, cut short, or no JSON at all. */
export const answerText: fc.Arbitrary<string> = fc.oneof(
  { weight: 2, arbitrary: valid.map((body) => JSON.stringify(body)) },
  {
    weight: 8,
    arbitrary: fc
      .tuple(valid, fc.array(fc.array(change, { minLength: 1, maxLength: 3 }), { maxLength: 4 }))
      .map(([body, all]) =>
        JSON.stringify(all.reduce((now, changes) => changed(now, changes), body)),
      ),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(valid, fc.nat(400))
      .map(([body, length]) => JSON.stringify(body).slice(0, length)),
  },
  { weight: 1, arbitrary: fc.string({ unit: "binary" }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "",
      "<html>403</html>",
      "[".repeat(100_000),
      `${"[".repeat(5_000)}${"]".repeat(5_000)}`,
      `${'{"error":'.repeat(3_000)}1${"}".repeat(3_000)}`,
      '{"__proto__":{"id":"pout_1"}}',
    ),
  },
);
