import type pg from "pg";
import { newSession } from "../../../../lib/db/session.ts";
import {
  seedBooking,
  seedPlan,
  seedReferralCredit,
  seedUser,
  seedWaiting,
  seedWallet,
  type SeededBooking,
} from "../../seed/bookings.ts";
import type { Sandbox } from "../../../sandbox/razorpay/index.ts";

/** The arguments for the jobs run by hand. */
export interface SeededMarketplace {
  /** A checkout whose buyer has thought better of it. */
  toCancel: { paymentId: string; userId: string };
  /** Paid bookings whose buyers get money back, and how much. */
  toRefund: readonly { paymentId: string; amount: string; reason: string }[];
}

/** Hours since the slots of an abandoned checkout were last changed: over the grace of a day. */
const ABANDONED_HOURS = 30;

/**
 * A small marketplace on the morning after: waitlists with offers that have ended or will soon, checkouts that
 * were abandoned and some that were paid all the same, payments that came too late, and refunds to make.
 */
export async function seedMarketplace(url: string, sandbox: Sandbox): Promise<SeededMarketplace> {
  const at = { url };
  await seedWaitlists(at);
  await seedAbandoned(at, sandbox);
  await seedLatePayments(at, sandbox);
  return { toCancel: await seedOpenCheckout(at, sandbox), toRefund: await seedPaid(at, sandbox) };
}

interface Address {
  url: string;
}

async function seedWaitlists(at: Address): Promise<void> {
  // Two offers have ended: two of the four waiting people are next.
  const tax = await seedPlan(at, { title: "Tax for freelancers", capacity: 5 });
  for (let seat = 0; seat < 3; seat += 1) {
    await seedBooking(at, { plan: tax, status: "CONFIRMED" });
  }
  for (const expiresInHours of [-2, -1]) {
    await seedWaiting(at, { plan: tax, status: "NOTIFIED", expiresInHours });
  }
  for (const priority of [0, 0, 1, 0]) await seedWaiting(at, { plan: tax, priority });

  // One offer ends in six hours, and its reader has not been reminded.
  const yoga = await seedPlan(at, { title: "Yoga at dawn", capacity: 4 });
  for (let seat = 0; seat < 3; seat += 1)
    await seedBooking(at, { plan: yoga, status: "CONFIRMED" });
  await seedWaiting(at, { plan: yoga, status: "NOTIFIED", expiresInHours: 6 });
}

async function seedAbandoned(at: Address, sandbox: Sandbox): Promise<void> {
  // A class of six sessions, full; the abandoned seat goes to the one waiting person.
  const sanskrit = await seedPlan(at, {
    kind: "class",
    title: "Spoken Sanskrit",
    sessions: 6,
    capacity: 3,
  });
  for (let seat = 0; seat < 2; seat += 1) {
    await seedBooking(at, { plan: sanskrit, status: "CONFIRMED" });
  }
  const friend = await seedUser(at);
  const credit = await seedReferralCredit(at, { userId: friend, usedPaise: 20_000n });
  await seedBooking(at, {
    plan: sanskrit,
    userId: friend,
    slotsAgedHours: ABANDONED_HOURS,
    checkout: {
      orderId: sandbox.createOrder({ amountPaise: 100_000n }).id,
      legs: [
        { kind: "card", amountPaise: 100_000n },
        { kind: "referral_credit", amountPaise: 20_000n, referralCreditId: credit },
      ],
    },
  });
  await seedWaiting(at, { plan: sanskrit });

  // A consultation that a wallet was to pay in part.
  const { walletId, organizationId } = await seedWallet(at, { balancePaise: 500_000n });
  const advice = await seedPlan(at, { kind: "consultation", title: "Advice on contracts" });
  await seedBooking(at, {
    plan: advice,
    organizationId,
    status: "APPROVED_PENDING_PAYMENT",
    startsInHours: 100,
    slotsAgedHours: ABANDONED_HOURS,
    checkout: {
      organizationId,
      orderId: sandbox.createOrder({ amountPaise: 50_000n }).id,
      legs: [
        { kind: "card", amountPaise: 50_000n },
        { kind: "wallet", amountPaise: 30_000n, walletId },
      ],
    },
  });
  await takeFromWallet(at, { walletId, organizationId, amountPaise: 30_000n });

  // Nobody told us, but the provider has the money of the first and the promise of the second.
  for (const [index, status] of (["captured", "authorized"] as const).entries()) {
    const order = sandbox.createOrder({ amountPaise: 100_000n });
    sandbox.createPayment({ orderId: order.id, status });
    await seedBooking(at, {
      plan: advice,
      startsInHours: 110 + index * 10,
      slotsAgedHours: ABANDONED_HOURS,
      checkout: { orderId: order.id },
    });
  }
}

async function seedLatePayments(at: Address, sandbox: Sandbox): Promise<void> {
  const coaching = await seedPlan(at, { kind: "subscription", title: "Coaching, four weeks" });
  for (const startsInHours of [200, 400]) {
    const order = sandbox.createOrder({ amountPaise: 100_000n });
    sandbox.createPayment({ orderId: order.id, status: "captured" });
    await seedBooking(at, {
      plan: coaching,
      status: "CANCELLED",
      meetings: 4,
      startsInHours,
      checkout: { status: "EXPIRED", orderId: order.id },
    });
  }
  // Somebody else has booked one of the second one's hours since.
  await seedBooking(at, { plan: coaching, status: "CONFIRMED", startsInHours: 424 });
}

async function seedOpenCheckout(
  at: Address,
  sandbox: Sandbox,
): Promise<SeededMarketplace["toCancel"]> {
  const plan = await seedPlan(at, { kind: "consultation", title: "A first talk" });
  const orderId = sandbox.createOrder({ amountPaise: 100_000n }).id;
  const { paymentId, userId } = await seedBooking(at, { plan, checkout: { orderId } });
  return { paymentId: seeded(paymentId), userId };
}

async function seedPaid(at: Address, sandbox: Sandbox): Promise<SeededMarketplace["toRefund"]> {
  const { walletId, organizationId } = await seedWallet(at, { balancePaise: 200_000n });
  const plan = await seedPlan(at, { title: "Bookkeeping basics" });
  const paidBy = async (
    legs: NonNullable<Parameters<typeof seedBooking>[1]["checkout"]>["legs"] & object,
    reference?: string,
  ): Promise<SeededBooking> => {
    const cardPaise = legs.find(({ kind }) => kind === "card")?.amountPaise ?? 0n;
    const order = sandbox.createOrder({ amountPaise: cardPaise });
    const captured = sandbox.createPayment({ orderId: order.id, status: "captured" });
    return seedBooking(at, {
      plan,
      status: "CONFIRMED",
      ...(reference === undefined ? {} : { reference }),
      checkout: {
        status: "PAID",
        orderId: order.id,
        paymentId: captured.id,
        ...(legs.some(({ kind }) => kind === "wallet") ? { organizationId } : {}),
        legs,
      },
    });
  };
  const both = await paidBy([
    { kind: "card", amountPaise: 60_000n },
    { kind: "wallet", amountPaise: 40_000n, walletId },
  ]);
  await takeFromWallet(at, { walletId, organizationId, amountPaise: 40_000n });
  // A sale that the payout run has just paid to its consultant: the next payout is smaller by the share.
  const sale = await aPaidSale(at);
  const sold = await paidBy([{ kind: "card", amountPaise: sale.paidPaise }], sale.reference);
  return [
    { paymentId: seeded(both.paymentId), amount: "all", reason: "the webinar was moved" },
    {
      paymentId: seeded(sold.paymentId),
      amount: inRupees(sale.paidPaise / 2n),
      reason: "half of it was missed",
    },
  ];
}

/** A booking whose earning is paid, and its buyer's payment: the earning's gross and 18% of GST. */
async function aPaidSale(at: Address): Promise<{ reference: string; paidPaise: bigint }> {
  const [sale] = await query<{ reference: string; gross: string }>(
    at,
    `SELECT booking_reference AS reference, gross_paise::text AS gross FROM earnings WHERE status = 'PAID'
     ORDER BY gross_paise, booking_reference LIMIT 1`,
  );
  if (!sale) return { reference: "no-sale", paidPaise: 118_000n };
  return { reference: sale.reference, paidPaise: (BigInt(sale.gross) * 118n) / 100n };
}

/** As a person types it. */
function inRupees(paise: bigint): string {
  return `${paise / 100n}.${(paise % 100n).toString().padStart(2, "0")}`;
}

/** The marketplace's own step when a checkout with a wallet begins. */
async function takeFromWallet(
  at: Address,
  hold: { walletId: string; organizationId: string; amountPaise: bigint },
): Promise<void> {
  await query(
    at,
    `WITH taken AS (
       UPDATE wallet_accounts SET balance_paise = balance_paise - $3::bigint WHERE id = $1::uuid
     ), posted AS (
       INSERT INTO ledger_transactions (key, kind, organization_id)
       VALUES ('wallet-held:' || gen_random_uuid(), 'wallet-held', $2::uuid) RETURNING id
     )
     INSERT INTO ledger_entries (transaction_id, account_id, amount_paise)
     SELECT posted.id, account.id, CASE WHEN account.code = 'WALLET' THEN $3::bigint ELSE -$3::bigint END
     FROM posted, ledger_accounts AS account
     WHERE account.wallet_id = $1::uuid OR account.code = 'PLATFORM_CLEARING'`,
    [hold.walletId, hold.organizationId, hold.amountPaise],
  );
}

async function query<Row extends pg.QueryResultRow>(
  { url }: Address,
  sql: string,
  parameters: unknown[] = [],
): Promise<Row[]> {
  const client = newSession({ url, applicationName: "afterhours demo", readOnly: false });
  await client.connect();
  try {
    return (await client.query<Row>(sql, parameters)).rows;
  } finally {
    await client.end();
  }
}

function seeded(id: string | undefined): string {
  if (id === undefined) throw new Error("the demo's marketplace was not written as it should be");
  return id;
}
