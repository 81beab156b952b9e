import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  bearsReceipt,
  buildRefundRequest,
  type RefundDetails,
  requestHash,
} from "../../../lib/provider/index.ts";

const details: RefundDetails = {
  amountPaise: 50_000n,
  receipt: "rf-0001-1",
  speed: "normal",
  notes: { run: "r-1", hold: "h-1" },
};

describe("a refund request", () => {
  it("has these bytes and this hash; a change here makes every repeat of a sent request refused", () => {
    const { body, hash } = buildRefundRequest(details);
    expect(body).toBe(
      '{"amount":50000,"speed":"normal","receipt":"rf-0001-1",' +
        '"notes":{"hold":"h-1","receipt":"rf-0001-1","run":"r-1"}}',
    );
    expect(hash).toBe(requestHash(body));
  });

  it("is the same whatever order the notes come in", () => {
    const backwards = buildRefundRequest({ ...details, notes: { hold: "h-1", run: "r-1" } });
    expect(backwards).toEqual(buildRefundRequest(details));
  });

  it("carries every amount exactly", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 100n, max: 10n ** 15n }), (amountPaise) => {
        const { body } = buildRefundRequest({ ...details, amountPaise });
        expect(body).toContain(`"amount":${amountPaise},`);
      }),
    );
  });

  const tooMany = Object.fromEntries(Array.from({ length: 15 }, (_, nth) => [`n${nth}`, ""]));

  it.each<[string, Partial<RefundDetails>]>([
    ["amountPaise", { amountPaise: 99n }],
    ["amountPaise", { amountPaise: 2n ** 53n }],
    ["receipt", { receipt: "" }],
    ["receipt", { receipt: "r".repeat(41) }],
    ["receipt", { receipt: "rf 1" }],
    ["notes", { notes: tooMany }],
    ["notes", { notes: { long: "x".repeat(257) } }],
    ["notes", { notes: { receipt: "another" } }],
  ])("with a wrong %s is not built", (field, change) => {
    expect(() => buildRefundRequest({ ...details, ...change })).toThrow(
      expect.objectContaining({
        code: "REFUND_REQUEST_INVALID",
        message: expect.stringContaining(`${field} must be`) as string,
      }),
    );
  });

  it("may say its own receipt in the notes", () => {
    const notes = { receipt: details.receipt };
    expect(buildRefundRequest({ ...details, notes }).body).toContain('"notes":{"receipt":');
  });
});

describe("a refund's receipt", () => {
  it.each([
    [{ receipt: "rf-1", notes: {} }, true],
    [{ receipt: null, notes: { receipt: "rf-1" } }, true],
    [{ receipt: null, notes: {} }, false],
    [{ receipt: "rf-2", notes: {} }, false],
  ])("of %j is found: %s", (refund, found) => {
    expect(bearsReceipt(refund, "rf-1")).toBe(found);
  });
});
