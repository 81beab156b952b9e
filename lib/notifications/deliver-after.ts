import { minutes } from "../support/clock.ts";
import type { DeliveryPorts } from "./deliver.ts";
import { countDue } from "./outbox.ts";
import { emptyDeliveryReport } from "./report.ts";
import type { MailSettings } from "./settings.ts";

export interface DeliverAfterPorts extends Omit<
  DeliveryPorts,
  "limit" | "settings" | "mailer" | "progress" | "givesUp"
> {
  /** Undefined without `SMTP_URL`: all is left to notifications/deliver-outbox. */
  readonly settings: { readonly mail: MailSettings | undefined };
}

/** Fields in the report of a job that wrote mail. */
export interface DeliveredAfter {
  mailsSent: number;
  /** Due and not sent, for notifications/deliver-outbox; null when that could not be found out. */
  mailsLeft: number | null;
}

const MOST_MAILS = 200;
const MOST_MS = minutes(1);

/**
 * For the end of a job that wrote mail: delivers all due mail, of any job, for a minute at most. Does not change
 * the job's result: it never throws, failures are logged, and unsent mail stays due for
 * notifications/deliver-outbox. Gives no mail up either, since nobody would be told. Sends nothing in a dry run,
 * without settings, or once the signal has fired. Call it after the last transaction, and outside of any.
 */
export async function deliverAfter(ports: DeliverAfterPorts): Promise<DeliveredAfter> {
  const { dryRun, db, log, settings } = ports;
  const report = emptyDeliveryReport(dryRun);
  try {
    if (settings.mail && !dryRun && !ports.signal.aborted) {
      await deliver({ ...ports, settings: { mail: settings.mail } }, report);
    }
  } catch (error) {
    // Only its kind: the text of a database's error may quote a row.
    const type = error instanceof Error ? error.constructor.name : typeof error;
    log.warn({ type }, "mail could not be delivered; it is left to notifications/deliver-outbox");
  }
  try {
    return { mailsSent: report.sent, mailsLeft: (await countDue(db)).due };
  } catch {
    return { mailsSent: report.sent, mailsLeft: null };
  }
}

/** The same as step outputs. */
export function deliveredAfterOutputs(report: DeliveredAfter): Record<string, number | string> {
  return { mails_sent: report.mailsSent, mails_left: report.mailsLeft ?? "" };
}

async function deliver(
  ports: DeliverAfterPorts & { settings: { mail: MailSettings } },
  report: ReturnType<typeof emptyDeliveryReport>,
): Promise<void> {
  const { deliverDue } = await import("./deliver.ts");
  const { openMailer } = await import("./smtp-mailer.ts");
  const mailer = openMailer(ports.settings.mail);
  const bound = AbortSignal.any([ports.signal, AbortSignal.timeout(MOST_MS)]);
  try {
    const fault = await deliverDue(
      { ...ports, mailer, signal: bound, limit: MOST_MAILS, givesUp: false },
      report,
    );
    if (fault) {
      ports.log.warn(
        { code: fault.code, detail: fault.detail },
        "mail could not be delivered; it is left to notifications/deliver-outbox",
      );
    }
  } finally {
    mailer.close();
  }
}
