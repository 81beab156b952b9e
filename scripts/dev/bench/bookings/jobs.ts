import { razorpayPaymentsEnvironment } from "../../../../lib/razorpay/index.ts";
import { combineEnvironments, type EnvironmentSpec } from "../../../../lib/support/environment.ts";
import { openDatabase, type Db } from "../../../../lib/db/client.ts";
import { cleanupTentativeSlots } from "../../../../lib/checkouts/cleanup/cleanup-tentative-slots.ts";
import { cleanupEnvironment } from "../../../../lib/checkouts/index.ts";
import { deliverOutbox } from "../../../../lib/notifications/deliver.ts";
import { mailEnvironment, type MailSettings } from "../../../../lib/notifications/index.ts";
import { openMailer } from "../../../../lib/notifications/smtp-mailer.ts";
import { openPayments } from "../../../../lib/razorpay/open-payments.ts";
import { minutes, systemClock } from "../../../../lib/support/clock.ts";
import { noLease } from "../../../../lib/support/lease.ts";
import { silentLog } from "../../../../lib/support/log.ts";
import { noProgress } from "../../../../lib/support/progress.ts";
import { newUuid, systemRandom } from "../../../../lib/support/random.ts";
import { processExpiredNotifications } from "../../../../lib/waitlist/expire/process-expired.ts";
import { sendExpirationReminders } from "../../../../lib/waitlist/remind/send-reminders.ts";

/** The ports of any job. */
type Ports = ReturnType<typeof portsOf>;

/** A job that handles rows, and says how many it has handled. */
interface RowJob {
  name: string;
  /** The meaning of one row. */
  rows: string;
  run: (ports: Ports, env: Readonly<Record<string, string>>) => Promise<number>;
}

const HOUR_MS = minutes(60);

/** Mail is left to the outbox, so that each job's own work is measured. */
export const rowJobs: readonly RowJob[] = [
  {
    name: "waitlist/process-expired-notifications",
    rows: "offers that ended, each with the next person's offer and two mails queued",
    run: async (ports) => {
      const settings = { offerMs: 24 * HOUR_MS, mail: undefined };
      return (await processExpiredNotifications({ ...ports, settings })).report.advanced;
    },
  },
  {
    name: "waitlist/send-expiration-reminders",
    rows: "reminders queued",
    run: async (ports) => {
      const settings = { reminderMs: 12 * HOUR_MS, mail: undefined };
      return (await sendExpirationReminders({ ...ports, settings })).report.queued;
    },
  },
  {
    name: "slots/cleanup-tentative-slots",
    rows: "holds without an order released",
    run: async (ports, env) => {
      const settings = settingsOf(
        combineEnvironments(razorpayPaymentsEnvironment, cleanupEnvironment),
        { ...env, ...PROVIDER },
      );
      const gateway = openPayments(settings.razorpay, ports);
      return (await cleanupTentativeSlots({ ...ports, settings, gateway })).report.released;
    },
  },
  {
    name: "notifications/deliver-outbox",
    rows: "mails sent over SMTP",
    run: async (ports, env) => {
      const { mail } = settingsOf<{ mail: MailSettings }>(mailEnvironment, env);
      const mailer = openMailer(mail);
      try {
        return (await deliverOutbox({ ...ports, settings: { mail }, mailer })).report.sent;
      } finally {
        mailer.close();
      }
    },
  },
];

/** One run in this process, on one session. How long it took, in ms. */
export async function timeRun(
  job: RowJob,
  { url, env, limit }: { url: string; env: Readonly<Record<string, string>>; limit: number },
): Promise<number> {
  const db = openDatabase({ url, applicationName: "bench", readOnly: false, connections: 1 });
  try {
    await db.query`SELECT 1`;
    const startedAtMs = performance.now();
    const handled = await job.run(portsOf(db, limit), env);
    const ms = performance.now() - startedAtMs;
    if (handled !== limit) throw new Error(`${job.name}: ${handled} of ${limit} were handled`);
    return ms;
  } finally {
    await db.close();
  }
}

/**
 * The time to change `count` rows, one commit each, on one session: the lower limit of every job of this kind.
 */
export async function timeCommits(url: string, count: number): Promise<number> {
  const db = openDatabase({ url, applicationName: "bench", readOnly: false, connections: 1 });
  try {
    await db.query`SELECT 1`;
    const startedAtMs = performance.now();
    for (let n = 1; n <= count; n++) {
      await db.execute`UPDATE bench_commits SET n = n + 1 WHERE id = ${n}`;
    }
    return performance.now() - startedAtMs;
  } finally {
    await db.close();
  }
}

/** Never asked: no hold has an order. */
const PROVIDER = {
  RAZORPAY_KEY_ID: "rzp_test_bench",
  RAZORPAY_KEY_SECRET: "bench",
  RAZORPAY_BASE_URL: "http://127.0.0.1:9",
};

function portsOf(db: Db, limit: number) {
  return {
    runId: newUuid(),
    dryRun: false,
    limit,
    db,
    lease: noLease,
    clock: systemClock,
    random: systemRandom,
    log: silentLog(),
    progress: noProgress,
    signal: new AbortController().signal,
  };
}

function settingsOf<Settings>(
  spec: EnvironmentSpec<Settings>,
  env: Readonly<Record<string, string>>,
): Settings {
  const parsed = spec.parse(env);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.settings;
}
