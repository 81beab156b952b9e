import { defineJob, runIfMain } from "../../lib/job/index.ts";
import { deliverAfter, deliveredAfterOutputs } from "../../lib/notifications/index.ts";
import {
  CANCEL_REASONS,
  checkoutEnvironment,
  cancelOutputs,
  cancelTables,
  isCancelReason,
} from "../../lib/checkouts/index.ts";
import { razorpayPaymentsEnvironment } from "../../lib/razorpay/index.ts";
import { minutes } from "../../lib/support/clock.ts";
import { combineEnvironments } from "../../lib/support/environment.ts";
import { isUuid } from "../../lib/support/uuid.ts";

const uuidOnly = (text: string): string | undefined =>
  isUuid(text) ? undefined : "expected a UUID.";

const reasonOnly = (text: string): string | undefined =>
  isCancelReason(text) ? undefined : `expected one of ${CANCEL_REASONS.join(", ")}.`;

export const job = defineJob({
  name: "payments/cancel-pending",
  summary:
    "Ends one open checkout: its slots are free, and its wallet money and credit are returned.",
  schedule: "by-hand",
  flags: [
    { name: "payment-id", description: "the checkout to end, a UUID", problemWith: uuidOnly },
    { name: "user-id", description: "the user whose it is, a UUID", problemWith: uuidOnly },
    {
      name: "reason",
      description:
        "for whom it ends: cancelled-by-buyer, declined (by the consultant) or cancelled",
      problemWith: reasonOnly,
      default: "cancelled",
    },
  ],
  movesMoney: true, // wallet money and credit go back
  lock: "none",
  deadlineMs: minutes(5),
  pausedBy: "degraded",
  environment: combineEnvironments(razorpayPaymentsEnvironment, checkoutEnvironment),
  run: async (context) => {
    const { cancelPending } = await import("../../lib/checkouts/cancel/cancel-pending.ts");
    const { openPayments } = await import("../../lib/razorpay/open-payments.ts");
    const { "payment-id": paymentId, "user-id": userId, reason } = context.flags;
    const { verdict, report } = await cancelPending(
      { ...context, gateway: openPayments(context.settings.razorpay, context) },
      { paymentId, userId, because: isCancelReason(reason) ? reason : "cancelled" },
    );
    return { verdict, report: { ...report, ...(await deliverAfter(context)) } };
  },
  outputs: (report) => ({ ...cancelOutputs(report), ...deliveredAfterOutputs(report) }),
  summarise: (report) => cancelTables(report),
});

await runIfMain(import.meta, job);
