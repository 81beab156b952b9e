import type { Payout } from "./payout-book.ts";

/** The cause shown by a debit for a payout. */
export function payoutSource(payout: Payout): Record<string, unknown> {
  return {
    id: payout.id,
    entity: "payout",
    fund_account_id: payout.request.fundAccount.id,
    amount: payout.request.amountPaise,
    reference_id: payout.request.referenceId,
    fees: payout.feesPaise,
    tax: payout.taxPaise,
    status: payout.state,
    utr: payout.utr,
    mode: payout.request.mode,
    created_at: payout.createdAtSeconds,
    fee_type: null,
  };
}

/** The cause shown by a credit for returned money of a payout. */
export function reversalSource(id: string, payout: Payout): Record<string, unknown> {
  return {
    id,
    entity: "reversal",
    payout_id: payout.id,
    amount: payout.request.amountPaise,
    fee: payout.feesPaise,
    tax: payout.taxPaise,
    currency: "INR",
    utr: payout.utr,
  };
}
