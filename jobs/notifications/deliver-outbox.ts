import { defineJob, runIfMain } from "../../lib/job/index.ts";
import {
  deliveryEnvironment,
  deliveryOutputs,
  deliveryTables,
} from "../../lib/notifications/index.ts";
import { minutes } from "../../lib/support/clock.ts";

export const job = defineJob({
  name: "notifications/deliver-outbox",
  summary: "Sends the mail that waits in the outbox, each once.",
  schedule: { cron: "3,13,23,33,43,53 * * * *" },
  movesMoney: false,
  lock: { failMode: "open", ttlMs: minutes(10) },
  deadlineMs: minutes(8),
  pausedBy: "offline",
  environment: deliveryEnvironment,
  run: async (context) => {
    const { deliverOutbox } = await import("../../lib/notifications/deliver.ts");
    const { openMailer, dryMailer } = await import("../../lib/notifications/smtp-mailer.ts");
    const mailer = context.dryRun ? dryMailer : openMailer(context.settings.mail);
    try {
      return await deliverOutbox({ ...context, mailer });
    } finally {
      mailer.close();
    }
  },
  outputs: deliveryOutputs,
  summarise: deliveryTables,
});

await runIfMain(import.meta, job);
