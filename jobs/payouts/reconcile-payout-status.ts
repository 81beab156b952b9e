import { defineJob, runIfMain } from "../../lib/job/index.ts";
import { PROVIDER_RUNBOOKS } from "../../lib/provider/index.ts";
import { razorpayXEnvironment } from "../../lib/razorpay/index.ts";
import { minutes } from "../../lib/support/clock.ts";
import { combineEnvironments } from "../../lib/support/environment.ts";
import {
  reconcileEnvironment,
  reconcileOutputs,
  reconcileTables,
} from "../../lib/payouts/reconcile/index.ts";

export const job = defineJob({
  name: "payouts/reconcile-payout-status",
  summary:
    "Compares the provider's list with our payouts, records changed states, and closes the account's days.",
  schedule: { cron: "47 2,8,14,20 * * *" }, // every six hours, 08:17 and on in India
  movesMoney: true,
  lock: { failMode: "closed", ttlMs: minutes(35) },
  deadlineMs: minutes(30),
  pausedBy: "degraded",
  environment: combineEnvironments(razorpayXEnvironment, reconcileEnvironment),
  runbooks: {
    ...PROVIDER_RUNBOOKS,
    "account-not-listed": PROVIDER_RUNBOOKS["account-refused"],
    "records-differ": "a-finding-is-open",
  },
  run: async (context) => {
    const { reconcilePayoutStatus } =
      await import("../../lib/payouts/reconcile/reconcile-status.ts");
    const { openGateway } = await import("../../lib/razorpay/open-gateway.ts");
    return reconcilePayoutStatus({
      ...context,
      gateway: openGateway(context.settings.razorpayX, context),
    });
  },
  outputs: reconcileOutputs,
  summarise: reconcileTables,
});

await runIfMain(import.meta, job);
