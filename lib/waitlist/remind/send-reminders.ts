import { inTransaction, type DbSession } from "../../db/client.ts";
import { inPages, tryRow } from "../../db/rows.ts";
import { deliverAfter } from "../../notifications/index.ts";
import { enqueueMail } from "../../notifications/mail.ts";
import type { CoreResult, Verdict } from "../../support/verdict.ts";
import { isStopped, type WaitlistPorts } from "../ports.ts";
import type { ReminderSettings } from "../settings.ts";
import {
  countDueReminders,
  countReminderStates,
  dueRemindersAfter,
  lockStandingOffer,
  openReminders,
  reminderKey,
  type DueReminder,
  type ReminderCursor,
} from "./due-reminders.ts";
import {
  countReminder,
  countStates,
  emptyReminderReport,
  type ReminderOutcome,
  type ReminderReport,
} from "./report.ts";

/**
 * Reminds each person whose offer ends soon and has no reminder yet, also in a late run: see
 * docs/jobs/send-expiration-reminders.md. The reminder goes to the outbox under its offer's own key, so that it
 * is there once. It counts as sent when the mail server has taken it. `limit` counts offers.
 */
export async function sendExpirationReminders(
  ports: WaitlistPorts<ReminderSettings>,
): Promise<CoreResult<ReminderReport>> {
  const { db, dryRun, limit, progress, settings, signal } = ports;
  const report = emptyReminderReport(dryRun);
  const count = Math.min(await countDueReminders(db, settings), limit ?? Infinity);
  const mails = await openReminders(db);
  report.open = mails.length;

  const offers = inPages<DueReminder & ReminderCursor>(
    (page) =>
      dueRemindersAfter(db, {
        reminderMs: settings.reminderMs,
        cursor: page.after,
        count: page.count,
      }),
    { most: count },
  );
  for await (const due of offers) {
    if (signal.aborted) return { verdict: { kind: "interrupted" }, report };
    try {
      const outcome = await remind(ports, due);
      report.found++;
      countReminder(report, { entryId: due.entryId, outcome });
      if (outcome === "queued") mails.push(due.entryId);
    } catch (error) {
      return { verdict: { kind: "broken", error }, report };
    }
    progress.update(report.found, count);
  }
  if (isStopped(ports, report)) return { verdict: { kind: "interrupted" }, report };
  Object.assign(report, await deliverAfter(ports));
  if (!dryRun) countStates(report, await countReminderStates(db, mails));
  return { verdict: judge(report, { delivers: settings.mail !== undefined && !dryRun }), report };
}

/** One offer, whose trouble is reported and never stops the others. */
async function remind(
  { db, dryRun, lease, log }: WaitlistPorts<ReminderSettings>,
  { entryId, userId, expiresAt, planTitle, planUrl }: DueReminder,
): Promise<ReminderOutcome> {
  if (dryRun) return "queued";
  lease.assertTrusted();
  const write = (tx: DbSession): Promise<boolean> =>
    enqueueMail(tx, {
      key: reminderKey(entryId),
      userId,
      template: "waitlist-reminder",
      data: { planTitle, planUrl, expiresAt: expiresAt.toISOString() },
      deliverUntil: expiresAt,
    });
  const written = await tryRow(
    () => inTransaction(db, async (tx) => (await lockStandingOffer(tx, entryId)) && write(tx)),
    { log, row: { entryId }, failed: "reminder not written" },
  );
  if (written.kind !== "done") return written.kind;
  return written.value ? "queued" : "gone";
}

function judge(
  { found, queued, gone, locked, failed, waiting }: ReminderReport,
  { delivers }: { delivers: boolean },
): Verdict {
  if (locked + failed > 0 && queued + gone === 0) {
    return {
      kind: "failed",
      code: "work-left-behind",
      message: `${found} people have to be reminded and none was: ${locked} offers are locked by another session, ${failed} failed.`,
      remedy:
        "Look for another session that holds the rows (pg_stat_activity), and at the errors in the log. Run again before the offers end.",
    };
  }
  if (failed > 0) {
    return {
      kind: "partial",
      reason: "reminders-failed",
      message: `${queued} of ${found} reminders were queued; ${failed} failed.`,
      remedy:
        "The log has the error of each offer listed below. They are due again in the next run, until they end.",
    };
  }
  const left = [
    ...(locked > 0
      ? [`${locked} offers were locked by another session and are left to the next run.`]
      : []),
    ...(delivers && waiting > 0
      ? [`${waiting} reminders were not sent yet; notifications/deliver-outbox tries again.`]
      : []),
  ];
  return left.length === 0 ? { kind: "completed" } : { kind: "completed", warning: left.join(" ") };
}
