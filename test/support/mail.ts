import { randomUUID } from "node:crypto";
import { startMailSandbox, type MailSandboxOptions } from "../../scripts/sandbox/mail/index.ts";
import type { MailSandbox } from "../../scripts/sandbox/mail/index.ts";
import { openDatabase } from "../../lib/db/client.ts";
import { deliverOutbox, type DeliveryPorts } from "../../lib/notifications/deliver.ts";
import type { MailTemplate } from "../../lib/notifications/mail.ts";
import type { DeliveryReport, MailSettings } from "../../lib/notifications/index.ts";
import { mailEnvironment } from "../../lib/notifications/settings.ts";
import { dryMailer, openMailer } from "../../lib/notifications/smtp-mailer.ts";
import { systemClock, type Clock } from "../../lib/support/clock.ts";
import { silentLog } from "../../lib/support/log.ts";
import type { Verdict } from "../../lib/support/verdict.ts";
import { onTestFinished } from "vitest";
import { seedUser } from "../../scripts/dev/seed/bookings.ts";
import { createTestDatabase, type TestDatabase } from "./database.ts";

export interface MailWorld {
  database: TestDatabase;
  sandbox: MailSandbox;
}

/** A database and a mail server for one test. */
export async function openMailWorld(options: MailSandboxOptions = {}): Promise<MailWorld> {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  const sandbox = await startMailSandbox(options);
  onTestFinished(() => sandbox.close());
  return { database, sandbox };
}

export interface MailSeed {
  template?: MailTemplate | "unheard-of";
  data?: Record<string, unknown>;
  userId?: string;
  /** Of a new reader. */
  name?: string;
  active?: boolean;
  email?: string;
  tries?: number;
  /** Minutes from now until which it is worth sending; negative for the past. */
  deliverMinutes?: number;
}

export const SAMPLE_DATA = {
  planTitle: "Yoga for beginners",
  planUrl: "https://marketplace.example/plans/yoga",
  expiresAt: "2026-11-25T15:37:00.000Z",
  amountPaise: "12345600",
  because: "your account is closed",
  money: "refund",
};

/** A mail that is due; later ones are due later. Its id. */
export async function seedMail(database: TestDatabase, seed: MailSeed = {}): Promise<string> {
  const { template = "waitlist-offer", data = SAMPLE_DATA, tries = 0 } = seed;
  const userId =
    seed.userId ??
    (await seedUser(database, { active: seed.active ?? true, name: seed.name ?? "Asha" }));
  if (seed.email !== undefined) {
    await database.query("UPDATE users SET email = $1 WHERE id = $2", [seed.email, userId]);
  }
  const id = randomUUID();
  await database.query(
    `INSERT INTO outbox_mails (id, key, user_id, template, data, tries, due_at, deliver_until)
     VALUES ($1, $2, $3, $4, $5, $6,
             now() - interval '1 hour' + (SELECT count(*) FROM outbox_mails) * interval '1 millisecond',
             now() + $7::float8 * interval '1 minute')`,
    [id, `test:${id}`, userId, template, data, tries, seed.deliverMinutes ?? null],
  );
  return id;
}

export async function seedMails(database: TestDatabase, count: number): Promise<string[]> {
  const userId = await seedUser(database, { name: "Asha" });
  const ids: string[] = [];
  for (let each = 0; each < count; each += 1) ids.push(await seedMail(database, { userId }));
  return ids;
}

export interface DeliveryOptions {
  database: Pick<TestDatabase, "url">;
  sandbox: Pick<MailSandbox, "env">;
  env?: Record<string, string>;
  dryRun?: boolean;
  limit?: number;
  signal?: AbortSignal;
  mailer?: DeliveryPorts["mailer"];
  random?: () => number;
  clock?: Clock;
  /** Whether payees with a refused account are written to. Default: as the job has it, no. */
  mailRefusedAccounts?: boolean;
}

/** One run of deliver-outbox in this process, as the job makes it. */
export async function runDelivery(
  options: DeliveryOptions,
): Promise<{ verdict: Verdict; report: DeliveryReport }> {
  const { dryRun = false, limit, signal = new AbortController().signal } = options;
  const mail = mailSettings(options);
  const mailer = options.mailer ?? (dryRun ? dryMailer : openMailer(mail));
  const db = openDatabase({
    url: options.database.url,
    applicationName: "delivery under test",
    readOnly: dryRun,
    connections: 1,
  });
  try {
    return await deliverOutbox({
      dryRun,
      limit,
      settings: { mail, mailRefusedAccounts: options.mailRefusedAccounts ?? false },
      db,
      mailer,
      clock: options.clock ?? systemClock,
      random: options.random ?? (() => 0),
      log: silentLog(),
      signal,
    });
  } finally {
    mailer.close();
    await db.close();
  }
}

/** As the job reads them; the wait for an answer is the shortest. */
export function mailSettings({
  sandbox,
  env = {},
}: Pick<DeliveryOptions, "sandbox" | "env">): MailSettings {
  const parsed = mailEnvironment.parse({ SMTP_TIMEOUT_MS: "1000", ...sandbox.env, ...env });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.settings.mail;
}

/** Makes delayed mail due and ends every claim: the effect of hours. */
export async function letHoursPass(database: TestDatabase): Promise<void> {
  await database.query(
    `UPDATE outbox_mails SET due_at = LEAST(due_at, now() - interval '1 minute'),
            claimed_until = CASE WHEN claimed_by IS NOT NULL THEN now() - interval '1 second' END
     WHERE status = 'QUEUED'`,
  );
}

export interface MailRow {
  id: string;
  status: string;
  tries: number;
  last_error: string | null;
  claimed: boolean;
  /** Minutes from now until it is due. */
  due_in: number;
}

/** The outbox, in the order in which it was seeded. */
export function mailRows(database: TestDatabase): Promise<MailRow[]> {
  return database.query<MailRow>(
    `SELECT id, status::text AS status, tries, last_error, claimed_by IS NOT NULL AS claimed,
            round(extract(epoch FROM due_at - now()) / 60)::int AS due_in
     FROM outbox_mails ORDER BY created_at, id`,
  );
}

/** By Message-ID: how often each mail was taken, and how often its sender was told so. */
export function takenById({ sandbox }: Pick<MailWorld, "sandbox">): Map<string, string> {
  const taken = new Map<string, string>();
  for (const { messageId, acknowledged } of sandbox.mails()) {
    taken.set(messageId, `${taken.get(messageId) ?? ""}${acknowledged ? "A" : "?"}`);
  }
  return taken;
}

export function messageId(mailId: string): string {
  return `<mail-${mailId}@marketplace.example>`;
}

export const MAIL_JOB = "jobs/notifications/deliver-outbox.ts";

/** The environment of `MAIL_JOB`. Locks of one database are apart from those of another. */
export function mailJobEnv(
  { database, sandbox }: MailWorld,
  { lockStore = "postgres" }: { lockStore?: "postgres" | "off" } = {},
): Record<string, string> {
  return {
    DATABASE_URL: database.url,
    LOCK_STORE: lockStore,
    AFTERHOURS_ENV: database.environment,
    SMTP_TIMEOUT_MS: "5000",
    ...sandbox.env,
  };
}
