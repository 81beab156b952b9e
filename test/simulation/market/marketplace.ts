import { inTransaction } from "../../../lib/db/client.ts";
import { postEarningsReleased } from "../../../lib/ledger/post-earnings.ts";
import { recordCapture } from "../../../lib/checkouts/capture.ts";
import { requestRefund } from "../../../lib/refunds/request-refund.ts";
import { toError } from "../../../lib/support/errors.ts";
import { cancelParticipation } from "../../../lib/checkouts/cancel/cancel-participation.ts";
import { bookOffer, joinWaitlist, leaveWaitlist } from "../../../lib/waitlist/moves/index.ts";
import { inSession } from "../../lib/payouts/sessions.ts";
import { databaseOf } from "../ports.ts";
import type { SimulatedProcess } from "../process.ts";
import { beginCheckout, bookMeeting, bookSome, nextReference, type Desk } from "./checkouts.ts";
import { moveEvent } from "./events.ts";
import { OFFER_MS } from "./jobs.ts";
import type { CaptureNews, Market } from "./world.ts";

const MOVES = {
  book: 8,
  pay: 9,
  webhook: 3,
  join: 6,
  leave: 1,
  bookOffer: 4,
  cancel: 2.5,
  refund: 4,
  earn: 3,
  deactivate: 0.3,
  moveEvent: 1,
};
type Move = keyof typeof MOVES;

/** Three to seven moves of the marketplace and its buyers. To be refused is as good an end as any. */
export async function trade(market: Market, clerk: SimulatedProcess): Promise<void> {
  const { arena, chance, refused, story } = market;
  const desk: Desk = { clerk, db: databaseOf(market, clerk, arena.sessions[clerk.slot]) };
  for (let left = chance.between(3, 7); left > 0; left--) {
    const move = chance.weighted(MOVES);
    try {
      story.push(`  marketplace: ${await perform(market, desk, move)}`);
    } catch (error) {
      story.push(`  marketplace: ${move}: the database did not take it`);
      refused.push(`${move}: ${toError(error).stack ?? ""}`);
    }
  }
}

async function perform(market: Market, desk: Desk, move: Move): Promise<string> {
  const { chance, plans, buyers } = market;
  const groups = plans.filter(({ capacity }) => capacity !== null);
  switch (move) {
    case "book": {
      const plan = chance.pick(plans);
      return plan.capacity === null
        ? bookMeeting(market, desk, plan)
        : bookSome(market, desk, plan);
    }
    case "pay":
      return payOrder(market, desk);
    case "webhook": {
      const news = market.untold.shift();
      return news === undefined ? "no webhook is late" : `late webhook: ${await tell(desk, news)}`;
    }
    case "join": {
      const [plan, buyer] = [chance.pick(groups), chance.pick(buyers)];
      const priority = chance.pick([0, 0, 0, 1]);
      const join = { planId: plan.id, userId: buyer.id, priority, offerMs: OFFER_MS };
      const result = await joinWaitlist(desk.db, join);
      const said =
        result.kind === "joined" && result.offer !== undefined ? "joined, offered" : result.kind;
      return `${buyer.name} joins ${plan.name}: ${said}`;
    }
    case "leave": {
      const entry = await pickEntry(market, desk, ["WAITING", "NOTIFIED"]);
      if (entry === undefined) return "nobody waits";
      const { kind } = await leaveWaitlist(desk.db, { entryId: entry.id, offerMs: OFFER_MS });
      return `${entry.name} leaves the waitlist: ${kind}`;
    }
    case "bookOffer":
      return takeUpOffer(market, desk);
    case "cancel":
      return cancel(market, desk);
    case "refund":
      return askForRefund(market, desk);
    case "earn":
      return earnSale(market, desk);
    case "moveEvent":
      return moveEvent(market, desk);
    case "deactivate": {
      const buyer = chance.pick(buyers);
      await desk.db.execute`UPDATE users SET active = false WHERE id = ${buyer.id}::uuid`;
      return `${buyer.name} is not active any more`;
    }
  }
}

/** A buyer pays an order, or tries to, or the bank thinks again about an earlier try. */
async function payOrder(market: Market, desk: Desk): Promise<string> {
  const { arena, chance, orders, scheduler } = market;
  const { sandbox } = arena;
  const tried = await scheduler.turn(desk.clerk, () => {
    const unpaid = sandbox
      .orders()
      .filter(({ id, status }) => status !== "paid" && orders.includes(id));
    if (unpaid.length === 0) return Promise.resolve(undefined);
    // Mostly the newest; now and then one whose hold is long over.
    const order = chance.happens(0.5) ? (unpaid.at(-1) ?? unpaid[0]) : chance.pick(unpaid);
    if (order === undefined) return Promise.resolve(undefined);
    const earlier = sandbox
      .payments()
      .filter(
        ({ order_id, status }) =>
          order_id === order.id && (status === "authorized" || status === "failed"),
      )
      .at(-1);
    const next = earlier
      ? chance.weighted({ captured: 4, failed: 1 })
      : chance.weighted({ captured: 6, authorized: 2, failed: 2 });
    const payment =
      earlier && earlier.status !== next
        ? sandbox.movePayment(earlier.id, { status: next })
        : sandbox.createPayment({ orderId: order.id, status: next });
    return Promise.resolve(payment);
  });
  if (tried === undefined) return "nobody has anything to pay";
  if (tried.status !== "captured") return `a buyer pays: ${tried.status}`;
  const news = {
    orderId: tried.order_id,
    providerPaymentId: tried.id,
    amountPaise: BigInt(tried.amount),
  };
  const webhook = chance.weighted({ "at once": 4, twice: 2, later: 3, never: 2 });
  if (webhook === "later") market.untold.push(news);
  if (webhook === "never" || webhook === "later") return `a buyer pays: captured, told ${webhook}`;
  const told = [await tell(desk, news)];
  if (webhook === "twice") told.push(await tell(desk, news));
  return `a buyer pays: captured, ${told.join(", then ")}`;
}

async function tell({ db }: Desk, news: CaptureNews): Promise<string> {
  const options = { offerMs: OFFER_MS, random: () => 0 };
  const result = await recordCapture(db, { ...news, source: "webhook" }, options);
  return result.kind === "orphaned" ? `orphaned, ${result.why}` : result.kind;
}

async function pickEntry(
  { arena, chance, scheduler }: Market,
  { clerk }: Desk,
  statuses: readonly string[],
): Promise<{ id: string; name: string; userId: string } | undefined> {
  const entries = await scheduler.turn(clerk, () =>
    arena.database.query<{ id: string; name: string; userId: string }>(
      `SELECT entry.id, person.external_ref AS name, person.id AS "userId"
       FROM waitlist_entries AS entry JOIN users AS person ON person.id = entry.user_id
       WHERE entry.status::text = ANY($1) ORDER BY entry.position`,
      [statuses],
    ),
  );
  return entries.length === 0 ? undefined : chance.pick(entries);
}

async function takeUpOffer(market: Market, desk: Desk): Promise<string> {
  const entry = await pickEntry(market, desk, ["NOTIFIED"]);
  if (entry === undefined) return "nobody is offered a seat";
  const reference = nextReference(market);
  const booked = await bookOffer(desk.db, { entryId: entry.id, reference, status: "PENDING" });
  const said = `${entry.name} takes up an offer`;
  const buyer = market.buyers.find(({ id }) => id === entry.userId);
  if (booked.kind !== "booked" || buyer === undefined) return `${said}: ${booked.kind}`;
  const { bookingId } = booked;
  return `${said}: ${await beginCheckout(market, desk, { bookingId, reference, buyer })}`;
}

/** A buyer leaves; what was paid is asked back. */
async function cancel(market: Market, desk: Desk): Promise<string> {
  const { arena, chance, left, scheduler } = market;
  const bookings = await scheduler.turn(desk.clerk, () =>
    arena.database.query<{ id: string; reference: string }>(
      "SELECT id, reference FROM bookings WHERE status <> 'CANCELLED' ORDER BY reference",
    ),
  );
  if (bookings.length === 0) return "nothing to cancel";
  const { id: bookingId, reference } = chance.pick(bookings);
  left.add(bookingId);
  const { kind } = await cancelParticipation(desk.db, {
    bookingId,
    offerMs: OFFER_MS,
    money: "keep",
    actor: "a test",
  });
  if (kind !== "cancelled") return `${reference} is cancelled: ${kind}`;
  const refunds = await refundWhatWasLeft(market, desk);
  return `${reference} is cancelled, ${refunds} refunds`;
}

/** What was paid for bookings whose buyers have left goes back. */
export async function refundWhatWasLeft(market: Market, desk: Desk): Promise<number> {
  const { arena, left, scheduler } = market;
  const paid = await scheduler.turn(desk.clerk, () =>
    arena.database.query<{ id: string }>(
      `SELECT payment.id FROM payments AS payment JOIN bookings AS booking ON booking.id = payment.booking_id
       WHERE payment.status = 'PAID' AND booking.status = 'CANCELLED' AND booking.id = ANY($1)
       ORDER BY booking.reference`,
      [[...left]],
    ),
  );
  for (const { id: paymentId } of paid) {
    await inTransaction(desk.db, (tx) =>
      requestRefund(tx, {
        paymentId,
        key: `left:${paymentId}`,
        amountPaise: "all",
        reason: "the buyer has left",
        requestedBy: "marketplace",
      }),
    );
  }
  return paid.length;
}

async function askForRefund(market: Market, desk: Desk): Promise<string> {
  const { arena, chance, scheduler } = market;
  const payments = await scheduler.turn(desk.clerk, () =>
    arena.database.query<{ id: string; reference: string; paise: bigint; status: string }>(
      `SELECT payment.id, booking.reference, payment.amount_paise AS paise, payment.status::text AS status
       FROM payments AS payment JOIN bookings AS booking ON booking.id = payment.booking_id
       ORDER BY payment.status <> 'PAID', booking.reference, payment.created_at, payment.id`,
    ),
  );
  if (payments.length === 0) return "nothing to refund";
  const paid = payments.filter(({ status }) => status === "PAID");
  const from = paid.length > 0 && chance.happens(0.8) ? paid : payments;
  const { id: paymentId, reference, paise } = chance.pick(from);
  const request = {
    paymentId,
    key: `asked:${chance.uuid()}`,
    amountPaise: chance.happens(0.4)
      ? ("all" as const)
      : BigInt(chance.between(1, Math.max(1, Number(paise)))),
    reason: "simulation",
    requestedBy: "Asha",
  };
  const said: string[] = [];
  for (let times = chance.pick([1, 1, 2]); times > 0; times--) {
    const result = await inTransaction(desk.db, (tx) => requestRefund(tx, request));
    said.push(result.kind === "refused" ? result.code : result.kind);
  }
  return `refund of ${reference}: ${said.join(", ")}`;
}

/** Finance releases what a consultant earns by a sale that nobody has asked back. */
async function earnSale(market: Market, { clerk }: Desk): Promise<string> {
  const { arena, chance, scheduler } = market;
  return scheduler.turn(clerk, async () => {
    const sales = await arena.database.query<{
      reference: string;
      consultantId: string;
      paise: bigint;
    }>(
      `SELECT booking.reference, plan.consultant_id AS "consultantId", payment.amount_paise AS paise
       FROM payments AS payment
       JOIN bookings AS booking ON booking.id = payment.booking_id
       JOIN plans AS plan ON plan.id = booking.plan_id
       WHERE payment.status = 'PAID'
         AND NOT EXISTS (SELECT 1 FROM refunds WHERE payment_id = payment.id)
         AND NOT EXISTS (SELECT 1 FROM earnings WHERE booking_reference = booking.reference)
       ORDER BY booking.reference`,
    );
    for (const { reference, consultantId, paise } of sales) {
      const id = chance.uuid();
      const gross = (paise * 100n) / 118n;
      const fee = (gross * BigInt(chance.pick([5, 10, 15]))) / 100n;
      await inSession(arena.database, async (client) => {
        await client.query("BEGIN");
        await client.query(
          `INSERT INTO earnings (id, consultant_id, booking_reference, credited_on, gross_paise,
                                 platform_fee_paise, amount_paise)
           VALUES ($1, $2, $3, '2026-11-02', $4, $5, $6)`,
          [id, consultantId, reference, gross, fee, gross - fee],
        );
        await postEarningsReleased(client, [id]);
        await client.query("COMMIT");
      });
    }
    return `${sales.length} sales are earned`;
  });
}
