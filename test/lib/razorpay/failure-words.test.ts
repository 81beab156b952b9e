import { describe, expect, it } from "vitest";
import { classify, type CallKind } from "../../../lib/razorpay/classify.ts";
import type { JsonValue } from "../../../lib/provider/index.ts";
import { sampleOf } from "../../support/share.ts";

const CALLS: readonly CallKind[] = [
  "create-payout",
  "create-refund",
  "create-record",
  "update-record",
  "cancel-payout",
  "list",
  "fetch",
];
const CREATES: readonly CallKind[] = ["create-payout", "create-refund", "create-record"];

/** How the provider leaves out what does not apply, and what it fills in all the same. */
const REASONS: readonly Record<string, JsonValue>[] = [
  {},
  { reason: null },
  { reason: "" },
  { reason: "NA" },
  { reason: "null" },
  { reason: "input_validation_failed" },
];

interface Row {
  httpStatus: number;
  call: CallKind;
  error: Record<string, JsonValue>;
  /** As older bodies have it beside the error. */
  outer?: Record<string, JsonValue>;
  resend?: boolean;
}

function verdict({ httpStatus, call, error, outer = {}, resend = false }: Row): string {
  const body = { ...outer, error: { code: "BAD_REQUEST_ERROR", ...error } };
  const answer = classify(
    { kind: "answer", httpStatus, text: JSON.stringify(body), retryAfter: undefined },
    { call, resend, read: () => ({ ok: false, problem: "an error is no record" }) },
  );
  switch (answer.kind) {
    case "unknown":
      return `unknown ${answer.cause}`;
    case "systemic":
      return `systemic ${answer.fault}${answer.certainlyNotAccepted ? ", certainly" : ""}`;
    case "accepted":
    case "refused":
      return answer.kind;
  }
}

/** Every number and shape in which these words may come. */
function everywhere(
  { numbers, calls }: { numbers: readonly number[]; calls: readonly CallKind[] },
  description: string,
): string[] {
  const cases: Row[] = [];
  for (const httpStatus of numbers)
    for (const call of calls)
      for (const reason of REASONS)
        for (const outer of [{}, { statusCode: httpStatus }])
          for (const source of [{}, { source: null }, { source: "business" }, { source: "NA" }]) {
            const error = { description, step: "NA", metadata: {}, ...reason, ...source };
            cases.push({ httpStatus, call, error, outer });
          }
  return [...new Set(sampleOf(cases).map(verdict))];
}

const TURNED_DOWN = [400, 401, 403, 404, 422, 429];
const ANY_NUMBER = [...TURNED_DOWN, 402, 405, 408, 409, 410, 412, 423, 500, 502, 503, 504];

const FAULTS: readonly [fault: string, words: readonly string[]][] = [
  [
    "insufficient-balance",
    [
      "Your account does not have enough balance to carry out the payout operation.",
      "Your account does not have enough balance to carry out the refund operation. You can add funds to your account.",
      "your account doesn’t have enough balance",
      "Account doesn't have sufficient funds",
      "Insufficient balance in your account",
      "INSUFFICIENT  FUNDS!",
      "Payout failed due to insufficient funds in your account.",
      "Not enough balance",
      "Low balance",
      "Your balance is too low for this payout",
    ],
  ],
  [
    "not-allow-listed",
    [
      "Transactions from this IP are not allowed. Contact support for help.",
      "transactions from this ip are not allowed",
      "Your IP address is not whitelisted",
      "This IP isn't allow-listed",
      "Requests are not allowed from this IP address",
      "Access Denied",
      "This operation is not allowed. Please contact Razorpay support for details.",
      "This operation is not permitted; contact support",
    ],
  ],
  [
    "wrong-address",
    [
      "The requested URL was not found on the server.",
      "the requested url was not found on the server",
      "The  requested URL, was not found on the server!",
      "URL not found",
      "This feature is not enabled for your account",
      "Payouts are not enabled for this merchant",
    ],
  ],
  [
    "credentials",
    [
      "Authentication failed",
      "The api key/secret provided is invalid",
      "The API {key/secret} provided is invalid.",
      "The api key provided is invalid",
      "The api key has expired",
      "Please provide your api key for authentication purposes.",
      "The OAuth token used in the request was invalid or has expired",
    ],
  ],
  ["rate-limited", ["Too many requests", "Request was throttled", "Rate limit exceeded"]],
];

describe("words that name a fault of every request", () => {
  it.each(FAULTS.flatMap(([fault, words]) => words.map((text) => [fault, text] as const)))(
    "%s: %s",
    (fault, text) => {
      expect(everywhere({ numbers: TURNED_DOWN, calls: CALLS }, text)).toEqual([
        `systemic ${fault}, certainly`,
      ]);
      const doubtful = ANY_NUMBER.filter((number) => !TURNED_DOWN.includes(number));
      expect(everywhere({ numbers: doubtful, calls: CALLS }, text)).toEqual([`systemic ${fault}`]);
    },
  );

  it.each([
    ["insufficient_funds", "insufficient-balance"],
    ["low_balance", "insufficient-balance"],
    ["authentication_failed", "credentials"],
    ["ip_not_allowed", "not-allow-listed"],
  ])("the reason %s is %s without any words", (reason, fault) => {
    for (const call of CALLS) {
      expect(verdict({ httpStatus: 400, call, error: { reason } })).toBe(
        `systemic ${fault}, certainly`,
      );
    }
  });

  it.each(FAULTS.map(([fault, [text]]) => [fault, text ?? ""] as const))(
    "%s in answer to a repeat stops the run, and says nothing of the earlier request",
    (fault, description) => {
      for (const call of CREATES) {
        expect(verdict({ httpStatus: 400, call, resend: true, error: { description } })).toBe(
          `systemic ${fault}`,
        );
      }
    },
  );

  it("is not certain where the body also speaks of the provider's own failure", () => {
    const description = "Your account does not have enough balance";
    for (const doubt of [{ source: "internal" }, { reason: "server_error" }]) {
      const error = { description, ...doubt };
      expect(verdict({ httpStatus: 400, call: "create-payout", error })).toBe(
        "systemic insufficient-balance",
      );
    }
  });

  it("is not certain in a body that is not in the provider's format", () => {
    for (const body of [
      { message: "The requested URL was not found on the server." },
      { error: "The requested URL was not found on the server." },
      { error: { description: "The requested URL was not found on the server." } },
    ]) {
      const answer = classify(
        { kind: "answer", httpStatus: 400, text: JSON.stringify(body), retryAfter: undefined },
        { call: "create-payout", resend: false, read: () => ({ ok: false, problem: "none" }) },
      );
      expect(answer).toMatchObject({
        kind: "systemic",
        fault: "wrong-address",
        certainlyNotAccepted: false,
      });
    }
  });
});

describe("words that speak of an earlier request", () => {
  it.each([
    "Different request body sent for the same Idempotency Header.",
    "Different request body sent for the same Idempotency Header",
    "different request body sent for the same idempotency key",
    "The request body must be the same as the first one for this X-Payout-Idempotency key",
    "Different request with the same idempotency key has already been processed.",
    "Another request with the same idempotency key is still in progress.",
    "Failed to fetch idempotency record",
    "Duplicate receipt",
    "A payout with this reference id already exists",
    "The receipt is already used",
    "Request failed because another payment operation is in progress",
    "A refund for this receipt has already been initiated",
    "Your request is being processed",
  ])("leave a create in doubt: %s", (text) => {
    const numbers = ANY_NUMBER.filter((number) => number < 500);
    expect(everywhere({ numbers, calls: CREATES }, text)).toEqual(["unknown conflict"]);
    expect(everywhere({ numbers: [500, 502, 503, 504], calls: CREATES }, text)).toEqual([
      "unknown server-error",
    ]);
  });

  it.each([
    "Idempotency key is missing. Include idempotency header and key in the request.",
    "Idempotency key is mandatory.",
    "The idempotency key must be at least 10 characters long.",
    "The idempotency key must only contain alphanumeric characters, underscores, and hyphens",
  ])("are not those on the form of the key: %s", (text) => {
    expect(everywhere({ numbers: [400, 422], calls: CREATES }, text)).toEqual(["refused"]);
  });

  it("leave a refused cancellation a refusal", () => {
    const error = { description: "The payout has already been processed" };
    expect(verdict({ httpStatus: 400, call: "cancel-payout", error })).toBe("refused");
  });
});

describe("a failure on the provider's side", () => {
  const doubtful: readonly [name: string, error: Record<string, JsonValue>][] = [
    ["source internal", { source: "internal", reason: "input_validation_failed" }],
    ["source INTERNAL", { source: "INTERNAL", reason: null }],
    ["source gateway", { source: "gateway" }],
    ["reason server_error", { source: "business", reason: "server_error" }],
    ["reason server_error_temporary", { reason: "server_error_temporary" }],
    ["reason SERVER_ERROR", { reason: "SERVER_ERROR" }],
    ["reason gateway_technical_error", { reason: "gateway_technical_error" }],
    ["code SERVER_ERROR", { code: "SERVER_ERROR" }],
    ["code GATEWAY_ERROR", { code: "GATEWAY_ERROR" }],
    [
      "its own words",
      {
        description:
          "We are facing some trouble completing your request at the moment. Please try again shortly.",
      },
    ],
    ["something went wrong", { description: "Something went wrong, please try again" }],
    ["a technical error", { description: "Technical error at Razorpay's server" }],
    ["an internal error", { description: "Internal server error - Failed to parse request body" }],
  ];

  it.each(doubtful)("named by %s is a doubt at every number of a refusal", (_, error) => {
    for (const call of CALLS) {
      for (const httpStatus of [400, 404, 422, 500, 502]) {
        expect({ call, httpStatus, verdict: verdict({ httpStatus, call, error }) }).toEqual({
          call,
          httpStatus,
          verdict: "unknown server-error",
        });
      }
    }
  });

  it.each(doubtful)("named by %s makes no other fault certain", (_, error) => {
    expect(verdict({ httpStatus: 401, call: "create-payout", error })).toBe("systemic credentials");
    expect(verdict({ httpStatus: 403, call: "create-payout", error })).toBe(
      "systemic not-allow-listed",
    );
    expect(verdict({ httpStatus: 429, call: "create-payout", error })).toBe(
      "systemic rate-limited",
    );
  });

  it("is told by the older statusCode as well", () => {
    const row = { httpStatus: 400, error: {}, outer: { statusCode: 500 } };
    expect(verdict({ ...row, call: "create-payout" })).toBe("unknown server-error");
  });
});

describe("the refusal of one request", () => {
  it.each([
    "The account number is invalid",
    "Invalid IFSC Code in Bank Account",
    "The amount must be at least INR 1.00.",
    "The amount may not be greater than 100000.",
    "The amount is less than the fund account allows",
    "IMPS is not enabled on beneficiary account, Retry with different mode",
    "IMPS mode is not allowed for this amount",
    "UPI is not allowed for fund account type bank_account",
    "The fund account is inactive",
    "The id provided does not exist",
    "pay_29QQoUBi66xm2f is not a valid id",
    "The VPA address is not registered",
    "Payouts to this bank account are not allowed",
    "The payment has been fully refunded already.",
    "The refund amount provided is greater than amount captured.",
    "The payment is older than 6 months",
    "extra_field is/are not required and should not be sent",
    "Payout is not in pending state and cannot be approved or rejected.",
    "The contact name contains characters that are not allowed",
    "Beneficiary bank systems are offline. Please retry after 30 min.",
    "Payout amount greater than the limit supported by the beneficiary account.",
    "The narration field is required",
  ])("stays one: %s", (text) => {
    expect(everywhere({ numbers: [400, 422], calls: CREATES }, text)).toEqual(["refused"]);
  });

  it("has no reason where the provider writes that there is none", () => {
    for (const reason of ["NA", "na", "N/A", "null", "NULL", " ", "", null]) {
      const body = { error: { code: "BAD_REQUEST_ERROR", description: "No", reason, field: "NA" } };
      const answer = classify(
        { kind: "answer", httpStatus: 400, text: JSON.stringify(body), retryAfter: undefined },
        { call: "create-payout", resend: false, read: () => ({ ok: false, problem: "none" }) },
      );
      expect(answer).toMatchObject({ kind: "refused", failure: { reason: null, field: null } });
    }
  });
});

it.each([{ code: "The request timed out" }, { reason: "something_went_wrong" }])(
  "words of a failure of the provider count in every field: %j",
  (words) => {
    const error = { description: "", source: "business", ...words };
    for (const httpStatus of TURNED_DOWN)
      expect(verdict({ httpStatus, call: "create-payout", error })).toMatch(/^unknown|^systemic/);
    expect(verdict({ httpStatus: 400, call: "create-payout", error })).toBe("unknown server-error");
  },
);
