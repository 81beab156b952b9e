import { defineJob, runIfMain } from "../../lib/job/index.ts";
import { mailEnvironmentOptional } from "../../lib/notifications/index.ts";
import { minutes } from "../../lib/support/clock.ts";
import { combineEnvironments } from "../../lib/support/environment.ts";
import { reminderEnvironment, reminderOutputs, reminderTables } from "../../lib/waitlist/index.ts";

export const job = defineJob({
  name: "waitlist/send-expiration-reminders",
  summary: "Reminds everyone whose waitlist offer ends soon, once for each offer.",
  schedule: { cron: "41 * * * *" },
  movesMoney: false,
  // The key of the mail makes it be sent once, even by two runs; a reminder that is too late is not sent.
  lock: { failMode: "open", ttlMs: minutes(15) },
  deadlineMs: minutes(10),
  pausedBy: "degraded",
  environment: combineEnvironments(reminderEnvironment, mailEnvironmentOptional),
  runbooks: {
    "reminders-failed": "a-waitlist-run-is-red",
    "work-left-behind": "work-is-left-behind",
  },
  run: async (context) => {
    const { sendExpirationReminders } = await import("../../lib/waitlist/remind/send-reminders.ts");
    return sendExpirationReminders(context);
  },
  outputs: reminderOutputs,
  summarise: reminderTables,
});

await runIfMain(import.meta, job);
