import { defineJob, runIfMain } from "../../lib/job/index.ts";
import { PAYOUT_FAULT_RUNBOOKS } from "../../lib/payouts/state/faults.ts";
import { PROVIDER_RUNBOOKS } from "../../lib/provider/index.ts";
import { razorpayXEnvironment } from "../../lib/razorpay/index.ts";
import { minutes } from "../../lib/support/clock.ts";
import { combineEnvironments } from "../../lib/support/environment.ts";
import { stuckEnvironment, stuckOutputs, stuckTables } from "../../lib/payouts/stuck/index.ts";

export const job = defineJob({
  name: "payouts/handle-stuck-payouts",
  summary: "Asks the provider about each payout whose outcome is in doubt, and settles it.",
  schedule: { cron: "17 1,5,9,13,17,21 * * *" }, // every four hours, 06:47 and on in India
  movesMoney: true,
  lock: { failMode: "closed", ttlMs: minutes(35) },
  deadlineMs: minutes(30),
  pausedBy: "degraded",
  environment: combineEnvironments(razorpayXEnvironment, stuckEnvironment),
  runbooks: {
    ...PROVIDER_RUNBOOKS,
    ...PAYOUT_FAULT_RUNBOOKS,
    "stuck-too-long": "an-outcome-is-unknown",
    "not-recorded": "the-database-refuses-a-row",
    "records-differ": "a-finding-is-open",
  },
  run: async (context) => {
    const { handleStuckPayouts } = await import("../../lib/payouts/stuck/handle-stuck.ts");
    const { openGateway } = await import("../../lib/razorpay/open-gateway.ts");
    return handleStuckPayouts({
      ...context,
      gateway: openGateway(context.settings.razorpayX, context),
    });
  },
  outputs: stuckOutputs,
  summarise: stuckTables,
});

await runIfMain(import.meta, job);
