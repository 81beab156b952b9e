import fc from "fast-check";
import { expect } from "vitest";
import { classify, type CallKind } from "../../lib/razorpay/classify.ts";
import { redactBody } from "../../lib/razorpay/index.ts";
import {
  balancesReader,
  payoutReader,
  payoutsReader,
  readContact,
  readFundAccount,
  readTransactions,
} from "../../lib/razorpay/read-entities.ts";
import {
  readOrder,
  readPayment,
  readPayments,
  readRefund,
  readRefunds,
} from "../../lib/razorpay/read-payments.ts";
import type { Reader } from "../../lib/razorpay/reading.ts";
import { toJson } from "../../lib/support/log.ts";
import { createRedactor } from "../../lib/support/redact.ts";
import { credentials } from "../../lib/support/secret-forms.ts";
import { fuzz } from "../support/fuzz.ts";
import { answerText, OWN_ACCOUNT, PERSONAL, SECRET } from "./provider-bodies.ts";
import type { JsonValue } from "../../lib/provider/index.ts";

const redactor = createRedactor([...credentials("rzp_test_fuzzed", SECRET), OWN_ACCOUNT]);

const READERS: readonly Reader<unknown>[] = [
  readContact,
  readFundAccount,
  payoutReader(OWN_ACCOUNT),
  readOrder,
  readPayment,
  readRefund,
];
const LISTS: readonly Reader<unknown>[] = [
  payoutsReader(OWN_ACCOUNT),
  readTransactions,
  balancesReader(OWN_ACCOUNT),
  readPayments,
  readRefunds,
];
const CALLS: readonly CallKind[] = [
  "create-payout",
  "cancel-payout",
  "create-refund",
  "create-record",
  "update-record",
  "list",
  "fetch",
];
/** Calls that make something, for which a wrong "refused" would pay twice. */
const MAKES: readonly CallKind[] = ["create-payout", "create-refund", "create-record"];

const httpStatus = fc.oneof(
  fc.constantFrom(200, 201, 202, 204, 301, 400, 401, 403, 404, 408, 409, 422, 429, 500, 502, 504),
  fc.integer({ min: 100, max: 599 }),
);
const question = fc.record({
  call: fc.constantFrom(...CALLS),
  resend: fc.boolean(),
  read: fc.constantFrom(...READERS, ...LISTS),
});
const exchange = fc.record({
  kind: fc.constant("answer" as const),
  httpStatus,
  text: answerText,
  retryAfter: fc.constant(undefined),
});

fuzz({
  "an answer is judged without an error, and what it means is one of four": fc.property(
    exchange,
    question,
    (came, asked) => {
      const { kind } = classify(came, asked, redactor);
      expect(["accepted", "refused", "unknown", "systemic"]).toContain(kind);
    },
  ),

  "nothing is accepted without an id, or without a number of a success": fc.property(
    exchange,
    fc.constantFrom(...READERS),
    (came, read) => {
      const answer = classify(came, { call: "fetch", resend: false, read }, redactor);
      if (answer.kind !== "accepted") return;
      expect(came.httpStatus).toBeGreaterThanOrEqual(200);
      expect(came.httpStatus).toBeLessThan(300);
      expect((answer.value as { id: unknown }).id).toMatch(/^\w+$|redacted/);
    },
  ),

  "nothing is refused, and nothing certain, that may have been accepted": fc.property(
    exchange,
    question,
    (came, asked) => {
      const answer = classify(came, asked, redactor);
      const isCertain =
        answer.kind === "refused" || (answer.kind === "systemic" && answer.certainlyNotAccepted);
      if (!isCertain || !MAKES.includes(asked.call)) return;
      expect([400, 401, 403, 404, 422, 429]).toContain(came.httpStatus);
      expect(asked.resend).toBe(false);
      const { error } = JSON.parse(came.text) as { error: Record<string, unknown> };
      expect(error["code"]).toEqual(expect.stringMatching(/./));
      const words = JSON.stringify(error).toLowerCase();
      expect(words).not.toMatch(/already (exists|processed)|timed out|in progress|went wrong/);
    },
  ),

  "no secret and no personal data is in what is made of an answer": fc.property(
    exchange,
    question,
    (came, asked) => {
      const { body, ...rest } = classify(came, asked, redactor) as { body?: JsonValue };
      const shown = toJson({ body, rest });
      expect(shown).not.toContain(SECRET);
      expect(shown).not.toContain(OWN_ACCOUNT);
      // What a record holds beyond its known fields is not read; notes are ours and are not shown.
      // A bank's reference has the form of an account number, and is kept.
      const kept = toJson(body ?? null).replace(/"(utr|rrn|arn)":"\w*"/g, "");
      for (const part of PERSONAL) expect(kept).not.toContain(part);
    },
  ),

  "what is kept of an answer is kept as it is when it is redacted again": fc.property(
    answerText,
    (text) => {
      const body = parsed(text);
      if (body === undefined) return;
      const once = redactBody(body);
      expect(redactBody(once)).toEqual(once);
    },
  ),
});

function parsed(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
}
