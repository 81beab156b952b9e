import { defineJob, runIfMain } from "../../lib/job/index.ts";
import { minutes } from "../../lib/support/clock.ts";
import { batchEnvironment, batchOutputs, batchTables } from "../../lib/payouts/batch/index.ts";

export const job = defineJob({
  name: "payouts/create-payout-batch",
  summary:
    "Makes one payout for each consultant out of everything that is due; small ones are approved at once.",
  schedule: { cron: "37 9 * * 1" }, // Mondays, 15:07 in India, six hours before the payouts are sent
  movesMoney: true,
  lock: { failMode: "closed", ttlMs: minutes(35) },
  deadlineMs: minutes(30),
  pausedBy: "degraded",
  environment: batchEnvironment,
  runbooks: {
    "consultants-refused": "consultants-are-refused",
    "changed-meanwhile": "work-is-left-behind",
    "work-left-behind": "work-is-left-behind",
  },
  run: async (context) => {
    const { createPayoutBatch } = await import("../../lib/payouts/batch/create-batch.ts");
    return createPayoutBatch(context);
  },
  outputs: batchOutputs,
  summarise: batchTables,
});

await runIfMain(import.meta, job);
