import { recordAudit } from "../audit/audit-log.ts";
import { inTransaction, type Db } from "../db/client.ts";
import { inPages } from "../db/rows.ts";
import { isForEveryRow, isLockConflict } from "../db/sqlstate.ts";
import { errorCode, toError } from "../support/errors.ts";
import type { Progress } from "../support/progress.ts";
import { closeWaitlist, countWaiting } from "../waitlist/close-waitlist.ts";
import {
  endBooking,
  planEndOfBooking,
  type Cancellation,
  type EndedBooking,
} from "./end-booking.ts";
import {
  bookingsToEndAfter,
  countBookingsToEnd,
  countLeftAlone,
  type BookingToEnd,
} from "./find-bookings.ts";
import {
  readPlanToCancel,
  refusalOf,
  type PlanToCancel,
  type RefusedPlan,
} from "./plan-to-cancel.ts";
import { remedyOf } from "./remedies.ts";
import type { CancelPlanReport, OpenItem } from "./report.ts";

export interface PlanCancelled extends Cancellation {
  /** Also one that has begun or is over: everybody gets all of the money back. */
  althoughBegun: boolean;
  dryRun: boolean;
}

interface CancelPorts {
  db: Db;
  progress: Progress;
}

/**
 * Cancels a webinar or class as one thing. First, in one transaction, the plan is marked, from when on no seat of it
 * is offered or booked, and its waitlist ends. Then each booking ends in a transaction of its own. Stopped anywhere and
 * run again, or run twice at once, it comes to the same end: every step looks at the rows under their locks.
 */
export async function cancelPlan(
  ports: CancelPorts,
  wanted: PlanCancelled,
): Promise<RefusedPlan | { kind: "done"; report: CancelPlanReport }> {
  const { db, progress } = ports;
  const { planId, dryRun } = wanted;
  const marked = dryRun ? await planMark(db, wanted) : await mark(db, wanted);
  if (marked.kind === "refused") return marked;

  const { plan, entriesEnded } = marked;
  const left = await countLeftAlone(db, planId);
  const report: CancelPlanReport & { open: OpenItem[] } = {
    dryRun,
    planId,
    title: plan.title,
    cancelledBefore: plan.cancelledAt !== null,
    entriesEnded,
    bookingsEnded: 0,
    checkoutsEnded: 0,
    walletPaise: 0n,
    creditPaise: 0n,
    refundsAsked: 0,
    refundsAskedPaise: 0n,
    ...left,
    mails: entriesEnded,
    open: [],
  };
  const total = await countBookingsToEnd(db, planId);
  let done = 0;
  const bookings = inPages<BookingToEnd>(({ after, count }) =>
    bookingsToEndAfter(db, { planId, after: after?.id, count }),
  );
  for await (const booking of bookings) {
    await handle(ports, { booking, wanted, report });
    progress.update(++done, total);
  }
  return { kind: "done", report };
}

type Marked = { kind: "marked"; plan: PlanToCancel; entriesEnded: number } | RefusedPlan;

async function planMark(db: Db, wanted: PlanCancelled): Promise<Marked> {
  const plan = await readPlanToCancel(db, wanted.planId, { forUpdate: false });
  const refused = refusalOf(plan, wanted);
  if (refused || !plan) return refused ?? unreachable();
  return { kind: "marked", plan, entriesEnded: await countWaiting(db, plan.id) };
}

async function mark(db: Db, wanted: PlanCancelled): Promise<Marked> {
  const { planId, by, reason, althoughBegun } = wanted;
  return inTransaction(db, async (tx): Promise<Marked> => {
    const plan = await readPlanToCancel(tx, planId, { forUpdate: true });
    const refused = refusalOf(plan, wanted);
    if (refused || !plan) return refused ?? unreachable();
    if (plan.cancelledAt !== null) return { kind: "marked", plan, entriesEnded: 0 };
    await tx.execute`
      UPDATE plans SET cancelled_at = now(), cancelled_by = ${by}, cancel_reason = ${reason}
      WHERE id = ${planId}::uuid AND cancelled_at IS NULL`;
    const entriesEnded = await closeWaitlist(tx, planId);
    await recordAudit(tx, {
      actor: by,
      category: "plan",
      action: "cancelled",
      subjectType: "plan",
      subjectId: planId,
      reason,
      detail: { entriesEnded, althoughBegun: althoughBegun && plan.hasBegun },
    });
    return { kind: "marked", plan, entriesEnded };
  });
}

function unreachable(): never {
  throw new Error("a plan that is not there was not refused");
}

/** One booking, whose trouble is reported and never stops the others. */
async function handle(
  { db }: CancelPorts,
  {
    booking,
    wanted,
    report,
  }: {
    booking: BookingToEnd;
    wanted: PlanCancelled;
    report: CancelPlanReport & { open: OpenItem[] };
  },
): Promise<void> {
  const item = { bookingId: booking.id, reference: booking.reference };
  try {
    const ended = wanted.dryRun
      ? await planEndOfBooking(db, booking.id, wanted)
      : await endBooking(db, booking.id, wanted);
    count(report, ended);
    if (ended.refusal) {
      report.open.push({ ...item, ...ended.refusal, remedy: remedyOf(ended.refusal.code) });
    }
  } catch (error) {
    if (isForEveryRow(error)) throw error;
    const isBusy = isLockConflict(error);
    const code = isBusy ? "BUSY" : (errorCode(error) ?? "UNEXPECTED_ERROR");
    const message = isBusy ? "other sessions change its rows" : toError(error).message;
    report.open.push({
      ...item,
      paymentId: null,
      amountPaise: 0n,
      code,
      message,
      remedy: remedyOf(code),
    });
  }
}

function count(report: CancelPlanReport, ended: EndedBooking): void {
  if (ended.ended) report.bookingsEnded += 1;
  if (ended.checkoutEnded) report.checkoutsEnded += 1;
  report.walletPaise += ended.walletPaise;
  report.creditPaise += ended.creditPaise;
  if (ended.refundPaise !== null) {
    report.refundsAsked += 1;
    report.refundsAskedPaise += ended.refundPaise;
  }
  if (ended.mailed) report.mails += 1;
}
