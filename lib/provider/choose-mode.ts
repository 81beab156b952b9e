import type { Paise } from "../support/money.ts";
import type { PayoutMode } from "./payout-mode.ts";
import { speaksAgainst, type RefusedMode } from "./reasons.ts";

export type { PayoutMode };

export interface ModeSettings {
  /** The most that one UPI payout carries; default ₹1,00,000, included. */
  upiMaximumPaise: Paise;
  /** Up to here, included, a bank account is paid by IMPS, at once on every day; default ₹5,00,000. */
  impsMaximumPaise: Paise;
  /** The mode for amounts above IMPS, which waits for bank days; default RTGS. */
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
  | { ok: false; code: "AMOUNT_ABOVE_UPI_LIMIT"; maximumPaise: Paise }
  /** The account has refused every mode by which this amount could go. */
  | { ok: false; code: "NO_MODE_LEFT"; refused: readonly PayoutMode[] };

/** The provider pays nothing below ₹1. */
export const MINIMUM_PAYOUT_PAISE: Paise = 100n;

/**
 * How a payout travels. A VPA takes UPI only, so a larger amount to a VPA is refused: splitting one
 * obligation over several payouts would break "one obligation, one live payout".
 *
 * IMPS is preferred as far as it goes; it also avoids the amounts at which the provider's pages
 * disagree (RTGS at exactly ₹2,00,000). A mode that the account refused before is passed over.
 */
export function chooseMode(
  payout: {
    kind: "vpa" | "bank_account";
    amountPaise: Paise;
    /** The modes that the account refused earlier. */
    refused?: readonly RefusedMode[];
  },
  settings: Partial<ModeSettings> = {},
): ModeChoice {
  const all = { ...defaultModeSettings, ...settings };
  const { kind, amountPaise, refused = [] } = payout;
  if (amountPaise < MINIMUM_PAYOUT_PAISE) {
    return { ok: false, code: "AMOUNT_BELOW_MINIMUM", minimumPaise: MINIMUM_PAYOUT_PAISE };
  }
  if (kind === "vpa" && amountPaise > all.upiMaximumPaise) {
    return { ok: false, code: "AMOUNT_ABOVE_UPI_LIMIT", maximumPaise: all.upiMaximumPaise };
  }
  const possible = kind === "vpa" ? (["UPI"] as const) : modesFor(amountPaise, all);
  const mode = possible.find(
    (each) => !refused.some((earlier) => speaksAgainst(earlier, { mode: each, amountPaise })),
  );
  return mode ? { ok: true, mode } : { ok: false, code: "NO_MODE_LEFT", refused: possible };
}

/** By which modes an amount can go to a bank account, the best first. */
function modesFor(
  amountPaise: Paise,
  { impsMaximumPaise, largeMode, rtgsMinimumPaise }: ModeSettings,
): PayoutMode[] {
  const large: PayoutMode[] = largeMode === "RTGS" ? ["RTGS", "NEFT"] : ["NEFT", "RTGS"];
  return [
    ...(amountPaise <= impsMaximumPaise ? (["IMPS"] as const) : []),
    ...large.filter((mode) => mode !== "RTGS" || amountPaise >= rtgsMinimumPaise),
  ];
}
