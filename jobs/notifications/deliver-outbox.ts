import { defineJob, runIfMain } from "../../lib/job/index.ts";
import {
  deliveryEnvironment,
  deliveryOutputs,
  deliveryTables,
} from "../../lib/notifications/index.ts";
import { minutes } from "../../lib/support/clock.ts";

const NO_MAIL = "no-mail-goes-out";

export const job = defineJob({
  name: "notifications/deliver-outbox",
  summary: "Sends the mail that waits in the outbox, each once.",
  schedule: { cron: "3,13,23,33,43,53 * * * *" },
  movesMoney: false,
  lock: { failMode: "open", ttlMs: minutes(10) },
  deadlineMs: minutes(8),
  pausedBy: "offline",
  environment: deliveryEnvironment,
  runbooks: {
    "mail-given-up": "mail-was-given-up",
    "mail-not-taken": NO_MAIL,
    "mail-server-unreachable": NO_MAIL,
    "mail-server-busy": NO_MAIL,
    "mail-tls-failed": NO_MAIL,
    "mail-login-refused": NO_MAIL,
    "mail-sender-refused": NO_MAIL,
    "mail-template-missing": NO_MAIL,
    "work-left-behind": "work-is-left-behind",
  },
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
