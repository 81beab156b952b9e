export const PAYOUT_MODES = ["NEFT", "RTGS", "IMPS", "UPI"] as const;
export type PayoutMode = (typeof PAYOUT_MODES)[number];

/** Made-up prices, in paise: an account's real prices depend on its contract. */
const FEE_PAISE: Readonly<Record<PayoutMode, number>> = {
  NEFT: 200,
  RTGS: 1000,
  IMPS: 500,
  UPI: 300,
};

const GST_PERCENT = 18;

interface Charges {
  /** All that is charged: the price and the GST on it. */
  feesPaise: number;
  /** The GST that `feesPaise` includes: fees of 118 with tax 18 debit the amount and 118. */
  taxPaise: number;
}

export function chargesFor(mode: PayoutMode): Charges {
  const pricePaise = FEE_PAISE[mode];
  const taxPaise = Math.round((pricePaise * GST_PERCENT) / 100);
  return { feesPaise: pricePaise + taxPaise, taxPaise };
}

/**
 * Smallest and greatest amount of each mode, in paise. At exactly ₹2,00,000 (RTGS) and ₹1,00,000 (UPI)
 * the provider's pages disagree; the sandbox accepts both.
 */
export const AMOUNT_LIMITS_PAISE: Readonly<Record<PayoutMode, { least: number; most: number }>> = {
  NEFT: { least: 100, most: Number.MAX_SAFE_INTEGER },
  RTGS: { least: 2_00_000_00, most: Number.MAX_SAFE_INTEGER },
  IMPS: { least: 100, most: 5_00_000_00 },
  UPI: { least: 100, most: 1_00_000_00 },
};
