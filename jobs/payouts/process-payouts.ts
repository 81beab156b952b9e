import { defineJob, runIfMain } from "../../lib/job/index.ts";
import { payoutEnvironment, payoutOutputs, payoutTables } from "../../lib/payouts/pay/index.ts";
import { PAYOUT_FAULT_RUNBOOKS } from "../../lib/payouts/state/faults.ts";
import { PROVIDER_RUNBOOKS } from "../../lib/provider/index.ts";
import { razorpayXEnvironment } from "../../lib/razorpay/index.ts";
import { minutes } from "../../lib/support/clock.ts";
import { combineEnvironments } from "../../lib/support/environment.ts";

export const job = defineJob({
  name: "payouts/process-payouts",
  summary:
    "Pays every approved consultant payout, then those of organizations: claims, withholds tax, sends, records the answer.",
  schedule: { cron: "37 15 * * 1" }, // Mondays, 21:07 in India
  movesMoney: true,
  lock: { failMode: "closed", ttlMs: minutes(35) },
  deadlineMs: minutes(30),
  pausedBy: "degraded",
  environment: combineEnvironments(razorpayXEnvironment, payoutEnvironment),
  runbooks: {
    ...PROVIDER_RUNBOOKS,
    ...PAYOUT_FAULT_RUNBOOKS,
    "payouts-failed": "payouts-failed",
    "outcome-unknown": "an-outcome-is-unknown",
    "payouts-left": "work-is-left-behind",
    "work-left-behind": "work-is-left-behind",
    "final-state-not-recorded": "the-database-refuses-a-row",
    "cap-exceeded": "a-cap-is-exceeded",
  },
  run: async (context) => {
    const { processPayouts } = await import("../../lib/payouts/pay/process-payouts.ts");
    const { openGateway } = await import("../../lib/razorpay/open-gateway.ts");
    return processPayouts({
      ...context,
      gateway: openGateway(context.settings.razorpayX, context),
    });
  },
  outputs: payoutOutputs,
  summarise: payoutTables,
});

await runIfMain(import.meta, job);
