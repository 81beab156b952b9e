import type { JsonObject } from "./fields.ts";
import { notesJson } from "./fields.ts";
import type { Payout } from "./payout-book.ts";
import type { PayoutState } from "./states.ts";
import { isLive } from "./states.ts";

/** A payout as the API answers it. */
export function payoutJson(payout: Payout): JsonObject {
  const { request } = payout;
  return {
    id: payout.id,
    entity: "payout",
    fund_account_id: request.fundAccount.id,
    amount: request.amountPaise,
    currency: "INR",
    notes: notesJson(request.notes),
    fees: payout.feesPaise,
    tax: payout.taxPaise,
    status: payout.state,
    purpose: request.purpose,
    utr: payout.utr,
    mode: payout.noMode ? null : request.mode,
    reference_id: request.referenceId,
    narration: request.narration,
    batch_id: null,
    ...detailsJson(payout),
    created_at: payout.createdAtSeconds,
    fee_type: null,
  };
}

function detailsJson({ oldDetails, statusDetails }: Payout): JsonObject {
  if (!oldDetails) return { status_details: statusDetails };
  const { description = null, source = null, reason = null } = statusDetails ?? {};
  return {
    failure_reason: description,
    error: { description, source, reason, code: "NA", step: "NA", metadata: {} },
  };
}

/** A payout as the control endpoints and `Sandbox.payouts()` show it. */
export interface PayoutRecord {
  id: string;
  status: PayoutState;
  /** In paise. */
  amount: number;
  reference_id: string | null;
  idempotency_key: string;
  fund_account_id: string;
  mode: string;
  /** Oldest first; `at` is an ISO time. */
  history: { status: PayoutState; at: string; reason: string | null }[];
  /** Money has left or may still leave: not failed, rejected, cancelled or reversed. */
  live: boolean;
}

export function payoutRecord(payout: Payout): PayoutRecord {
  return {
    id: payout.id,
    status: payout.state,
    amount: payout.request.amountPaise,
    reference_id: payout.request.referenceId,
    idempotency_key: payout.idempotencyKey,
    fund_account_id: payout.request.fundAccount.id,
    mode: payout.request.mode,
    history: payout.history.map(({ state, at, reason }) => ({
      status: state,
      at: at.toISOString(),
      reason,
    })),
    live: isLive(payout.state),
  };
}
