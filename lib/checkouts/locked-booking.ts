import { sql, type DbSession, type SqlPart } from "../db/client.ts";
import type { EndReason } from "../waitlist/end-reason.ts";

type BookingStatus = "PENDING" | "APPROVED_PENDING_PAYMENT" | "CONFIRMED" | "CANCELLED";
export type PaymentStatus = "PENDING" | "PAID" | "EXPIRED" | "ORPHANED" | "REFUNDING" | "REFUNDED";

interface LockedPlan {
  id: string;
  title: string;
  url: string;
  /** Webinar or class: its seats are counted, and offered to the waitlist. */
  isGroup: boolean;
  /** Neither booked nor promised to somebody of the waitlist; 0 for a plan without seats. */
  freeSeats: number;
  /** It does not take place: nothing of it is booked any more. */
  isCancelled: boolean;
}

export interface LockedPayment {
  id: string;
  status: PaymentStatus;
  /** Of all legs. */
  amountPaise: bigint;
  /** Of the card leg: the amount that the provider is to capture. Null when nothing is paid by card. */
  cardPaise: bigint | null;
  orderId: string | null;
  providerPaymentId: string | null;
  organizationId: string | null;
}

interface LockedSlot {
  id: string;
  tentative: boolean;
}

/** A booking with all its rows, locked while the transaction lasts. */
export interface LockedBooking {
  id: string;
  userId: string;
  status: BookingStatus;
  seats: number;
  /** Why it ended; null for one that has not, and where no record tells it. */
  endedBecause: EndReason | null;
  plan: LockedPlan;
  payments: readonly LockedPayment[];
  slots: readonly LockedSlot[];
}

/**
 * Of a row of `bookings` that ended before its reason was stored, or by a run of an earlier version: who released
 * its slots last. A job of the marketplace or a person did so on purpose.
 */
const WHY_ENDED: SqlPart = sql`
  COALESCE(ended_because, CASE WHEN status = 'CANCELLED' THEN (
    SELECT CASE WHEN released_by = 'job:payments/cancel-pending' THEN 'cancelled'
                WHEN released_by LIKE 'job:%' OR released_by = 'webhook' THEN 'lapsed'
                ELSE 'cancelled' END
    FROM released_slots WHERE booking_id = bookings.id ORDER BY released_at DESC, id DESC LIMIT 1) END)`;

/**
 * Locks in the order of all code that changes bookings: plan, payments, booking, slots. Ids come from plain
 * reads before; decisions use only the returned rows.
 *
 * @param forUpdate false for a dry run, whose read-only session may lock nothing
 */
export async function lockBooking(
  tx: DbSession,
  { bookingId, planId, forUpdate }: { bookingId: string; planId: string; forUpdate: boolean },
): Promise<LockedBooking> {
  const lock = forUpdate ? sql`FOR UPDATE` : sql``;
  const [plan] = await tx.query<LockedPlan[]>`
    SELECT id, title, url, capacity IS NOT NULL AS "isGroup",
           COALESCE(capacity - booked_seats - offered_seats, 0) AS "freeSeats",
           cancelled_at IS NOT NULL AS "isCancelled"
    FROM plans WHERE id = ${planId}::uuid ${lock}`;
  const payments = await tx.query<LockedPayment[]>`
    SELECT id, status::text AS status, amount_paise AS "amountPaise",
           (SELECT leg.amount_paise FROM payment_legs AS leg
            WHERE leg.payment_id = payments.id AND leg.kind = 'card') AS "cardPaise",
           provider_order_id AS "orderId", provider_payment_id AS "providerPaymentId",
           organization_id AS "organizationId"
    FROM payments WHERE booking_id = ${bookingId}::uuid ORDER BY id ${lock}`;
  const [booking] = await tx.query<Omit<LockedBooking, "plan" | "payments" | "slots">[]>`
    SELECT id, user_id AS "userId", status::text AS status, seats,
           ${WHY_ENDED} AS "endedBecause"
    FROM bookings WHERE id = ${bookingId}::uuid AND plan_id = ${planId}::uuid ${lock}`;
  const slots = await tx.query<LockedSlot[]>`
    SELECT id, tentative FROM slots WHERE booking_id = ${bookingId}::uuid ORDER BY id ${lock}`;
  // A foreign key holds each of them; neither is ever deleted.
  if (!plan || !booking) throw new Error(`booking ${bookingId} of plan ${planId} has vanished`);
  return { ...booking, plan, payments, slots };
}
