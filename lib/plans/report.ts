import type { Paise } from "../support/money.ts";

/** Something of a cancellation that could not be done, and is open until somebody acts. */
export interface OpenItem {
  bookingId: string;
  reference: string;
  /** Null when the whole booking could not be ended. */
  paymentId: string | null;
  amountPaise: Paise;
  code: string;
  message: string;
  remedy: string;
}

/** The result of a cancellation; in a dry run, the expected one. */
export interface CancelPlanReport {
  dryRun: boolean;
  planId: string;
  title: string;
  /** An earlier run had cancelled it: this one went on with what was left. */
  cancelledBefore: boolean;
  /** People who waited or were offered a seat. */
  entriesEnded: number;
  bookingsEnded: number;
  /** Unpaid checkouts, and the money that these held. */
  checkoutsEnded: number;
  walletPaise: Paise;
  creditPaise: Paise;
  refundsAsked: number;
  refundsAskedPaise: Paise;
  /** Payments of which everything had gone back, or was on its way, before this run. */
  refundedBefore: number;
  /** Captured too late: payments/reconcile-late-captures sends them back. */
  lateCaptures: number;
  /** Cancelled by their buyers before, with the money kept: this stays as it was decided. */
  keptBefore: number;
  keptBeforePaise: Paise;
  mails: number;
  open: readonly OpenItem[];
}
