import { defineJob, runIfMain } from "../../lib/job/index.ts";
import { deliverAfter, deliveredAfterOutputs } from "../../lib/notifications/index.ts";
import { lateEnvironment, lateOutputs, lateTables } from "../../lib/checkouts/index.ts";
import { razorpayPaymentsEnvironment } from "../../lib/razorpay/index.ts";
import { REFUND_RUNBOOKS } from "../../lib/refunds/index.ts";
import { minutes } from "../../lib/support/clock.ts";
import { combineEnvironments } from "../../lib/support/environment.ts";

export const job = defineJob({
  name: "payments/reconcile-late-captures",
  summary:
    "Finds payments that nobody reported, and books or refunds those that came after their hold had ended.",
  schedule: { cron: "7,21,37,51 * * * *" }, // every quarter of an hour
  movesMoney: true,
  lock: { failMode: "closed", ttlMs: minutes(20) },
  deadlineMs: minutes(13),
  pausedBy: "degraded",
  environment: combineEnvironments(razorpayPaymentsEnvironment, lateEnvironment),
  runbooks: {
    ...REFUND_RUNBOOKS, // the same run sends the refunds that it asks for
    "late-payments-failed": "a-late-payment-could-not-be-settled",
  },
  run: async (context) => {
    const { reconcileLateCaptures } =
      await import("../../lib/checkouts/late/reconcile-late-captures.ts");
    const { openPayments } = await import("../../lib/razorpay/open-payments.ts");
    const { verdict, report } = await reconcileLateCaptures({
      ...context,
      gateway: openPayments(context.settings.razorpay, context),
    });
    return { verdict, report: { ...report, ...(await deliverAfter(context)) } };
  },
  outputs: (report) => ({ ...lateOutputs(report), ...deliveredAfterOutputs(report) }),
  summarise: (report) => lateTables(report),
});

await runIfMain(import.meta, job);
