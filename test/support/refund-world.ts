import { randomUUID } from "node:crypto";
import { openDatabase, inTransaction, type Db } from "../../lib/db/client.ts";
import {
  requestRefund,
  type RefundRequested,
  type RequestRefundResult,
} from "../../lib/payments/refunds/request-refund.ts";
import {
  seedBooking,
  seedPlan,
  seedReferralCredit,
  seedUser,
  seedWallet,
  type LegSeed,
  type SeededBooking,
} from "../../scripts/dev/seed/bookings.ts";
import { createTestDatabase, type TestDatabase } from "./database.ts";

export interface RefundWorld {
  database: TestDatabase;
  db: Db;
  /** As a person or a job asks for one; the key is new each time unless it is given. */
  request(refund: Partial<RefundRequested> & { paymentId: string }): Promise<RequestRefundResult>;
  end(): Promise<void>;
}

export async function createRefundWorld(): Promise<RefundWorld> {
  const database = await createTestDatabase();
  const db = openDatabase({
    url: database.url,
    applicationName: "refunds under test",
    readOnly: false,
    connections: 8,
  });
  return {
    database,
    db,
    request: (refund) =>
      inTransaction(db, (tx) =>
        requestRefund(tx, {
          key: randomUUID(),
          amountPaise: "all",
          reason: "asked for by the buyer",
          requestedBy: "a test",
          ...refund,
        }),
      ),
    end: async () => {
      await db.close();
      await database.drop();
    },
  };
}

export interface PaidSeed {
  cardPaise?: bigint;
  walletPaise?: bigint;
  creditPaise?: bigint;
  status?: "PAID" | "ORPHANED" | "EXPIRED" | "PENDING";
  /** Of the payment; the wallet has an owner of its own. */
  organizationId?: string;
  consultantId?: string;
  /** `pay_…` at the provider. */
  providerPaymentId?: string;
}

export type PaidBooking = SeededBooking & {
  paymentId: string;
  walletId: string | undefined;
  /** The owner of the wallet. */
  ownerId: string | undefined;
  creditId: string | undefined;
};

/** So that no two bookings of a consultant meet at once. */
let meetings = 240;

/** A booking and its checkout over the legs that are asked for. Default: ₹1,000 by card. */
export async function seedPaid(database: TestDatabase, seed: PaidSeed = {}): Promise<PaidBooking> {
  const { cardPaise = 100_000n, walletPaise = 0n, creditPaise = 0n, status = "PAID" } = seed;
  const userId = await seedUser(database);
  const wallet = walletPaise > 0n ? await seedWallet(database, { balancePaise: 0n }) : undefined;
  const creditId =
    creditPaise > 0n
      ? await seedReferralCredit(database, {
          userId,
          amountPaise: creditPaise,
          usedPaise: creditPaise,
        })
      : undefined;
  const legs: LegSeed[] = [];
  if (cardPaise > 0n) legs.push({ kind: "card", amountPaise: cardPaise });
  if (wallet) legs.push({ kind: "wallet", amountPaise: walletPaise, walletId: wallet.walletId });
  if (creditId !== undefined)
    legs.push({
      kind: "referral_credit",
      amountPaise: creditPaise,
      referralCreditId: creditId,
    });
  const plan = await seedPlan(database, {
    kind: "consultation",
    ...(seed.consultantId === undefined ? {} : { consultantId: seed.consultantId }),
  });
  const booking = await seedBooking(database, {
    plan,
    userId,
    startsInHours: (meetings += 24),
    status: status === "PAID" ? "CONFIRMED" : "CANCELLED",
    checkout: {
      status,
      legs,
      ...(seed.organizationId === undefined ? {} : { organizationId: seed.organizationId }),
      ...(seed.providerPaymentId === undefined ? {} : { paymentId: seed.providerPaymentId }),
    },
  });
  if (booking.paymentId === undefined) throw new Error("the booking was seeded without a checkout");
  return {
    ...booking,
    paymentId: booking.paymentId,
    walletId: wallet?.walletId,
    ownerId: wallet?.organizationId,
    creditId,
  };
}

/** The refunded amount of each kind of leg, without failed refunds. */
export async function goesBack(
  database: TestDatabase,
  paymentId: string,
): Promise<Record<string, bigint>> {
  const rows = await database.query<{ kind: string; paise: bigint }>(
    `SELECT leg.kind::text AS kind, sum(back.amount_paise)::bigint AS paise
     FROM payment_legs AS leg JOIN refund_legs AS back ON back.payment_leg_id = leg.id
     WHERE leg.payment_id = $1 AND back.state <> 'FAILED' GROUP BY leg.kind`,
    [paymentId],
  );
  return Object.fromEntries(rows.map(({ kind, paise }) => [kind, paise]));
}
