import { readAudit, type RecordedAuditEntry } from "../audit/audit-log.ts";
import type { DbSession } from "../db/client.ts";
import type { Paise } from "../support/money.ts";
import { countBookingsToEnd, countLeftAlone, type LeftAlone } from "./find-bookings.ts";

export interface PlanDetails {
  id: string;
  title: string;
  kind: string;
  consultantRef: string;
  startsAt: Date | null;
  capacity: number | null;
  bookedSeats: number;
  offeredSeats: number;
  cancelledAt: Date | null;
  cancelledBy: string | null;
  reason: string | null;
  bookings: readonly Counted[];
  payments: readonly (Counted & { amountPaise: Paise })[];
  waitlist: readonly Counted[];
  /** Of a cancelled plan. */
  cancellation: CancellationState | null;
  audit: readonly RecordedAuditEntry[];
}

interface Counted {
  status: string;
  count: number;
}

/** How far a cancellation is. */
interface CancellationState extends LeftAlone {
  /** Bookings that it has not ended, or whose money was not asked back. */
  bookingsToEnd: number;
  refunds: readonly (Counted & { amountPaise: Paise })[];
  /** Payments whose money is still with us, though their bookings were ended by the cancellation. */
  notAskedBack: readonly NotAskedBack[];
}

interface NotAskedBack {
  paymentId: string;
  reference: string;
  amountPaise: Paise;
  /** Why the refund was refused; null when it was not asked for yet. */
  code: string | null;
}

/** Everything about one plan. Nothing when there is none of that id. */
export async function showPlan(db: DbSession, planId: string): Promise<PlanDetails | undefined> {
  const [plan] = await db.query<
    Omit<PlanDetails, "bookings" | "payments" | "waitlist" | "cancellation" | "audit">[]
  >`
    SELECT plan.id, plan.title, plan.kind::text AS kind, owner.external_ref AS "consultantRef",
           plan.starts_at AS "startsAt", plan.capacity, plan.booked_seats AS "bookedSeats",
           plan.offered_seats AS "offeredSeats", plan.cancelled_at AS "cancelledAt",
           plan.cancelled_by AS "cancelledBy", plan.cancel_reason AS reason
    FROM plans AS plan JOIN consultants AS owner ON owner.id = plan.consultant_id
    WHERE plan.id = ${planId}::uuid`;
  if (!plan) return undefined;
  return {
    ...plan,
    bookings: await db.query<Counted[]>`
      SELECT status::text AS status, count(*)::int AS count FROM bookings
      WHERE plan_id = ${planId}::uuid GROUP BY bookings.status ORDER BY bookings.status`,
    payments: await db.query<(Counted & { amountPaise: Paise })[]>`
      SELECT payment.status::text AS status, count(*)::int AS count,
             sum(payment.amount_paise)::bigint AS "amountPaise"
      FROM payments AS payment JOIN bookings AS booking ON booking.id = payment.booking_id
      WHERE booking.plan_id = ${planId}::uuid GROUP BY payment.status ORDER BY payment.status`,
    waitlist: await db.query<Counted[]>`
      SELECT status::text AS status, count(*)::int AS count FROM waitlist_entries
      WHERE plan_id = ${planId}::uuid GROUP BY waitlist_entries.status ORDER BY waitlist_entries.status`,
    cancellation: plan.cancelledAt === null ? null : await cancellationOf(db, planId),
    audit: await readAudit(db, { subjectType: "plan", subjectId: planId }),
  };
}

async function cancellationOf(db: DbSession, planId: string): Promise<CancellationState> {
  const prefix = `plan-cancelled:${planId}:`;
  return {
    ...(await countLeftAlone(db, planId)),
    bookingsToEnd: await countBookingsToEnd(db, planId),
    refunds: await db.query<(Counted & { amountPaise: Paise })[]>`
      SELECT refund.status::text AS status, count(*)::int AS count,
             sum(refund.amount_paise)::bigint AS "amountPaise"
      FROM refunds AS refund
      JOIN payments AS payment ON payment.id = refund.payment_id
      JOIN bookings AS booking ON booking.id = payment.booking_id
      WHERE booking.plan_id = ${planId}::uuid AND refund.key = ${prefix} || payment.id
      GROUP BY refund.status ORDER BY refund.status`,
    notAskedBack: await db.query<NotAskedBack[]>`
      SELECT payment.id AS "paymentId", booking.reference, payment.amount_paise AS "amountPaise",
             (SELECT details->>'code' FROM findings
              WHERE kind = 'plan-refund-refused' AND subject_type = 'payment'
                AND subject_id = payment.id::text
              ORDER BY last_seen_at DESC LIMIT 1) AS code
      FROM payments AS payment JOIN bookings AS booking ON booking.id = payment.booking_id
      WHERE booking.plan_id = ${planId}::uuid AND payment.status = 'PAID'
        AND booking.ended_because = 'plan-cancelled'
      ORDER BY booking.reference`,
  };
}
