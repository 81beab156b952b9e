/**
 * Every kind of finding that a job may store. Each has a section in docs/runbooks.md with the steps for a
 * person.
 */
export const FINDING_KINDS = [
  "amount-differs",
  "approval-withdrawn",
  "booked-not-completed",
  "booking-cancelled-and-paid",
  "booking-confirmed-and-refunded",
  "capture-amount-differs",
  "checkout-open-long",
  "closed-here-live-there",
  "codes-look-alike",
  "completed-here-failed-there",
  "completed-not-booked",
  "confirmed-with-tentative-slots",
  "confirmed-without-slots",
  "debt-unpaid-long",
  "dispute-lost",
  "dispute-unmatched",
  "earning-not-booked",
  "earnings-wait-long",
  "foreign-provider-payout",
  "offer-outlasts-plan",
  "order-paid-twice",
  "orphan-not-settled",
  "outside-refund-unmatched",
  "paid-after-meeting",
  "paid-without-earning",
  "payable-drift",
  "payment-disputed",
  "payout-not-of-earnings",
  "payout-transaction-unmatched",
  "payees-share-account",
  "payees-share-pan",
  "plan-refund-refused",
  "posting-without-source",
  "provider-cash-drift",
  "provider-payout-missing",
  "provider-payout-without-row",
  "provider-refund-missing",
  "reference-differs",
  "references-look-alike",
  "refund-amount-differs",
  "refund-failed",
  "refund-made-outside",
  "refund-pending-long",
  "refund-without-earning",
  "refunded-and-not-back",
  "refunding-and-not-asked",
  "seats-miscounted",
  "several-live-payouts",
  "several-refunds",
  "statement-date-wrong",
  "statement-does-not-add-up",
  "tax-deposit-exceeds",
  "tax-differs",
  "tax-payable-drift",
  "tax-profile-contradicts",
  "tax-year-differs",
  "transaction-unbalanced",
  "unexplained-transaction",
  "unrecognised-provider-status",
  "waiting-for-past-plan",
  "wallet-attribution-drift",
  "wallet-balance-drift",
] as const;

export type FindingKind = (typeof FINDING_KINDS)[number];

type Underscored<Text extends string> = Text extends `${infer Head}-${infer Tail}`
  ? `${Head}_${Underscored<Tail>}`
  : Text;

/** A kind as a check of the books is named: in capitals, as `WALLET_BALANCE_DRIFT`. */
export type FindingCode = Uppercase<Underscored<FindingKind>>;

/** The kind that a code names. */
export function kindOfCode(code: FindingCode): FindingKind {
  return code.toLowerCase().replaceAll("_", "-") as FindingKind;
}
