import { inTransaction, type Db, type DbSession } from "../../../lib/db/client.ts";
import { postTransaction } from "../../../lib/ledger/post-transaction.ts";
import { bookSeats } from "../../../lib/waitlist/moves/index.ts";
import type { SimulatedProcess } from "../process.ts";
import { OFFER_MS } from "./jobs.ts";
import type { Buyer, Plan } from "./population.ts";
import type { Market } from "./world.ts";

/** The marketplace at work: its process, and its database session. */
export interface Desk {
  clerk: SimulatedProcess;
  db: Db;
}

interface NewCheckout {
  bookingId: string;
  reference: string;
  buyer: Buyer;
}

/** `B7`: what is booked next. */
export function nextReference(market: Market): string {
  return `B${String(++market.made).padStart(3, "0")}`;
}

/** Somebody asks for a meeting, and a checkout begins. */
export async function bookMeeting(market: Market, desk: Desk, plan: Plan): Promise<string> {
  const { chance } = market;
  const buyer = chance.pick(market.buyers);
  const reference = nextReference(market);
  const bookingId = chance.uuid();
  const status = chance.pick(["PENDING", "APPROVED_PENDING_PAYMENT"]);
  const firstDay = chance.pick([2, 3, 4, 30]);
  const meetings = Array.from({ length: plan.kind === "subscription" ? 2 : 1 }, (_, index) => ({
    id: chance.uuid(),
    day: firstDay + index,
  }));
  const checkout = await prepareCheckout(market, desk, { bookingId, reference, buyer });
  await inTransaction(desk.db, async (tx) => {
    await tx.execute`
      INSERT INTO bookings (id, reference, plan_id, user_id, status)
      VALUES (${bookingId}::uuid, ${reference}, ${plan.id}::uuid, ${buyer.id}::uuid,
              ${status}::booking_status)`;
    for (const { id, day } of meetings) {
      await tx.execute`
        INSERT INTO appointments (id, plan_id, consultant_id, booking_id, starts_at, ends_at)
        VALUES (${id}::uuid, ${plan.id}::uuid, ${plan.consultantId}::uuid, ${bookingId}::uuid,
                now() + make_interval(days => ${day}::int, hours => 13),
                now() + make_interval(days => ${day}::int, hours => 14))`;
      await tx.execute`
        INSERT INTO slots (appointment_id, booking_id, user_id, consultant_id, starts_at, ends_at, tentative)
        VALUES (${id}::uuid, ${bookingId}::uuid, ${buyer.id}::uuid, ${plan.consultantId}::uuid,
                now(), now(), true)`;
    }
    await checkout.write(tx);
  });
  checkout.open();
  return `${buyer.name} asks for ${plan.name}: ${reference}, ${checkout.said}`;
}

/** Somebody books seats, and a checkout begins unless they are free. */
export async function bookSome(market: Market, desk: Desk, plan: Plan): Promise<string> {
  const { chance } = market;
  const buyer = chance.pick(market.buyers);
  const reference = nextReference(market);
  const seats = chance.pick([1, 1, 2]);
  const status = chance.happens(0.15) ? "CONFIRMED" : "PENDING";
  const wanted = { planId: plan.id, userId: buyer.id, reference, seats, offerMs: OFFER_MS };
  const said = `${buyer.name} wants ${seats} of ${plan.name}`;
  const result = await bookSeats(desk.db, { ...wanted, status });
  if (result.kind !== "booked") return `${said}: ${result.kind}`;
  if (status === "CONFIRMED") return `${said}: ${reference}, free`;
  return `${said}: ${await beginCheckout(market, desk, { bookingId: result.bookingId, reference, buyer })}`;
}

/** The checkout of a booking that holds its slots already. */
export async function beginCheckout(
  market: Market,
  desk: Desk,
  booking: NewCheckout,
): Promise<string> {
  const checkout = await prepareCheckout(market, desk, booking);
  const isOpen = await inTransaction(desk.db, async (tx) => {
    const open = await tx.query<unknown[]>`
      SELECT 1 FROM bookings WHERE id = ${booking.bookingId}::uuid AND status = 'PENDING' FOR UPDATE`;
    if (open.length > 0) await checkout.write(tx);
    return open.length > 0;
  });
  if (!isOpen) return `${booking.reference}, over before it was paid`;
  checkout.open();
  return `${booking.reference}, ${checkout.said}`;
}

/** What is paid by which means; nothing is written before `write`. */
async function prepareCheckout(
  { arena, chance, orders, scheduler }: Market,
  { clerk }: Desk,
  { bookingId, reference, buyer }: NewCheckout,
): Promise<{ write: (tx: DbSession) => Promise<void>; open: () => void; said: string }> {
  const paymentId = chance.uuid();
  const card = BigInt(chance.between(100, 300_000));
  const walletPaise = BigInt(chance.between(100, 50_000));
  const creditPaise = BigInt(chance.between(100, 20_000));
  const wantsWallet = buyer.wallet !== undefined && chance.happens(0.5);
  const wantsCredit = buyer.creditId !== undefined && chance.happens(0.5);
  const byOrganization = wantsWallet && chance.happens(0.5);
  const legIds = [chance.uuid(), chance.uuid(), chance.uuid()] as const;
  const { id: orderId } = await scheduler.turn(clerk, () =>
    Promise.resolve(arena.sandbox.createOrder({ amountPaise: card })),
  );
  const write = async (tx: DbSession): Promise<void> => {
    const legs: { id: string; kind: string; paise: bigint }[] = [
      { id: legIds[0], kind: "card", paise: card },
    ];
    if (wantsWallet && buyer.wallet) {
      const { id: walletId, organizationId } = buyer.wallet;
      const taken = await tx.execute`
        UPDATE wallet_accounts SET balance_paise = balance_paise - ${walletPaise}
        WHERE id = ${walletId}::uuid AND balance_paise >= ${walletPaise}`;
      if (taken === 1) {
        legs.push({ id: legIds[1], kind: "wallet", paise: walletPaise });
        await postTransaction(tx, {
          key: `wallet-spent:${legIds[1]}`,
          kind: "wallet-spent",
          organizationId,
          entries: [
            { account: { code: "PLATFORM_CLEARING" }, amountPaise: -walletPaise },
            { account: { code: "WALLET", walletId }, amountPaise: walletPaise },
          ],
        });
      }
    }
    if (wantsCredit) {
      const taken = await tx.execute`
        UPDATE referral_credits SET used_paise = used_paise + ${creditPaise}
        WHERE id = ${buyer.creditId}::uuid AND amount_paise - used_paise >= ${creditPaise}`;
      if (taken === 1) legs.push({ id: legIds[2], kind: "referral_credit", paise: creditPaise });
    }
    const amountPaise = legs.reduce((sum, { paise }) => sum + paise, 0n);
    await tx.execute`
      INSERT INTO payments (id, booking_id, user_id, organization_id, amount_paise, provider_order_id)
      VALUES (${paymentId}::uuid, ${bookingId}::uuid, ${buyer.id}::uuid,
              ${byOrganization ? (buyer.wallet?.organizationId ?? null) : null}::uuid, ${amountPaise}, ${orderId})`;
    for (const { id, kind, paise } of legs) {
      await tx.execute`
        INSERT INTO payment_legs (id, payment_id, kind, amount_paise, wallet_id, referral_credit_id)
        VALUES (${id}::uuid, ${paymentId}::uuid, ${kind}::payment_leg_kind, ${paise},
                ${kind === "wallet" ? (buyer.wallet?.id ?? null) : null}::uuid,
                ${kind === "referral_credit" ? (buyer.creditId ?? null) : null}::uuid)`;
    }
  };
  const means = [
    "by card",
    ...(wantsWallet ? ["from a wallet"] : []),
    ...(wantsCredit ? ["with credit"] : []),
  ];
  return { write, open: () => void orders.push(orderId), said: `${reference} ${means.join(", ")}` };
}
