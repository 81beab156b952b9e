import { randomUUID } from "node:crypto";
import type pg from "pg";
import type { EndReason } from "../../../lib/waitlist/end-reason.ts";
import { newSession } from "../../../lib/db/session.ts";

/** Where a made-up marketplace is written to: `postgres://…`. */
interface Address {
  url: string;
}

interface PlanSeed {
  kind?: "consultation" | "subscription" | "webinar" | "class";
  /** Seats of a webinar or class. Default 10. */
  capacity?: number;
  /** Meetings of a webinar or class, a day apart. Default 1. */
  sessions?: number;
  /** Hours from now to the first meeting; negative for the past. Default 240. */
  startsInHours?: number;
  consultantId?: string;
  title?: string;
}

export interface SeededPlan {
  id: string;
  kind: "consultation" | "subscription" | "webinar" | "class";
  consultantId: string;
  /** Of a webinar or class, in order. */
  appointmentIds: readonly string[];
  startsAt: Date;
}

export interface LegSeed {
  kind: "card" | "wallet" | "referral_credit";
  amountPaise: bigint;
  walletId?: string;
  referralCreditId?: string;
}

interface CheckoutSeed {
  status?: "PENDING" | "PAID" | "EXPIRED" | "ORPHANED";
  /** Default: ₹1,000 by card. */
  legs?: readonly LegSeed[];
  /** Default: a new `order_…` where a leg is paid by card. */
  orderId?: string | null;
  /** Default: a new `pay_…` where it is captured. */
  paymentId?: string;
  organizationId?: string;
  /** Hours since the hold ended. Default 1. */
  expiredHoursAgo?: number;
}

export interface BookingSeed {
  plan: SeededPlan;
  userId?: string;
  organizationId?: string;
  status?: "PENDING" | "APPROVED_PENDING_PAYMENT" | "CONFIRMED" | "CANCELLED";
  /** Of a cancelled one. Default `lapsed`; null: as an earlier version ended it. */
  endedBecause?: EndReason | null;
  seats?: number;
  /** Meetings of a consultation or subscription, a day apart from `startsInHours` on. Default 1. */
  meetings?: number;
  /** Default 240. */
  startsInHours?: number;
  /** Hours since its slots were last changed. Default 0. */
  slotsAgedHours?: number;
  /** Default: no checkout. */
  checkout?: CheckoutSeed;
  reference?: string;
}

export interface SeededBooking {
  id: string;
  reference: string;
  userId: string;
  plan: SeededPlan;
  appointmentIds: readonly string[];
  /** None for a cancelled booking; its released slots are recorded instead. */
  slotIds: readonly string[];
  paymentId: string | undefined;
  orderId: string | undefined;
  providerPaymentId: string | undefined;
  legIds: readonly string[];
}

interface WaitingSeed {
  plan: SeededPlan;
  userId?: string;
  /** Default WAITING. */
  status?: "WAITING" | "NOTIFIED";
  priority?: number;
  /** Of an offer; negative for the past. Default 24. */
  expiresInHours?: number;
}

/** A user with a made-up address. */
export async function seedUser(
  database: Address,
  { active = true, name = "A buyer" }: { active?: boolean; name?: string } = {},
): Promise<string> {
  const id = randomUUID();
  await inSeed(database, (client) => insertUser(client, { id, active, name }));
  return id;
}

export async function seedPlan(database: Address, seed: PlanSeed = {}): Promise<SeededPlan> {
  const { kind = "webinar", sessions = 1, startsInHours = 240, title = "A plan" } = seed;
  const isGroup = kind === "webinar" || kind === "class";
  const id = randomUUID();
  const consultantId = seed.consultantId ?? randomUUID();
  const startsAt = inHours(startsInHours);
  const appointmentIds = isGroup ? Array.from({ length: sessions }, () => randomUUID()) : [];
  await inSeed(database, async (client) => {
    await client.query(
      `INSERT INTO consultants (id, external_ref, name) VALUES ($1, $2, 'A consultant') ON CONFLICT DO NOTHING`,
      [consultantId, `consultant-${consultantId}`],
    );
    await client.query(
      `INSERT INTO plans (id, consultant_id, kind, title, url, capacity, starts_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7)`,
      [
        id,
        consultantId,
        kind,
        title,
        `https://marketplace.example/plans/${id}`,
        isGroup ? (seed.capacity ?? 10) : null,
        isGroup ? startsAt : null,
      ],
    );
    for (const [index, appointmentId] of appointmentIds.entries()) {
      await insertAppointment(client, {
        id: appointmentId,
        planId: id,
        consultantId,
        bookingId: null,
        startsAt: inHours(startsInHours + index * 24),
      });
    }
  });
  return { id, kind, consultantId, appointmentIds, startsAt };
}

/** A booking with its slots and, if asked for, its checkout, as the marketplace writes them. */
export async function seedBooking(database: Address, seed: BookingSeed): Promise<SeededBooking> {
  const { plan, status = "PENDING", seats = 1, meetings = 1, startsInHours = 240 } = seed;
  const isGroup = plan.appointmentIds.length > 0;
  const endedBecause =
    status === "CANCELLED"
      ? seed.endedBecause === undefined
        ? "lapsed"
        : seed.endedBecause
      : null;
  const id = randomUUID();
  const userId = seed.userId ?? randomUUID();
  const reference = seed.reference ?? `booking-${id}`;
  const appointmentIds = isGroup
    ? plan.appointmentIds
    : Array.from({ length: meetings }, () => randomUUID());
  const slotIds: string[] = [];
  const legIds: string[] = [];
  const checkout = seed.checkout ? checkoutOf(seed.checkout) : undefined;
  await inSeed(database, async (client) => {
    if (seed.userId === undefined)
      await insertUser(client, { id: userId, active: true, name: "A buyer" });
    await client.query(
      `INSERT INTO bookings (id, reference, plan_id, user_id, organization_id, status, seats, ended_because, ended_by)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      [
        id,
        reference,
        plan.id,
        userId,
        seed.organizationId ?? null,
        status,
        seats,
        endedBecause,
        endedBecause === null ? null : "a seed",
      ],
    );
    for (const [index, appointmentId] of appointmentIds.entries()) {
      if (!isGroup) {
        await insertAppointment(client, {
          id: appointmentId,
          planId: plan.id,
          consultantId: plan.consultantId,
          bookingId: id,
          startsAt: inHours(startsInHours + index * 24),
        });
      }
      for (let seat = 0; seat < seats; seat += 1) {
        if (status === "CANCELLED") {
          await client.query(
            `INSERT INTO released_slots (appointment_id, booking_id, user_id, released_by)
             VALUES ($1, $2, $3, 'a seed')`,
            [appointmentId, id, userId],
          );
          continue;
        }
        const slotId = randomUUID();
        slotIds.push(slotId);
        await client.query(
          `INSERT INTO slots (id, appointment_id, booking_id, user_id, consultant_id, starts_at, ends_at, tentative, updated_at)
           VALUES ($1, $2, $3, $4, $5, now(), now(), $6, now() - $7::float8 * interval '1 hour')`,
          [
            slotId,
            appointmentId,
            id,
            userId,
            plan.consultantId,
            status !== "CONFIRMED",
            seed.slotsAgedHours ?? 0,
          ],
        );
      }
    }
    if (checkout) {
      await insertCheckout(client, { ...checkout, bookingId: id, userId, legIds });
    }
  });
  return {
    id,
    reference,
    userId,
    plan,
    appointmentIds,
    slotIds,
    paymentId: checkout?.id,
    orderId: checkout?.orderId ?? undefined,
    providerPaymentId: checkout?.providerPaymentId ?? undefined,
    legIds,
  };
}

/** Somebody on the waitlist of a webinar or class; later calls stand behind earlier ones. */
export async function seedWaiting(
  database: Address,
  seed: WaitingSeed,
): Promise<{ entryId: string; userId: string }> {
  const { plan, status = "WAITING", priority = 0, expiresInHours = 24 } = seed;
  const entryId = randomUUID();
  const userId = seed.userId ?? randomUUID();
  const offered = status === "NOTIFIED";
  await inSeed(database, async (client) => {
    if (seed.userId === undefined)
      await insertUser(client, { id: userId, active: true, name: "A waiting person" });
    await client.query(
      `INSERT INTO waitlist_entries (id, plan_id, user_id, status, priority, notified_at, expires_at)
       VALUES ($1, $2, $3, $4, $5, CASE WHEN $6 THEN now() - interval '1 day' END,
               CASE WHEN $6 THEN now() + $7::float8 * interval '1 hour' END)`,
      [entryId, plan.id, userId, status, priority, offered, expiresInHours],
    );
  });
  return { entryId, userId };
}

/** An organization's wallet with money in it, and the posting that put it there. */
export async function seedWallet(
  database: Address,
  {
    balancePaise = 1_000_000n,
    organizationId,
  }: { balancePaise?: bigint; organizationId?: string } = {},
): Promise<{ walletId: string; organizationId: string }> {
  const walletId = randomUUID();
  const owner = organizationId ?? randomUUID();
  await inSeed(database, async (client) => {
    await client.query(
      `INSERT INTO organizations (id, external_ref, name) VALUES ($1, $2, 'An organization') ON CONFLICT DO NOTHING`,
      [owner, `organization-${owner}`],
    );
    await client.query(
      `INSERT INTO wallet_accounts (id, organization_id, balance_paise) VALUES ($1, $2, $3)`,
      [walletId, owner, balancePaise],
    );
    if (balancePaise === 0n) return;
    const accounts = await client.query<{ id: string }>(
      `INSERT INTO ledger_accounts (code, wallet_id) VALUES ('WALLET', $1) RETURNING id`,
      [walletId],
    );
    await client.query(
      `INSERT INTO ledger_accounts (code) VALUES ('PLATFORM_CLEARING') ON CONFLICT DO NOTHING`,
    );
    const posted = await client.query<{ id: string }>(
      `INSERT INTO ledger_transactions (key, kind, organization_id) VALUES ($1, 'wallet-funded', $2) RETURNING id`,
      [`wallet-funded:${walletId}`, owner],
    );
    await client.query(
      `INSERT INTO ledger_entries (transaction_id, account_id, amount_paise)
       SELECT $1::uuid, $2::uuid, -$3::bigint
       UNION ALL SELECT $1::uuid, id, $3::bigint FROM ledger_accounts WHERE code = 'PLATFORM_CLEARING'`,
      [posted.rows[0]?.id, accounts.rows[0]?.id, balancePaise],
    );
  });
  return { walletId, organizationId: owner };
}

export async function seedReferralCredit(
  database: Address,
  credit: { userId: string; amountPaise?: bigint; usedPaise?: bigint },
): Promise<string> {
  const { userId, amountPaise = 50_000n, usedPaise = 0n } = credit;
  const id = randomUUID();
  await inSeed(database, (client) =>
    client.query(
      `INSERT INTO referral_credits (id, user_id, amount_paise, used_paise) VALUES ($1, $2, $3, $4)`,
      [id, userId, amountPaise, usedPaise],
    ),
  );
  return id;
}

interface Checkout {
  id: string;
  status: "PENDING" | "PAID" | "EXPIRED" | "ORPHANED";
  legs: readonly LegSeed[];
  orderId: string | null;
  providerPaymentId: string | null;
  organizationId: string | null;
  expiredHoursAgo: number;
}

function checkoutOf(seed: CheckoutSeed): Checkout {
  const { status = "PENDING", legs = [{ kind: "card", amountPaise: 100_000n }] } = seed;
  const captured = status === "PAID" || status === "ORPHANED";
  const byCard = legs.some(({ kind }) => kind === "card");
  return {
    id: randomUUID(),
    status,
    legs,
    orderId:
      seed.orderId === undefined && byCard ? `order_${randomToken()}` : (seed.orderId ?? null),
    providerPaymentId: seed.paymentId ?? (captured && byCard ? `pay_${randomToken()}` : null),
    organizationId: seed.organizationId ?? null,
    expiredHoursAgo: seed.expiredHoursAgo ?? 1,
  };
}

async function insertCheckout(
  client: pg.Client,
  checkout: Checkout & { bookingId: string; userId: string; legIds: string[] },
): Promise<void> {
  const { id, status, legs, bookingId, userId, legIds } = checkout;
  const captured = status === "PAID" || status === "ORPHANED";
  await client.query(
    `INSERT INTO payments (id, booking_id, user_id, organization_id, amount_paise, status,
                           provider_order_id, provider_payment_id, captured_at, expired_at)
     VALUES ($1, $2, $3, $4, $5, $6::payment_status, $7, $8, CASE WHEN $9 THEN now() END,
             CASE WHEN $6 = 'EXPIRED' THEN now() - $10::float8 * interval '1 hour' END)`,
    [
      id,
      bookingId,
      userId,
      checkout.organizationId,
      legs.reduce((sum, { amountPaise }) => sum + amountPaise, 0n),
      status,
      checkout.orderId,
      checkout.providerPaymentId,
      captured,
      checkout.expiredHoursAgo,
    ],
  );
  for (const leg of legs) {
    const legId = randomUUID();
    legIds.push(legId);
    await client.query(
      `INSERT INTO payment_legs (id, payment_id, kind, amount_paise, wallet_id, referral_credit_id)
       VALUES ($1, $2, $3, $4, $5, $6)`,
      [legId, id, leg.kind, leg.amountPaise, leg.walletId ?? null, leg.referralCreditId ?? null],
    );
  }
}

async function insertUser(
  client: pg.Client,
  { id, active, name }: { id: string; active: boolean; name: string },
): Promise<void> {
  await client.query(
    `INSERT INTO users (id, external_ref, name, email, active) VALUES ($1, $2, $3, $4, $5)`,
    [id, `user-${id}`, name, `${id}@buyers.example`, active],
  );
}

async function insertAppointment(
  client: pg.Client,
  meeting: {
    id: string;
    planId: string;
    consultantId: string;
    bookingId: string | null;
    startsAt: Date;
  },
): Promise<void> {
  const { id, planId, consultantId, bookingId, startsAt } = meeting;
  await client.query(
    `INSERT INTO appointments (id, plan_id, consultant_id, booking_id, starts_at, ends_at)
     VALUES ($1, $2, $3, $4, $5::timestamptz, $5::timestamptz + interval '1 hour')`,
    [id, planId, consultantId, bookingId, startsAt],
  );
}

async function inSeed(
  database: Address,
  work: (client: pg.Client) => Promise<unknown>,
): Promise<void> {
  const client = newSession({
    url: database.url,
    applicationName: "afterhours seed",
    readOnly: false,
  });
  await client.connect();
  try {
    await client.query("BEGIN");
    await work(client);
    await client.query("COMMIT");
  } finally {
    await client.end();
  }
}

function inHours(hours: number): Date {
  return new Date(Date.now() + hours * 3_600_000);
}

function randomToken(): string {
  return randomUUID().replaceAll("-", "").slice(0, 14);
}
