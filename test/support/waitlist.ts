import type { Db } from "../../lib/db/client.ts";
import type { MailSettings } from "../../lib/notifications/index.ts";
import { systemClock } from "../../lib/support/clock.ts";
import { noLease } from "../../lib/support/lease.ts";
import { silentLog } from "../../lib/support/log.ts";
import { noProgress } from "../../lib/support/progress.ts";
import type { Verdict } from "../../lib/support/verdict.ts";
import { processExpiredNotifications } from "../../lib/waitlist/expire/process-expired.ts";
import type { ExpireReport, ReminderReport } from "../../lib/waitlist/index.ts";
import type { WaitlistPorts } from "../../lib/waitlist/ports.ts";
import { sendExpirationReminders } from "../../lib/waitlist/remind/send-reminders.ts";
import type { TestDatabase } from "./database.ts";

export const OFFER_MS = 24 * 3_600_000;

/** Without `mail` the outbox is left to its own job. */
type RunOptions = Partial<Omit<WaitlistPorts<unknown>, "db" | "settings">> & {
  mail?: MailSettings;
};

/** One run of process-expired-notifications in this process. */
export function runExpire(
  db: Db,
  options: RunOptions = {},
): Promise<{ verdict: Verdict; report: ExpireReport }> {
  return processExpiredNotifications(portsOf(db, { offerMs: OFFER_MS }, options));
}

/** One run of send-expiration-reminders in this process. */
export function runRemind(
  db: Db,
  { reminderMs = 12 * 3_600_000, ...options }: RunOptions & { reminderMs?: number } = {},
): Promise<{ verdict: Verdict; report: ReminderReport }> {
  return sendExpirationReminders(portsOf(db, { reminderMs }, options));
}

function portsOf<Settings>(
  db: Db,
  settings: Settings,
  { mail, ...options }: RunOptions,
): WaitlistPorts<Settings> {
  return {
    dryRun: false,
    limit: undefined,
    settings: { mail, ...settings },
    db,
    lease: noLease,
    clock: systemClock,
    random: () => 0,
    log: silentLog(),
    progress: noProgress,
    signal: new AbortController().signal,
    ...options,
  };
}

/** The statuses of a plan's entries, or of all, in the order in which they joined. */
export async function entryStatuses(
  database: Pick<TestDatabase, "query">,
  planId?: string,
): Promise<string[]> {
  const rows = await database.query<{ status: string }>(
    `SELECT status::text AS status FROM waitlist_entries
     WHERE $1::uuid IS NULL OR plan_id = $1 ORDER BY position`,
    [planId ?? null],
  );
  return rows.map(({ status }) => status);
}

/** The keys of the mails in the outbox, with their state where it is not QUEUED. */
export async function mailKeys(database: Pick<TestDatabase, "query">): Promise<string[]> {
  const rows = await database.query<{ mail: string }>(
    `SELECT key || CASE WHEN status = 'QUEUED' THEN '' ELSE ' ' || status END AS mail
     FROM outbox_mails ORDER BY key`,
  );
  return rows.map(({ mail }) => mail);
}

export async function seatsOf(
  database: Pick<TestDatabase, "query">,
  planId: string,
): Promise<{ capacity: number; booked: number; offered: number } | undefined> {
  const [plan] = await database.query<{ capacity: number; booked: number; offered: number }>(
    "SELECT capacity, booked_seats AS booked, offered_seats AS offered FROM plans WHERE id = $1",
    [planId],
  );
  return plan;
}

/** So many hours pass for plans, offers and mail: what is due, was sent or ends is so much older. */
export async function letOffersAge(
  database: Pick<TestDatabase, "query">,
  hours: number,
): Promise<void> {
  const by = `interval '${hours} hours'`;
  await database.query(`
    SET session_replication_role = replica;
    UPDATE plans SET starts_at = starts_at - ${by};
    UPDATE appointments SET starts_at = starts_at - ${by}, ends_at = ends_at - ${by};
    UPDATE waitlist_entries SET joined_at = joined_at - ${by}, notified_at = notified_at - ${by},
           told_at = told_at - ${by}, expires_at = expires_at - ${by}, ended_at = ended_at - ${by};
    UPDATE outbox_mails SET due_at = due_at - ${by}, deliver_until = deliver_until - ${by},
           created_at = created_at - ${by}, claimed_until = claimed_until - ${by}, settled_at = settled_at - ${by};
    SET session_replication_role = DEFAULT`);
}
