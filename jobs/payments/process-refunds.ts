import { defineJob, runIfMain } from "../../lib/job/index.ts";
import { deliverAfter, deliveredAfterOutputs } from "../../lib/notifications/index.ts";
import {
  REFUND_RUNBOOKS,
  refundEnvironment,
  refundOutputs,
  refundTables,
} from "../../lib/refunds/index.ts";
import { razorpayPaymentsEnvironment } from "../../lib/razorpay/index.ts";
import { minutes } from "../../lib/support/clock.ts";
import { combineEnvironments } from "../../lib/support/environment.ts";

export const job = defineJob({
  name: "payments/process-refunds",
  summary: "Carry out refunds: by card at the provider, to wallets and to referral credit.",
  schedule: { cron: "11,27,41,57 * * * *" }, // every quarter of an hour, off the round minutes
  movesMoney: true,
  lock: { failMode: "closed", ttlMs: minutes(20) },
  deadlineMs: minutes(13),
  pausedBy: "degraded",
  environment: combineEnvironments(razorpayPaymentsEnvironment, refundEnvironment),
  runbooks: REFUND_RUNBOOKS,
  run: async (context) => {
    const { processRefunds } = await import("../../lib/refunds/process-refunds.ts");
    const { openPayments } = await import("../../lib/razorpay/open-payments.ts");
    const payments = openPayments(context.settings.razorpay, context);
    const { verdict, report } = await processRefunds({ ...context, payments });
    return { verdict, report: { ...report, ...(await deliverAfter(context)) } };
  },
  outputs: (report) => ({ ...refundOutputs(report), ...deliveredAfterOutputs(report) }),
  summarise: (report) => refundTables(report),
});

await runIfMain(import.meta, job);
