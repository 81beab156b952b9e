import { describe, expect, it } from "vitest";
import { chooseMode, DOCUMENTED_REASONS, type RefusedMode } from "../../../lib/provider/index.ts";

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

describe("the mode after the account refused one", () => {
  const imps = { mode: "IMPS", reason: "imps_not_allowed", amountPaise: 500_00n } as const;
  const modeOf = (
    amountPaise: bigint,
    refused: readonly RefusedMode[],
    kind: "vpa" | "bank_account" = "bank_account",
  ): unknown => {
    const choice = chooseMode({ kind, amountPaise, refused });
    return choice.ok ? choice.mode : choice.code;
  };

  it("is NEFT, or RTGS from where that begins, once IMPS is not allowed", () => {
    expect(modeOf(100n, [imps])).toBe("NEFT");
    expect(modeOf(1_99_999_99n, [imps])).toBe("NEFT");
    expect(modeOf(2_00_000_00n, [imps])).toBe("RTGS");
    expect(modeOf(5_00_000_01n, [imps])).toBe("RTGS");
  });

  it("stays NEFT or RTGS where these fail with a reason that names IMPS", () => {
    for (const mode of ["NEFT", "RTGS"] as const) {
      const odd = { ...imps, mode };
      expect(modeOf(1_000_00n, [imps, odd])).toBe("NEFT");
      expect(modeOf(2_00_000_00n, [imps, odd])).toBe("RTGS");
      expect(modeOf(1_000_00n, [odd])).toBe("NEFT");
    }
  });

  it("is none for a VPA once IMPS is not allowed, which carries UPI", () => {
    expect(modeOf(1_000_00n, [{ ...imps, mode: "UPI" }], "vpa")).toBe("NO_MODE_LEFT");
  });

  it("is another one for the amount that was too large and above, and the same one below", () => {
    const limit = {
      mode: "IMPS",
      reason: "transaction_limit_exceeded",
      amountPaise: 1_00_000_00n,
    } as const;
    expect(modeOf(1_00_000_00n, [limit])).toBe("NEFT");
    expect(modeOf(99_999_99n, [limit])).toBe("IMPS");
    expect(modeOf(1_00_000_00n, [limit, { ...limit, mode: "NEFT" }])).toBe("NO_MODE_LEFT");
    expect(modeOf(3_00_000_00n, [limit, { ...limit, mode: "NEFT" }])).toBe("RTGS");
    expect(modeOf(50_000_00n, [{ ...limit, mode: "UPI", amountPaise: 10_000_00n }], "vpa")).toBe(
      "NO_MODE_LEFT",
    );
  });

  it("stays the same after any other reason", () => {
    for (const reason of DOCUMENTED_REASONS) {
      if (["imps_not_allowed", "transaction_limit_exceeded"].includes(reason)) continue;
      expect(modeOf(1_000_00n, [{ ...imps, reason }]), reason).toBe("IMPS");
    }
    expect(modeOf(1_000_00n, [{ ...imps, reason: "not_documented" }])).toBe("IMPS");
  });
});
