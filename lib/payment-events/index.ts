import { PROVIDER_RUNBOOKS } from "../provider/faults.ts";

/**
 * The provider's news of captured payments: refunds made outside, and disputes. This file is light: the run itself
 * is in `reconcile-payments.ts`, which a job imports dynamically.
 */
export { paymentEventOutputs, paymentEventTables, type PaymentEventReport } from "./report.ts";
export { paymentEventsEnvironment, type PaymentEventSettings } from "./settings.ts";

/** Sections of docs/runbooks.md by the reasons of a run. */
export const PAYMENT_EVENT_RUNBOOKS = {
  ...PROVIDER_RUNBOOKS,
  "events-failed": "a-refund-or-dispute-could-not-be-written",
  "list-refused": "the-provider-does-not-let-us-in",
  "payments-disputed": "a-payment-is-disputed",
  "provider-unanswered": "the-provider-says-nothing-certain-about-an-order",
  "records-differ": "a-finding-is-open",
} as const;
