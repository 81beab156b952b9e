import type { Db } from "../../lib/db/client.ts";
import { cancelPlan, type PlanCancelled } from "../../lib/plans/cancel-plan.ts";
import type { CancelPlanReport } from "../../lib/plans/report.ts";
import { noProgress } from "../../lib/support/progress.ts";
import type { Sandbox } from "../../scripts/sandbox/razorpay/index.ts";
import {
  seedBooking,
  seedPlan,
  seedWaiting,
  seedWallet,
  type SeededBooking,
  type SeededPlan,
} from "../../scripts/dev/seed/bookings.ts";
import type { TestDatabase } from "./database.ts";

export const CARD_PAISE = 100_000n;
export const WALLET_PAISE = 30_000n;

/** A webinar of eight seats with one booking of each kind, and a waitlist. */
export interface Event {
  plan: SeededPlan;
  /** Paid by card. */
  byCard: SeededBooking;
  /** Paid by card and by the organization's wallet. */
  byOrganization: SeededBooking;
  walletId: string;
  /** Confirmed, and nothing was to be paid. */
  free: SeededBooking;
  /** Its checkout by card and wallet is open. */
  open: SeededBooking;
  /** Cancelled by its buyer before, and the money was kept. */
  kept: SeededBooking;
  /** Offered a seat. */
  offered: { entryId: string; userId: string };
}

export async function seedEvent(
  database: TestDatabase,
  sandbox: Sandbox,
  { startsInHours = 240 }: { startsInHours?: number } = {},
): Promise<Event> {
  const plan = await seedPlan(database, { capacity: 8, sessions: 2, startsInHours });
  const { walletId, organizationId } = await seedWallet(database, { balancePaise: 0n });
  const captured = (): { orderId: string; paymentId: string } => {
    const { id: orderId } = sandbox.createOrder({ amountPaise: CARD_PAISE });
    return { orderId, paymentId: sandbox.createPayment({ orderId, status: "captured" }).id };
  };
  const card = { kind: "card", amountPaise: CARD_PAISE } as const;
  const wallet = { kind: "wallet", amountPaise: WALLET_PAISE, walletId } as const;
  const byCard = await seedBooking(database, {
    plan,
    status: "CONFIRMED",
    seats: 2,
    checkout: { status: "PAID", ...captured(), legs: [card] },
  });
  const byOrganization = await seedBooking(database, {
    plan,
    status: "CONFIRMED",
    organizationId,
    checkout: { status: "PAID", ...captured(), organizationId, legs: [card, wallet] },
  });
  const free = await seedBooking(database, { plan, status: "CONFIRMED" });
  const open = await seedBooking(database, {
    plan,
    status: "APPROVED_PENDING_PAYMENT",
    checkout: {
      orderId: sandbox.createOrder({ amountPaise: CARD_PAISE }).id,
      legs: [card, wallet],
    },
  });
  const kept = await seedBooking(database, {
    plan,
    status: "CANCELLED",
    endedBecause: "cancelled-by-buyer",
    checkout: { status: "PAID", ...captured(), legs: [card] },
  });
  const offered = await seedWaiting(database, { plan, status: "NOTIFIED" });
  await seedWaiting(database, { plan });
  await seedWaiting(database, { plan });
  return { plan, byCard, byOrganization, walletId, free, open, kept, offered };
}

export async function cancelEvent(
  db: Db,
  planId: string,
  rest: Partial<PlanCancelled> = {},
): Promise<Awaited<ReturnType<typeof cancelPlan>>> {
  return cancelPlan(
    { db, progress: noProgress },
    {
      planId,
      by: "asha",
      reason: "the speaker is ill",
      althoughBegun: false,
      dryRun: false,
      ...rest,
    },
  );
}

/** As `cancelEvent`, where it must not be refused. */
export async function cancelReport(
  db: Db,
  planId: string,
  rest: Partial<PlanCancelled> = {},
): Promise<CancelPlanReport> {
  const result = await cancelEvent(db, planId, rest);
  if (result.kind === "refused") throw new Error(`refused: ${result.code}`);
  return result.report;
}

/** All that a cancellation may touch, without ids that differ from world to world. */
export async function eventState(
  database: Pick<TestDatabase, "query">,
  planId: string,
): Promise<Record<string, unknown>> {
  const [row] = await database.query<Record<string, unknown>>(
    `SELECT (SELECT cancelled_by || ': ' || cancel_reason FROM plans WHERE id = $1) AS plan,
            (SELECT booked_seats || ' booked, ' || offered_seats || ' offered' FROM plans WHERE id = $1) AS seats,
            ARRAY(SELECT status || ' ' || COALESCE(ended_because, '-') || ' ' || COALESCE(ended_by, '-')
                  FROM bookings WHERE plan_id = $1 ORDER BY 1) AS bookings,
            ARRAY(SELECT payment.status::text FROM payments AS payment
                  JOIN bookings AS booking ON booking.id = payment.booking_id
                  WHERE booking.plan_id = $1 ORDER BY 1) AS payments,
            (SELECT count(*)::int FROM slots
             JOIN bookings AS booking ON booking.id = slots.booking_id WHERE booking.plan_id = $1) AS slots,
            ARRAY(SELECT entry.status::text FROM waitlist_entries AS entry
                  WHERE plan_id = $1 ORDER BY position) AS waitlist,
            ARRAY(SELECT refund.amount_paise || ' ' || refund.of_sale || ' ' || refund.requested_by
                  FROM refunds AS refund JOIN payments AS payment ON payment.id = refund.payment_id
                  JOIN bookings AS booking ON booking.id = payment.booking_id
                  WHERE booking.plan_id = $1 AND refund.key = 'plan-cancelled:' || $1 || ':' || payment.id
                  ORDER BY 1) AS refunds,
            ARRAY(SELECT mail.template || ' ' || mail.status || COALESCE(' ' || (mail.data->>'money'), '')
                  FROM outbox_mails AS mail ORDER BY 1) AS mails,
            ARRAY(SELECT balance_paise::text FROM wallet_accounts ORDER BY id) AS wallets,
            ARRAY(SELECT kind || ' ' || severity FROM findings ORDER BY 1) AS findings`,
    [planId],
  );
  return row ?? {};
}
