import type { AnyJob } from "../lib/job/index.ts";
import { job as reconcileLedger } from "./ledger/reconcile-ledger.ts";
import { job as deliverOutbox } from "./notifications/deliver-outbox.ts";
import { job as tellPayees } from "./notifications/tell-payees.ts";
import { job as prune } from "./ops/prune.ts";
import { job as cancelPending } from "./payments/cancel-pending.ts";
import { job as processRefunds } from "./payments/process-refunds.ts";
import { job as reconcileLateCaptures } from "./payments/reconcile-late-captures.ts";
import { job as reconcilePayments } from "./payments/reconcile-payments.ts";
import { job as createPayoutBatch } from "./payouts/create-payout-batch.ts";
import { job as handleStuckPayouts } from "./payouts/handle-stuck-payouts.ts";
import { job as processPayouts } from "./payouts/process-payouts.ts";
import { job as reconcilePayoutStatus } from "./payouts/reconcile-payout-status.ts";
import { job as cleanupTentativeSlots } from "./slots/cleanup-tentative-slots.ts";
import { job as processExpiredNotifications } from "./waitlist/process-expired-notifications.ts";
import { job as sendExpirationReminders } from "./waitlist/send-expiration-reminders.ts";

/** Every job but the watchdog, which reads this list: a file that waits for itself never starts. */
export const watchedJobs: readonly AnyJob[] = [
  createPayoutBatch,
  processPayouts,
  handleStuckPayouts,
  reconcilePayoutStatus,
  reconcileLedger,
  cleanupTentativeSlots,
  cancelPending,
  reconcileLateCaptures,
  processRefunds,
  reconcilePayments,
  tellPayees,
  deliverOutbox,
  processExpiredNotifications,
  sendExpirationReminders,
  prune,
];
