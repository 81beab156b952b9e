/** How a payout travels. Case-sensitive at the provider. */
export type PayoutMode = "UPI" | "IMPS" | "NEFT" | "RTGS";
