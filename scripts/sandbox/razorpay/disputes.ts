import type { Clock } from "../../../lib/support/clock.ts";
import type { Account } from "./account.ts";
import type { DisputeState } from "./checkout-states.ts";
import { checkDisputeMove } from "./checkout-states.ts";
import type { JsonObject } from "./fields.ts";
import type { Ids } from "./ids.ts";
import type { Payment } from "./payments.ts";

export const DISPUTE_PHASES = [
  "fraud",
  "retrieval",
  "chargeback",
  "pre_arbitration",
  "arbitration",
] as const;
export type DisputePhase = (typeof DISPUTE_PHASES)[number];

export interface Dispute {
  readonly id: string;
  readonly createdAtSeconds: number;
  readonly payment: Payment;
  readonly amountPaise: number;
  readonly phase: DisputePhase;
  readonly reasonCode: string;
  readonly respondBySeconds: number;
  readonly gatewayDisputeId: string;
  readonly history: { state: DisputeState; at: Date }[];
  state: DisputeState;
  deductedPaise: number;
}

export interface Disputes {
  create(details: {
    payment: Payment;
    amountPaise: number;
    phase: DisputePhase;
    reasonCode: string;
    respondInHours: number;
  }): Dispute;
  get(id: string): Dispute | undefined;
  /** Oldest first. */
  all(): readonly Dispute[];
  /** Lost: the amount leaves the account. Throws `IllegalMove`, or an Error where it is not there. */
  move(dispute: Dispute, to: DisputeState): void;
}

/**
 * Disputes of captured payments. UNVERIFIED: whether the provider lets a disputed payment be refunded; here it does, so
 * that a refund beside a lost dispute is seen to pay twice.
 */
export function createDisputes(options: { account: Account; clock: Clock; ids: Ids }): Disputes {
  const { account, clock, ids } = options;
  const byId = new Map<string, Dispute>();
  return {
    create({ payment, amountPaise, phase, reasonCode, respondInHours }) {
      const nowSeconds = Math.floor(clock.now().getTime() / 1000);
      const id = ids.next("disp");
      const dispute: Dispute = {
        id,
        createdAtSeconds: nowSeconds,
        payment,
        amountPaise,
        phase,
        reasonCode,
        respondBySeconds: nowSeconds + respondInHours * 3_600,
        gatewayDisputeId: `D${id.slice(-8)}`,
        history: [{ state: "open", at: clock.now() }],
        state: "open",
        deductedPaise: 0,
      };
      byId.set(dispute.id, dispute);
      return dispute;
    },
    get: (id) => byId.get(id),
    all: () => [...byId.values()],
    move(dispute, to) {
      checkDisputeMove(dispute.id, dispute.state, to);
      if (to === "lost") {
        account.debit(dispute.amountPaise, () => ({ id: dispute.id, entity: "dispute" }));
        dispute.deductedPaise = dispute.amountPaise;
      }
      dispute.state = to;
      dispute.history.push({ state: to, at: clock.now() });
    },
  };
}

/** A dispute as the API answers it. */
export function disputeJson(dispute: Dispute): JsonObject {
  return {
    id: dispute.id,
    entity: "dispute",
    payment_id: dispute.payment.id,
    amount: dispute.amountPaise,
    currency: "INR",
    amount_deducted: dispute.deductedPaise,
    gateway_dispute_id: dispute.gatewayDisputeId,
    reason_code: dispute.reasonCode,
    respond_by: dispute.respondBySeconds,
    status: dispute.state,
    phase: dispute.phase,
    comments: null,
    created_at: dispute.createdAtSeconds,
    evidence: { amount: dispute.amountPaise, summary: null, submitted_at: null },
  };
}

/** A dispute as the control endpoints and `Sandbox.disputes()` show it. */
export interface DisputeRecord {
  id: string;
  payment_id: string;
  status: DisputeState;
  /** In paise. */
  amount: number;
  amount_deducted: number;
  phase: DisputePhase;
  /** Oldest first; `at` is an ISO time. */
  history: { status: DisputeState; at: string }[];
}

export function disputeRecord(dispute: Dispute): DisputeRecord {
  return {
    id: dispute.id,
    payment_id: dispute.payment.id,
    status: dispute.state,
    amount: dispute.amountPaise,
    amount_deducted: dispute.deductedPaise,
    phase: dispute.phase,
    history: dispute.history.map(({ state, at }) => ({ status: state, at: at.toISOString() })),
  };
}
