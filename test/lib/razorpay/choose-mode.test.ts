import { describe, expect, it } from "vitest";
import { chooseMode } from "../../../lib/razorpay/index.ts";

describe("the mode of a payout to a bank account", () => {
  it.each([
    [100n, "IMPS"],
    [2_00_000_00n, "IMPS"],
    [5_00_000_00n, "IMPS"],
    [5_00_000_01n, "RTGS"],
    [90_00_000_00n, "RTGS"],
  ])("of %d paise is %s", (amountPaise, mode) => {
    expect(chooseMode({ kind: "bank_account", amountPaise })).toEqual({ ok: true, mode });
  });

  it("is NEFT for large amounts where that is configured", () => {
    const payout = { kind: "bank_account", amountPaise: 5_00_000_01n } as const;
    expect(chooseMode(payout, { largeMode: "NEFT" })).toEqual({ ok: true, mode: "NEFT" });
  });

  it("is NEFT above a lowered IMPS limit, up to where RTGS begins", () => {
    const settings = { impsMaximumPaise: 1_00_000_00n };
    const modeOf = (amountPaise: bigint): unknown =>
      chooseMode({ kind: "bank_account", amountPaise }, settings);
    expect(modeOf(1_99_999_99n)).toEqual({ ok: true, mode: "NEFT" });
    expect(modeOf(2_00_000_00n)).toEqual({ ok: true, mode: "RTGS" });
  });
});

describe("the mode of a payout to a VPA", () => {
  it("is UPI up to one lakh rupees", () => {
    const payout = { kind: "vpa", amountPaise: 1_00_000_00n } as const;
    expect(chooseMode(payout)).toEqual({ ok: true, mode: "UPI" });
  });

  it("is refused above, never split and never sent by another mode", () => {
    expect(chooseMode({ kind: "vpa", amountPaise: 1_00_000_01n })).toEqual({
      ok: false,
      code: "AMOUNT_ABOVE_UPI_LIMIT",
      maximumPaise: 1_00_000_00n,
    });
  });
});

describe("an amount below one rupee", () => {
  it.each(["vpa", "bank_account"] as const)("is refused for a %s", (kind) => {
    for (const amountPaise of [99n, 0n, -100n]) {
      expect(chooseMode({ kind, amountPaise })).toMatchObject({
        ok: false,
        code: "AMOUNT_BELOW_MINIMUM",
      });
    }
  });
});
