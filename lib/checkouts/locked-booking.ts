import { sql, type DbSession } from "../db/client.ts";

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
  /** Since its last change, on the database's clock. */
  ageMs: number;
}

interface LockedSlot {
  id: string;
  tentative: boolean;
  /** Since its last change, on the database's clock. */
  ageMs: number;
}

/** A booking with all its rows, locked while the transaction lasts. */
export interface LockedBooking {
  id: string;
  userId: string;
  status: BookingStatus;
  seats: number;
  plan: LockedPlan;
  payments: readonly LockedPayment[];
  slots: readonly LockedSlot[];
}

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
           COALESCE(capacity - booked_seats - offered_seats, 0) AS "freeSeats"
    FROM plans WHERE id = ${planId}::uuid ${lock}`;
  const payments = await tx.query<LockedPayment[]>`
    SELECT id, status::text AS status, amount_paise AS "amountPaise",
           (SELECT leg.amount_paise FROM payment_legs AS leg
            WHERE leg.payment_id = payments.id AND leg.kind = 'card') AS "cardPaise",
           provider_order_id AS "orderId", provider_payment_id AS "providerPaymentId",
           organization_id AS "organizationId",
           (extract(epoch FROM now() - updated_at) * 1000)::float8 AS "ageMs"
    FROM payments WHERE booking_id = ${bookingId}::uuid ORDER BY id ${lock}`;
  const [booking] = await tx.query<Pick<LockedBooking, "id" | "userId" | "status" | "seats">[]>`
    SELECT id, user_id AS "userId", status::text AS status, seats
    FROM bookings WHERE id = ${bookingId}::uuid AND plan_id = ${planId}::uuid ${lock}`;
  const slots = await tx.query<LockedSlot[]>`
    SELECT id, tentative, (extract(epoch FROM now() - updated_at) * 1000)::float8 AS "ageMs"
    FROM slots WHERE booking_id = ${bookingId}::uuid ORDER BY id ${lock}`;
  // A foreign key holds each of them; neither is ever deleted.
  if (!plan || !booking) throw new Error(`booking ${bookingId} of plan ${planId} has vanished`);
  return { ...booking, plan, payments, slots };
}
