import type { Paise } from "../support/money.ts";

/** Case-sensitive at the provider. */
export type PayoutMode = "UPI" | "IMPS" | "NEFT" | "RTGS";

export interface ModeSettings {
  /** The most that one UPI payout carries; default ₹1,00,000, included. */
  upiMaximumPaise: Paise;
  /** Up to here, included, a bank account is paid by IMPS, at once on every day; default ₹5,00,000. */
  impsMaximumPaise: Paise;
  /** What is above IMPS goes by this mode, which waits for bank days; default RTGS. */
  largeMode: "RTGS" | "NEFT";
  /** Below this there is no RTGS, so NEFT is used; default ₹2,00,000. */
  rtgsMinimumPaise: Paise;
}

export const defaultModeSettings: ModeSettings = {
  upiMaximumPaise: 1_00_000_00n,
  impsMaximumPaise: 5_00_000_00n,
  largeMode: "RTGS",
  rtgsMinimumPaise: 2_00_000_00n,
};

export type ModeChoice =
  | { ok: true; mode: PayoutMode }
  | { ok: false; code: "AMOUNT_BELOW_MINIMUM"; minimumPaise: Paise }
  | { ok: false; code: "AMOUNT_ABOVE_UPI_LIMIT"; maximumPaise: Paise };

/** The provider pays nothing below ₹1. */
export const MINIMUM_PAYOUT_PAISE: Paise = 100n;

/**
 * How a payout travels. A VPA takes UPI only, so a larger amount to a VPA is refused: splitting one
 * obligation over several payouts would break "one obligation, one live payout".
 *
 * IMPS is preferred as far as it goes; it also avoids the amounts at which the provider's pages
 * disagree (RTGS at exactly ₹2,00,000).
 */
export function chooseMode(
  payout: { kind: "vpa" | "bank_account"; amountPaise: Paise },
  settings: Partial<ModeSettings> = {},
): ModeChoice {
  const { upiMaximumPaise, impsMaximumPaise, largeMode, rtgsMinimumPaise } = {
    ...defaultModeSettings,
    ...settings,
  };
  const { kind, amountPaise } = payout;
  if (amountPaise < MINIMUM_PAYOUT_PAISE) {
    return { ok: false, code: "AMOUNT_BELOW_MINIMUM", minimumPaise: MINIMUM_PAYOUT_PAISE };
  }
  if (kind === "vpa") {
    return amountPaise <= upiMaximumPaise
      ? { ok: true, mode: "UPI" }
      : { ok: false, code: "AMOUNT_ABOVE_UPI_LIMIT", maximumPaise: upiMaximumPaise };
  }
  if (amountPaise <= impsMaximumPaise) return { ok: true, mode: "IMPS" };
  if (largeMode === "RTGS" && amountPaise >= rtgsMinimumPaise) return { ok: true, mode: "RTGS" };
  return { ok: true, mode: "NEFT" };
}
