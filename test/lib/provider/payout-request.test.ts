import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { buildPayoutRequest, type PayoutDetails } from "../../../lib/provider/index.ts";

const details: PayoutDetails = {
  accountNumber: "7000000000000011",
  fundAccountId: "fa_MadeUp0000001",
  amountPaise: 123_456n,
  mode: "IMPS",
  referenceId: "po-0001-1",
  narration: "Consultation fees",
  notes: { run: "r-1", payout: "p-1" },
};

describe("a payout request", () => {
  it("has these bytes and this hash; a change here makes every repeat of a sent request refused", () => {
    const { body, hash } = buildPayoutRequest(details);
    expect(body).toBe(
      '{"account_number":"7000000000000011","fund_account_id":"fa_MadeUp0000001","amount":123456,' +
        '"currency":"INR","mode":"IMPS","purpose":"payout","queue_if_low_balance":false,' +
        '"reference_id":"po-0001-1","narration":"Consultation fees",' +
        '"notes":{"payout":"p-1","run":"r-1"}}',
    );
    expect(hash).toBe(createHash("sha256").update(Buffer.from(body, "utf8")).digest("hex"));
  });

  it("is the same whatever order the notes come in", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(fc.string({ maxLength: 20 }), fc.string({ maxLength: 20 })), {
          maxLength: 15,
          selector: ([key]) => key,
        }),
        (pairs) => {
          const forwards = buildPayoutRequest({ ...details, notes: Object.fromEntries(pairs) });
          const backwards = buildPayoutRequest({
            ...details,
            notes: Object.fromEntries([...pairs].reverse()),
          });
          expect(backwards.hash).toBe(forwards.hash);
        },
      ),
    );
  });

  it("has another hash when anything that matters differs", () => {
    const hashes = [
      details,
      { ...details, amountPaise: 123_457n },
      { ...details, referenceId: "po-0001-2" },
      { ...details, fundAccountId: "fa_MadeUp0000002" },
      { ...details, mode: "NEFT" as const },
    ].map((each) => buildPayoutRequest(each).hash);
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  it("carries every amount exactly", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 100n, max: 10n ** 15n }), (amountPaise) => {
        const body: unknown = JSON.parse(buildPayoutRequest({ ...details, amountPaise }).body);
        expect(body).toMatchObject({ amount: Number(amountPaise) });
        expect(BigInt(Number(amountPaise))).toBe(amountPaise);
      }),
    );
  });

  it("is kept for the record without our account number", () => {
    const { maskedBody } = buildPayoutRequest(details);
    expect(maskedBody).toMatchObject({ account_number: "[redacted]", amount: 123_456 });
    expect(JSON.stringify(maskedBody)).not.toContain(details.accountNumber);
  });

  it.each<[string, Partial<PayoutDetails>]>([
    ["accountNumber", { accountNumber: "7000 0000" }],
    ["fundAccountId", { fundAccountId: "cont_MadeUp0000001" }],
    ["amountPaise", { amountPaise: 99n }],
    ["amountPaise", { amountPaise: 2n ** 53n }],
    ["referenceId", { referenceId: "" }],
    ["referenceId", { referenceId: "r".repeat(41) }],
    ["narration", { narration: "" }],
    ["narration", { narration: "Fees, June" }],
    ["narration", { narration: "n".repeat(31) }],
    ["notes", { notes: Object.fromEntries([...Array(16).keys()].map((n) => [`k${n}`, "v"])) }],
    ["notes", { notes: { long: "v".repeat(257) } }],
  ])("is refused for a wrong %s", (field, change) => {
    expect(() => buildPayoutRequest({ ...details, ...change })).toThrow(
      expect.objectContaining({
        code: "PAYOUT_REQUEST_INVALID",
        message: expect.stringContaining(field) as string,
      }),
    );
  });

  it("names all that is wrong at once and quotes none of it", () => {
    const wrong = { ...details, accountNumber: "secret number", narration: "Fees, June" };
    expect(() => buildPayoutRequest(wrong)).toThrow(/accountNumber .*narration /);
    expect(() => buildPayoutRequest(wrong)).not.toThrow(/secret number|Fees, June/);
  });
});
