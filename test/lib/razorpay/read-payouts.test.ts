import { describe, expect, it } from "vitest";
import {
  readFundAccount,
  payoutReader,
  payoutsReader,
} from "../../../lib/razorpay/read-entities.ts";
import { payoutBody } from "./provider-double.ts";
import type { JsonValue } from "../../../lib/provider/index.ts";

const readPayout = payoutReader("7878780080316316");
const readPayouts = payoutsReader("7878780080316316");

function read(more: Record<string, JsonValue>): unknown {
  const reading = readPayout(payoutBody(more));
  if (!reading.ok) throw new Error(reading.problem);
  return reading.value;
}

const OLD_ERROR = {
  description: "IMPS is not enabled on beneficiary account, Retry with different mode",
  source: "beneficiary_bank",
  reason: "imps_not_allowed",
  code: "NA",
  step: "NA",
  metadata: {},
};

describe("the reason of a payout's status", () => {
  it.each<[string, Record<string, JsonValue>, string | null, string | null]>([
    [
      "status_details",
      { status_details: { reason: "gateway_down", source: "gateway" }, error: OLD_ERROR },
      "gateway_down",
      "gateway",
    ],
    [
      "the older error, where status_details is null",
      { status_details: null, error: OLD_ERROR },
      "imps_not_allowed",
      "beneficiary_bank",
    ],
    [
      "the older error, where status_details says NA",
      { status_details: { reason: "NA", source: "NA" }, error: OLD_ERROR },
      "imps_not_allowed",
      "beneficiary_bank",
    ],
    [
      "the older sentence, where there is nothing else",
      { failure_reason: "IMPS is not enabled on Beneficiary Account" },
      "imps_is_not_enabled_on_beneficiary_account",
      null,
    ],
    [
      "the older sentence, without what may be personal",
      { failure_reason: "Account 912345678901 of asha@okmadeup is closed" },
      "account_redacted_of_redacted_is_closed",
      null,
    ],
    [
      "the older sentence beside an error that says nothing",
      { error: { reason: "NA", source: null }, failure_reason: "Gateway down" },
      "gateway_down",
      null,
    ],
    ["none, of the wrong type", { status_details: "odd", error: 7, failure_reason: 1 }, null, null],
    ["none, where all is absent", { error: null, failure_reason: "null" }, null, null],
  ])("is %s", (_, more, statusReason, statusSource) => {
    expect(read({ status: "failed", ...more })).toMatchObject({ statusReason, statusSource });
  });

  it("is found where status_details is absent altogether", () => {
    const body = payoutBody({ status: "failed", error: OLD_ERROR });
    delete body["status_details"];
    expect(readPayout(body)).toMatchObject({
      ok: true,
      value: { statusReason: "imps_not_allowed", statusSource: "beneficiary_bank" },
    });
  });
});

describe("a list of payouts", () => {
  it.each<Record<string, JsonValue>>([
    { mode: null },
    { mode: 7 },
    { utr: 12 },
    { fund_account_id: null },
    { fees: null, tax: null },
    { fees: "none" },
    { status_details: [] },
    { error: [] },
    { failure_reason: {} },
  ])("stays readable where one of them has %j", (odd) => {
    const list = { entity: "collection", count: 2, items: [payoutBody(odd), payoutBody()] };
    const reading = readPayouts(list);
    expect(reading.ok && reading.value.map(({ amountPaise }) => amountPaise)).toEqual([
      123_456n,
      123_456n,
    ]);
  });

  it.each<Record<string, JsonValue>>([
    { amount: null },
    { amount: "100" },
    { id: null },
    { status: null },
    { currency: "MYR" },
  ])("is unreadable where one of them has %j: that is money, or whose it is", (odd) => {
    expect(readPayouts({ items: [payoutBody(odd), payoutBody()] })).toMatchObject({ ok: false });
  });
});

describe("a fund account", () => {
  it.each([
    [null, true],
    [true, true],
    [false, false],
  ])("with active %j is active: %j", (active, expected) => {
    const body = { id: "fa_MadeUp1", contact_id: "cont_MadeUp1", account_type: null, active };
    expect(readFundAccount(body)).toMatchObject({ ok: true, value: { active: expected } });
  });
});
