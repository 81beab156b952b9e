import { cleanupTentativeSlots } from "../../../lib/checkouts/cleanup/cleanup-tentative-slots.ts";
import { deliverOutbox } from "../../../lib/notifications/deliver.ts";
import { dryMailer } from "../../../lib/notifications/smtp-mailer.ts";
import { cancelPending } from "../../../lib/checkouts/cancel/cancel-pending.ts";
import { reconcileLateCaptures } from "../../../lib/checkouts/late/reconcile-late-captures.ts";
import { reconcilePayments } from "../../../lib/payment-events/reconcile-payments.ts";
import { processRefunds } from "../../../lib/refunds/process-refunds.ts";
import { minutes } from "../../../lib/support/clock.ts";
import type { Lease } from "../../../lib/support/lease.ts";
import { silentLog } from "../../../lib/support/log.ts";
import { noProgress } from "../../../lib/support/progress.ts";
import { processExpiredNotifications } from "../../../lib/waitlist/expire/process-expired.ts";
import { sendExpirationReminders } from "../../../lib/waitlist/remind/send-reminders.ts";
import {
  JOBS,
  runJob,
  underLock,
  wordOf,
  type JobEnd,
  type JobName,
  type JobOptions,
} from "../jobs.ts";
import { databaseOf } from "../ports.ts";
import type { SimulatedProcess } from "../process.ts";
import { mailerOf, paymentsOf } from "./ports.ts";
import type { Market } from "./world.ts";

const HOUR_MS = 3_600_000;
export const OFFER_MS = 24 * HOUR_MS;
const HOLDS = {
  offerMs: OFFER_MS,
  untouchedMs: 24 * HOUR_MS,
  endsBeforeMs: 3 * HOUR_MS,
  alarmMs: 72 * HOUR_MS,
};
const REFUNDS = {
  waitMs: HOUR_MS,
  unknownAlarmMs: 24 * HOUR_MS,
  pendingAlarmMs: 10 * 24 * HOUR_MS,
};
const LATE = {
  openMs: minutes(15),
  lookBackMs: 7 * 24 * HOUR_MS,
  askAgainMs: minutes(25),
  refunds: REFUNDS,
};

/** The jobs of the bookings, and those that pay out what they earn. */
export const MARKET_JOBS = [
  "expire",
  "remind",
  "cleanup",
  "cancel",
  "late",
  "refunds",
  "events",
  "deliver",
  ...JOBS,
] as const;
export type MarketJob = (typeof MARKET_JOBS)[number];

/** One run of a job, as the harness does it. */
export async function runMarketJob(
  market: Market,
  process: SimulatedProcess,
  job: MarketJob,
  options: JobOptions = {},
): Promise<JobEnd> {
  if (isOfThePayoutCycle(job)) return runJob(market, process, job, options);
  return underLock(market, process, { ...options, job }, (lease) =>
    core(market, process, job, { ...options, lease }),
  );
}

function isOfThePayoutCycle(job: MarketJob): job is JobName {
  return (JOBS as readonly string[]).includes(job);
}

async function core(
  market: Market,
  process: SimulatedProcess,
  job: Exclude<MarketJob, JobName>,
  { dryRun = false, limit, lease }: JobOptions & { lease: Lease },
): Promise<JobEnd> {
  const { arena } = market;
  const ports = {
    runId: process.runId,
    dryRun,
    limit,
    db: databaseOf(market, process, arena.sessions[dryRun ? "dry" : process.slot]),
    gateway: paymentsOf(market, process, arena.payments[dryRun ? "dry" : "real"]),
    lease,
    clock: process.clock,
    random: () => 0,
    log: silentLog(),
    progress: noProgress,
    signal: process.stop.signal,
  };
  switch (job) {
    case "expire": {
      const settings = { offerMs: OFFER_MS, mail: undefined };
      const { verdict, report } = await processExpiredNotifications({ ...ports, settings });
      const { found, advanced, expired, offered } = report;
      const said = `${wordOf(verdict)}, found ${found}: ${advanced} moved on, ${expired} expired, ${offered} offered`;
      return { verdict, said };
    }
    case "remind": {
      const settings = { reminderMs: 12 * HOUR_MS, mail: undefined };
      const { verdict, report } = await sendExpirationReminders({ ...ports, settings });
      return { verdict, said: `${wordOf(verdict)}, found ${report.found}` };
    }
    case "cleanup": {
      const { verdict, report } = await cleanupTentativeSlots({ ...ports, settings: HOLDS });
      const { found, released, captured, slotsReleased } = report;
      const said = `${wordOf(verdict)}, found ${found}: ${released} released, ${captured} captured, ${slotsReleased} slots free`;
      return { verdict, said };
    }
    case "cancel": {
      const target = await chooseCheckout(market, process);
      if (target === undefined) return { said: "nothing to cancel" };
      const { verdict, report } = await cancelPending({ ...ports, settings: HOLDS }, target);
      return { verdict, said: `${target.name}: ${report.result} ${report.why ?? ""}`.trim() };
    }
    case "late": {
      const settings = { ...HOLDS, ...LATE };
      const { verdict, report } = await reconcileLateCaptures({ ...ports, settings });
      const { asked, captured, booked, refunded } = report;
      const said = `${wordOf(verdict)}, asked ${asked}: ${captured} captured, ${booked} booked again, ${refunded} refunded`;
      return { verdict, said };
    }
    case "refunds": {
      const { verdict, report } = await processRefunds({
        ...ports,
        payments: ports.gateway,
        settings: REFUNDS,
      });
      const { found, processed, pending, failed, unknown } = report;
      const said = `${wordOf(verdict)}, found ${found}: ${processed} processed, ${pending} pending, ${failed} failed, ${unknown} unknown`;
      return { verdict, said };
    }
    case "events": {
      const settings = { lookBackMs: 180 * 24 * HOUR_MS };
      const { verdict, report } = await reconcilePayments({ ...ports, settings });
      const { booked, disputed, kept, lost, unmatched, waiting } = report;
      const said = `${wordOf(verdict)}, ${booked} booked, ${disputed} disputed, ${kept} kept, ${lost} lost, ${unmatched} unmatched, ${waiting} waiting`;
      return { verdict, said };
    }
    case "deliver": {
      const mailer = dryRun ? dryMailer : mailerOf(market, process);
      try {
        const { verdict, report } = await deliverOutbox({
          ...ports,
          mailer,
          settings: { mail: { maxTries: 8 } },
        });
        const { due, sent, retriedLater, gaveUp } = report;
        const said = `${wordOf(verdict)}, due ${due}: ${sent} sent, ${retriedLater} later, ${gaveUp} given up`;
        return { verdict, said };
      } finally {
        mailer.close();
      }
    }
  }
}

/** Somebody's checkout, mostly one that is open. */
async function chooseCheckout(
  { arena, chance, scheduler }: Market,
  process: SimulatedProcess,
): Promise<{ paymentId: string; userId: string; name: string } | undefined> {
  const rows = await scheduler.turn(process, () =>
    arena.database.query<{ paymentId: string; userId: string; name: string; open: boolean }>(
      `SELECT payment.id AS "paymentId", payment.user_id AS "userId", booking.reference AS name,
              payment.status = 'PENDING' AS open
       FROM payments AS payment JOIN bookings AS booking ON booking.id = payment.booking_id
       ORDER BY booking.reference, payment.created_at, payment.id`,
    ),
  );
  const open = rows.filter(({ open: isOpen }) => isOpen);
  const from = open.length > 0 && chance.happens(0.8) ? open : rows;
  return from.length === 0 ? undefined : chance.pick(from);
}
