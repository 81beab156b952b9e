import { defineJob, runIfMain } from "../../lib/job/index.ts";
import {
  PAYMENT_EVENT_RUNBOOKS,
  paymentEventOutputs,
  paymentEventsEnvironment,
  paymentEventTables,
} from "../../lib/payment-events/index.ts";
import { razorpayPaymentsEnvironment } from "../../lib/razorpay/index.ts";
import { minutes } from "../../lib/support/clock.ts";
import { combineEnvironments } from "../../lib/support/environment.ts";

export const job = defineJob({
  name: "payments/reconcile-payments",
  summary:
    "Reads refunds made in the provider's dashboard, and disputes: books them, and holds consultants.",
  schedule: { cron: "33 * * * *" }, // every hour
  movesMoney: true, // it charges consultants
  lock: { failMode: "closed", ttlMs: minutes(45) },
  deadlineMs: minutes(38),
  pausedBy: "degraded",
  environment: combineEnvironments(razorpayPaymentsEnvironment, paymentEventsEnvironment),
  runbooks: PAYMENT_EVENT_RUNBOOKS,
  run: async (context) => {
    const { reconcilePayments } = await import("../../lib/payment-events/reconcile-payments.ts");
    const { openPayments } = await import("../../lib/razorpay/open-payments.ts");
    return reconcilePayments({
      ...context,
      gateway: openPayments(context.settings.razorpay, context),
    });
  },
  outputs: (report) => paymentEventOutputs(report),
  summarise: (report) => paymentEventTables(report),
});

await runIfMain(import.meta, job);
