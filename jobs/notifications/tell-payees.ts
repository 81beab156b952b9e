import { defineJob, runIfMain } from "../../lib/job/index.ts";
import { tellOutputs, tellPayeesEnvironment, tellTables } from "../../lib/notifications/index.ts";
import { minutes } from "../../lib/support/clock.ts";

export const job = defineJob({
  name: "notifications/tell-payees",
  summary:
    "Writes mails to payees about payouts, holds and money that waits, where a setting says so.",
  schedule: { cron: "29 * * * *" }, // before the delivery at 33 minutes
  movesMoney: false,
  // The key of each mail makes it be written once, even by two runs.
  lock: { failMode: "open", ttlMs: minutes(15) },
  deadlineMs: minutes(10),
  pausedBy: "degraded",
  environment: tellPayeesEnvironment,
  runbooks: { "mails-not-written": "payees-are-not-told" },
  run: async (context) => {
    const { tellPayees } = await import("../../lib/notifications/tell-payees/tell-payees.ts");
    return tellPayees(context);
  },
  outputs: tellOutputs,
  summarise: tellTables,
});

await runIfMain(import.meta, job);
