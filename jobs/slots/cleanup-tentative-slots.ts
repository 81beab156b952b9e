import { cleanupEnvironment, cleanupOutputs, cleanupTables } from "../../lib/checkouts/index.ts";
import { defineJob, runIfMain } from "../../lib/job/index.ts";
import { deliverAfter, deliveredAfterOutputs } from "../../lib/notifications/index.ts";
import { PROVIDER_RUNBOOKS } from "../../lib/provider/index.ts";
import { razorpayPaymentsEnvironment } from "../../lib/razorpay/index.ts";
import { minutes } from "../../lib/support/clock.ts";
import { combineEnvironments } from "../../lib/support/environment.ts";

export const job = defineJob({
  name: "slots/cleanup-tentative-slots",
  summary:
    "Frees tentative slots of checkouts that were abandoned a day ago, once the provider says that nothing was paid.",
  schedule: { cron: "7 */2 * * *" }, // every two hours, 05:37 and on in India
  movesMoney: true, // wallet money and credit go back
  lock: { failMode: "closed", ttlMs: minutes(35) },
  deadlineMs: minutes(30),
  pausedBy: "degraded",
  environment: combineEnvironments(razorpayPaymentsEnvironment, cleanupEnvironment),
  runbooks: {
    ...PROVIDER_RUNBOOKS,
    "authorized-too-long": "a-payment-is-authorized-and-not-captured",
    "holds-failed": "work-is-left-behind",
    "provider-unanswered": "the-provider-says-nothing-certain-about-an-order",
    "records-differ": "a-finding-is-open",
  },
  run: async (context) => {
    const { cleanupTentativeSlots } =
      await import("../../lib/checkouts/cleanup/cleanup-tentative-slots.ts");
    const { openPayments } = await import("../../lib/razorpay/open-payments.ts");
    const { verdict, report } = await cleanupTentativeSlots({
      ...context,
      gateway: openPayments(context.settings.razorpay, context),
    });
    return { verdict, report: { ...report, ...(await deliverAfter(context)) } };
  },
  outputs: (report) => ({ ...cleanupOutputs(report), ...deliveredAfterOutputs(report) }),
  summarise: (report) => cleanupTables(report),
});

await runIfMain(import.meta, job);
