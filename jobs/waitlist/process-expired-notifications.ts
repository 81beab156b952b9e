import { defineJob, runIfMain } from "../../lib/job/index.ts";
import { mailEnvironmentOptional } from "../../lib/notifications/index.ts";
import { minutes } from "../../lib/support/clock.ts";
import { combineEnvironments } from "../../lib/support/environment.ts";
import { expireOutputs, expireTables, waitlistEnvironment } from "../../lib/waitlist/index.ts";

export const job = defineJob({
  name: "waitlist/process-expired-notifications",
  summary: "Ends the waitlist offers whose time has passed, and offers each free seat on.",
  schedule: { cron: "9 * * * *" },
  movesMoney: false,
  // Its rows are guarded by compare-and-swap under the plan's lock; a seat that waits is worse than two runs.
  lock: { failMode: "open", ttlMs: minutes(15) },
  deadlineMs: minutes(10),
  pausedBy: "degraded",
  environment: combineEnvironments(waitlistEnvironment, mailEnvironmentOptional),
  runbooks: {
    "plans-failed": "a-waitlist-run-is-red",
    "offers-not-mailed": "a-waitlist-run-is-red",
    "work-left-behind": "work-is-left-behind",
  },
  run: async (context) => {
    const { processExpiredNotifications } =
      await import("../../lib/waitlist/expire/process-expired.ts");
    return processExpiredNotifications(context);
  },
  outputs: expireOutputs,
  summarise: expireTables,
});

await runIfMain(import.meta, job);
